"""Backtests: from a file or from topics to a findings file."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, BinaryIO, NamedTuple

import orjson

from consumers import backtest, through
from consumers.backtest import Outcome
from consumers.cluster import Cluster
from consumers.translate import TOPICS
from deploy.embedded import EmbeddedBroker
from deploy.settings import Settings
from deploy.wiring import CannotStart, System, scratch
from domain.instant import iso
from domain.judging.report import final, line


class Written(NamedTuple):
    """How many findings hold at the end, and how many were opened on the way and proved never to have held."""

    findings: int
    retracted: int


def of_file(events: Path, policy: Path, findings: Path, *, retracted: bool) -> tuple[Outcome, Written]:
    """Run a file straight through the tracker; returns what happened and the number of findings."""
    _prepare(findings)
    with scratch(policy) as system, events.open("rb") as lines:
        outcome = backtest.run(lines, system.tracker, system.translator, system.clock())
        return outcome, write(system, findings, retracted=retracted)


def through_kafka(
    settings: Settings, events: Path, policy: Path, findings: Path, *, partitions: int, poll: int, retracted: bool
) -> tuple[Outcome, Written]:
    """Send a file through fresh topics of a broker (embedded where none is set) and the real consumer."""
    _prepare(findings)
    run = token_hex(4)
    topics = {topic: f"backtest-{run}.{topic}" for topic in TOPICS}
    with _broker(settings) as (connection, options), scratch(policy) as system:
        cluster = Cluster(connection, topics.values())
        cluster.create_missing(partitions)
        with events.open("rb") as lines:
            ends = through.produce(lines, connection, topics)
        outcome = through.run(
            connection, topics.values(), ends, system.tracker, system.translator, system.clock(),
            group=f"backtest-{run}", poll=poll, **options,
        )  # fmt: skip
        cluster.delete()
        return outcome, write(system, findings, retracted=retracted)


def from_kafka(
    settings: Settings, policy: Path, findings: Path, *, poll: int, retracted: bool
) -> tuple[Outcome, Written]:
    """Read the configured topics from their start to where they end now."""
    _prepare(findings)
    with _broker(settings) as (connection, options), scratch(policy) as system:
        outcome = through.run(
            connection, settings.topics.names(), None, system.tracker, system.translator, system.clock(),
            group=f"backtest-{token_hex(4)}", poll=poll, **options,
        )  # fmt: skip
        return outcome, write(system, findings, retracted=retracted)


def write(system: System, findings: Path, *, retracted: bool) -> Written:
    """Write one line per finding that holds, and on request those that proved never to have held."""
    found = final(system.log)
    never = sum(one.retracted for one in found)
    with findings.open("wb") as out:
        for one in found:
            if retracted or not one.retracted:
                _line(out, line(one))
    return Written(len(found) - never, never)


def told(outcome: Outcome, written: Written) -> dict[str, Any]:
    """Say what a run did, as data."""
    return {
        **outcome._asdict(),
        "end": iso(outcome.end) if outcome.messages else None,
        "quarantined": dict(sorted(outcome.quarantined.items())),
        "flags": dict(sorted(outcome.flags.items())),
        "findings": written.findings,
        "retracted": written.retracted,
    }


def _prepare(findings: Path) -> None:
    """Find out before the work, not after it, whether the findings can be written.

    Raises:
        CannotStart: they cannot.
    """
    try:
        findings.parent.mkdir(parents=True, exist_ok=True)
        findings.open("ab").close()
    except OSError as error:
        raise CannotStart(f"{findings} cannot be written: {error}") from error


def _line(out: BinaryIO, content: Mapping[str, Any]) -> None:
    out.write(orjson.dumps(content))
    out.write(b"\n")


EMBEDDED_OPTIONS: dict[str, Any] = {"session_timeout_ms": 2000, "heartbeat_interval_ms": 500, "trust_ends": False}
"""The embedded broker lets a group wait for half its session time-out before it gives out partitions, and the ends
that it names are too low."""


@contextmanager
def _broker(settings: Settings) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Give the client settings of the configured broker, or of an embedded one for as long as it is needed."""
    if settings.bootstrap_servers is not None:
        yield settings.kafka.connection(settings.bootstrap_servers), settings.kafka.membership()
        return
    with EmbeddedBroker(settings.data_dir / "backtest") as embedded:
        yield settings.kafka.connection(embedded.bootstrap_servers), EMBEDDED_OPTIONS
