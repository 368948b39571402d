"""When the log took an event: by what closes its transaction, or by its own word where a person wrote it."""

from collections.abc import Iterator

import pytest

from domain.history.batch import GroupsTold, QuarantineSettled, TickFired
from domain.history.log import Beside, Log, Recorded
from domain.incidents.events import IncidentNoted, IncidentReturned
from projections.recorded import Until, known
from tests.stores.engine import memory_log
from tests.story import at, placed


@pytest.fixture(name="log")
def a_log() -> Iterator[Log]:
    with memory_log() as log:
        yield log


def write(log: Log, *events: object) -> None:
    """Write events, each into a stream of its own kind."""
    streams = {GroupsTold: "groups", TickFired: "ticks", QuarantineSettled: "quarantine-1"}
    for event in events:
        name = streams.get(type(event), "incident-x-y" if hasattr(event, "by") else "order-O")  # type: ignore[call-overload]
        version = log.store.versions([name]).get(name, 0) + 1
        log.append([Recorded(name, version, event)], Beside())  # type: ignore[arg-type]  # events, as the log has them


def times(log: Log, **until: int) -> list[int]:
    rows = log.store.select_streams(["order-O", "incident-x-y"])
    asked = Until(log.store.last_position(), **until)
    return [one.recorded_at for one in known(log.store, rows, asked)]


def test_what_a_look_brought_was_known_when_it_looked_however_far_was_read(log: Log) -> None:
    write(log, placed(0), TickFired(until=at(5), subjects=1, at=at(9)))
    assert times(log) == [at(9)]
    assert times(log, at=at(8)) == []


def test_a_look_that_only_says_how_far_was_read_is_taken_at_that(log: Log) -> None:
    write(log, placed(0), TickFired(until=at(5), subjects=1))
    assert times(log) == [at(5)]


def test_what_was_told_by_an_earlier_version_was_known_no_later_than_what_follows(log: Log) -> None:
    write(log, placed(0), GroupsTold(up_to=1), TickFired(until=at(5), subjects=1, at=at(6)))
    assert times(log) == [at(6)]


def test_without_anything_behind_it_an_event_is_taken_at_its_own_word(log: Log) -> None:
    write(log, placed(3), GroupsTold(up_to=1))
    assert times(log) == [at(3)]


def test_a_retry_says_when_it_was(log: Log) -> None:
    write(log, placed(0), QuarantineSettled(message=1, action="retried", by="li", at=at(7)))
    assert times(log) == [at(7)]


def test_a_person_s_step_was_known_at_once_and_the_clock_s_when_somebody_looked(log: Log) -> None:
    write(log, IncidentNoted(at=at(1), by="li", text="x"), IncidentReturned(at=at(2), by="clock", was="li"))
    write(log, TickFired(until=at(3), subjects=1, at=at(4)))
    assert times(log) == [at(1), at(4)]


def test_however_many_transactions_it_took_the_log_is_asked_for_their_ends_once(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        write(log, placed(number), TickFired(until=at(number), subjects=1, at=at(number + 1)))
    asked, ask = [], log.store.next_rows
    monkeypatch.setattr(log.store, "next_rows", lambda *about: asked.append(about) or ask(*about))
    assert times(log) == [at(number + 1) for number in range(30)]
    assert len(asked) == 1
