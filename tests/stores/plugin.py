"""Runs a test on every store that this machine has, and tells at the end which those were.

`tests/conftest.py` loads it. A test takes the fixture `engine`, or its folder's conftest has all of them take it, and
says `@pytest.mark.only_on("sqlite")` when it is about that store alone. `--require-stores=postgres` turns a missing
one from a skip to an error; `--leave-stores=postgres` leaves it to another run.
"""

from collections import Counter
from collections.abc import Generator, Iterator

import pytest

from tests.stores import engine as engines
from tests.stores.cluster import Cluster, StoreMissingError

STORES = ("sqlite", "postgres")
_CLUSTER = pytest.StashKey[Cluster]()
_WHY_NOT = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that say which stores must be there, and which another run takes."""
    names = ",".join(STORES)
    group = parser.getgroup("stores")
    group.addoption("--require-stores", default="", metavar=names, help="stores whose absence is an error, not a skip")
    group.addoption("--leave-stores", default="", metavar=names, help="stores to leave to another run")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and the tally."""
    config.addinivalue_line("markers", "only_on(store): what this tests is about one store")
    required, left = (_named(config, option) for option in ("--require-stores", "--leave-stores"))
    config.pluginmanager.register(StoreTally(required, left), "store-tally")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about another store, and the stores that another run takes."""
    left = _named(config, "--leave-stores")
    mine = [item for item in items if _store_of(item) not in left and _is_about(item)]
    if len(mine) < len(items):
        kept = set(mine)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = mine


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the PostgreSQL, if a test has started it."""
    cluster = config.stash.get(_CLUSTER, None)
    if cluster is not None:
        cluster.close()


@pytest.fixture(scope="module", params=STORES)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Let every log and every view that the tests open be in one store; the name of it."""
    name: str = request.param
    with pytest.MonkeyPatch.context() as environment:
        if name == "postgres":
            with cluster_of(request.config).database() as url:
                environment.setenv(engines.VARIABLE, url)
                yield name
        else:
            environment.delenv(engines.VARIABLE, raising=False)
            yield name


@pytest.fixture
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Give the session's PostgreSQL itself."""
    return cluster_of(request.config)


def cluster_of(config: pytest.Config) -> Cluster:
    """Give the PostgreSQL of this session, started when the first test asks."""
    known = config.stash.get(_CLUSTER, None)
    if known is not None:
        return known
    try:
        made = Cluster(in_memory=True)
        made.start()
    except StoreMissingError as missing:
        config.stash[_WHY_NOT] = str(missing)
        if "postgres" in _named(config, "--require-stores"):
            pytest.fail(f"required, but there is no PostgreSQL: {missing}", pytrace=False)
        pytest.skip(f"no PostgreSQL: {missing}")
    config.stash[_CLUSTER] = made
    return made


class StoreTally:
    """Counts over all test processes which stores the tests ran on."""

    def __init__(self, required: list[str], left: list[str]) -> None:
        """Start at nothing."""
        self._required = required
        self._left = left
        self._used: Counter[str] = Counter()
        self._why_not = ""
        self._version = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write on the report which store it is about: reports alone reach the process that prints."""
        report = yield
        name = _store_of(item)
        if name is not None and report.when == "call":
            known = item.config.stash.get(_CLUSTER, None)
            report.user_properties.append(("store", (name, known.version if known and name == "postgres" else "")))
        elif name is not None and _WHY_NOT in item.config.stash:
            report.user_properties.append(("no store", item.config.stash[_WHY_NOT]))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test that ran."""
        for written in report.user_properties:
            match written:
                case ("store", (str(name), str(version))):
                    self._used[name] += 1
                    self._version = version or self._version
                case ("no store", str(why_not)):
                    self._why_not = why_not

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run that was to use a store and did not."""
        is_worker = hasattr(session.config, "workerinput")
        if not is_worker and session.exitstatus == pytest.ExitCode.OK and self._missing():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table of stores, if any test asked for one."""
        if not (self._used or self._required or self._why_not):
            return
        terminalreporter.section("stores")
        for name in STORES:
            version = self._version if name == "postgres" else ""
            terminalreporter.write_line(f"{name:<9} {version:<7} {self._use(name)}")
        if missing := self._missing():
            terminalreporter.write_line(f"required and not used: {', '.join(missing)}", red=True)

    def _use(self, name: str) -> str:
        if self._used[name]:
            return f"used by {self._used[name]} tests"
        if name in self._left:
            return "left to another run"
        return f"not used: {self._why_not or 'no test asked for it'}"

    def _missing(self) -> list[str]:
        return [name for name in self._required if not self._used[name]]


def _named(config: pytest.Config, option: str) -> list[str]:
    named = [name for name in config.getoption(option).split(",") if name]
    if unknown := set(named) - set(STORES):
        raise pytest.UsageError(f"{option}: no such store: {', '.join(sorted(unknown))}")
    return named


def _store_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("engine")


def _is_about(item: pytest.Item) -> bool:
    name = _store_of(item)
    return name is None or all(name in marker.args for marker in item.iter_markers("only_on"))
