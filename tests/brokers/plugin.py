"""Runs a test on every broker that this machine has, and tells at the end which those were.

`tests/conftest.py` loads it. A test takes the fixture `broker`, and says `@pytest.mark.needs(Capability.RESTART)`
when a stand-in will not do. `--require-brokers=apache,container,embedded` turns a missing one from a skip to an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.brokers.apache import ApacheKafka
from tests.brokers.broker import EVERYTHING, Broker, BrokerMissingError, Capability
from tests.brokers.embedded import EmbeddedKafka

_OFFERS: dict[str, frozenset[Capability]] = {
    "apache": EVERYTHING,
    "container": EVERYTHING,
    "embedded": EmbeddedKafka.capabilities,
}
_STATES = pytest.StashKey[dict[str, tuple[str, str]]]()
Lent = TypeVar("Lent", bound=Broker)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that CI uses to refuse a run without real brokers."""
    names = ",".join(_OFFERS)
    parser.getgroup("brokers").addoption(
        "--require-brokers", default="", metavar=names, help="brokers whose absence is an error, not a skip"
    )
    parser.getgroup("brokers").addoption(
        "--leave-brokers", default="", metavar=names, help="brokers to leave to another run"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and the tally."""
    config.addinivalue_line("markers", "needs(*capabilities): run only on brokers that can do this")
    config.addinivalue_line("markers", "xdist_group(name): run all tests of a group in one process")
    config.stash[_STATES] = {}
    required = [name for name in config.getoption("--require-brokers").split(",") if name]
    if unknown := set(required) - set(_OFFERS):
        raise pytest.UsageError(f"--require-brokers: no such broker: {', '.join(sorted(unknown))}")
    left = [name for name in config.getoption("--leave-brokers").split(",") if name]
    config.pluginmanager.register(BrokerTally(required, left), "broker-tally")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the brokers that another run takes."""
    left = config.getoption("--leave-brokers").split(",")
    mine = [item for item in items if _broker_of(item) not in left]
    if len(mine) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if _broker_of(item) in left])
        items[:] = mine


@pytest.fixture(scope="session", params=_OFFERS)
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Lend one running broker to all tests of a process that take it, first started when the first one does."""
    name: str = request.param
    yield from lent(request.config, name, lambda: _factory(name)(tmp_path_factory.mktemp(name)))


def lent(config: pytest.Config, name: str, make: Callable[[], Lent]) -> Iterator[Lent]:
    """Lend a broker that counts as the one of this name; where it is missing, skip, or fail if it is required."""
    states = config.stash[_STATES]
    try:
        made = make()
        made.start()
    except BrokerMissingError as missing:
        states[name] = ("", str(missing))
        if name in config.getoption("--require-brokers").split(","):
            pytest.fail(f"required, but there is no {name} broker: {missing}", pytrace=False)
        pytest.skip(f"no {name} broker: {missing}")
    states[name] = (made.version, "")
    yield made
    made.close()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what a stand-in cannot do before it is even started, and say where it is tested instead."""
    name = _broker_of(item)
    if name is None:
        return
    for marker in item.iter_markers("needs"):
        for capability in marker.args:
            if capability not in _OFFERS[name]:
                item.user_properties.append(("left to a real Kafka", name))
                real = " and ".join(other for other, offers in _OFFERS.items() if capability in offers)
                pytest.skip(f"no stand-in for a Kafka that {capability.value}: tested on {real}")


class BrokerTally:
    """Counts over all test processes which brokers the tests ran on."""

    def __init__(self, required: list[str], left: list[str]) -> None:
        """Start at nothing."""
        self._required = required
        self._elsewhere = left
        self._states: dict[str, tuple[str, str]] = {}
        self._used: Counter[str] = Counter()
        self._left: Counter[str] = Counter()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write on the report which broker it is about: reports alone reach the process that prints."""
        report = yield
        name = _broker_of(item)
        state = item.config.stash[_STATES].get(name or "")
        if state is not None:
            report.user_properties.append(("broker", (name, *state)))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test that ran."""
        for written in report.user_properties:
            match written:
                case ("broker", (str(name), str(version), str(why_not))):
                    self._states[name] = (version, why_not)
                    self._used[name] += report.when == "call"
                case ("left to a real Kafka", str(name)):
                    self._left[name] += report.when == "setup"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that was to use a broker and did not."""
        is_worker = hasattr(session.config, "workerinput")
        if not is_worker and session.exitstatus == pytest.ExitCode.OK and self._missing():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table of brokers, if any test asked for one."""
        if not self._states and not self._required:
            return
        terminalreporter.section("Kafka brokers")
        versions = {name: self._states.get(name, ("", ""))[0] or "-" for name in _OFFERS}
        width = max(map(len, versions.values()))
        for name, version in versions.items():
            terminalreporter.write_line(f"{name:<10} {version:<{width}}  {self._use(name)}")
        if missing := self._missing():
            terminalreporter.write_line(f"required and not used: {', '.join(missing)}", red=True)

    def _use(self, name: str) -> str:
        left = f", {self._left[name]} left to a real Kafka" if self._left[name] else ""
        if self._used[name]:
            return f"used by {self._used[name]} tests{left}"
        if name in self._elsewhere:
            return "left to another run"
        _, why_not = self._states.get(name, ("", "no test asked for it"))
        return f"not used: {why_not or 'nothing ran'}{left}"

    def _missing(self) -> list[str]:
        return [name for name in self._required if not self._used[name]]


def _broker_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("broker")


def _factory(name: str) -> Callable[[Path], Broker]:
    if name == "container":
        from tests.brokers.container import ContainerKafka  # noqa: PLC0415 - half a second that most runs need not pay

        return ContainerKafka
    return ApacheKafka if name == "apache" else EmbeddedKafka
