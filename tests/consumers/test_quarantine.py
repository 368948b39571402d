"""Quarantine for people: seen without its contents, tried again, dropped, and each of it on record."""

from collections.abc import Iterator

import pytest

from consumers import quarantine
from consumers.quarantine import NotInQuarantine, StillUnreadable
from consumers.translate import TYPES, Translator
from domain.history.log import Log
from tests.consumers.said import message
from tests.story import LATER, Desk, at, memory_log, placed, requested, topics, written

READ = Translator({})
ZONED = Translator({"/s": "Asia/Shanghai"})
NO_OFFSET = written(requested(0, ship_by=10)).replace(b'T00:00:00Z","data', b'T00:00:00","data')


@pytest.fixture(name="desk")
def a_desk_with_trouble() -> Iterator[Desk]:
    """Take in a good message and two bad ones."""
    with memory_log() as log:
        desk = Desk(log)
        desk.take(placed(0), NO_OFFSET, b"{\x1b[31m")
        yield desk


def statuses(log: Log) -> list[str]:
    """List what became of every message ever held back."""
    return [status for _, status, _ in log.store.quarantined(None)]


def test_the_list_says_where_from_and_why_and_nothing_of_the_contents(desk: Desk) -> None:
    first, second = quarantine.listed(desk.tracker)
    assert (first["id"], first["offset"], first["code"], first["status"]) == (1, 1, "bad_envelope", "held")
    assert (second["id"], second["code"], second["bytes"]) == (2, "not_json", 6)
    assert "value" not in first


def test_one_is_shown_with_its_contents_and_no_control_character(desk: Desk) -> None:
    shown = quarantine.shown(desk.tracker, 2)
    assert shown["value"] == "{\\x1b[31m"
    assert shown["key"] == "k"


def test_what_can_be_read_by_now_is_taken_in(desk: Desk) -> None:
    quarantine.retry(desk.tracker, ZONED, 1, until=at(20), by="staff-1", now=LATER)
    assert statuses(desk.log) == ["retried", "held"]
    assert desk.found() == [("open", "F", 10, None)]
    assert topics(desk.log)[-1] == "quarantine.settled.v1"


def test_what_still_cannot_be_read_stays(desk: Desk) -> None:
    before = desk.log.store.last_position()
    with pytest.raises(StillUnreadable, match="stays"):
        quarantine.retry(desk.tracker, READ, 1, until=at(20), by="staff-1", now=LATER)
    assert statuses(desk.log) == ["held", "held"]
    assert desk.log.store.last_position() == before


def test_a_conflict_stays_a_conflict(desk: Desk) -> None:
    desk.take(written(placed(0, customer_id="another")))
    with pytest.raises(StillUnreadable, match="id_conflict"):
        quarantine.retry(desk.tracker, READ, 3, until=at(20), by="staff-1", now=LATER)


def test_what_arrived_by_another_way_meanwhile_has_no_second_effect(desk: Desk) -> None:
    desk.take(written(requested(0, ship_by=10)).replace(b"T00:00:00Z", b"T08:00:00+08:00", 1))
    before = topics(desk.log)
    quarantine.retry(desk.tracker, Translator({"/s": "UTC"}), 1, until=at(5), by="staff-1", now=LATER)
    assert topics(desk.log) == [*before, "quarantine.settled.v1"]


def test_dropping_is_on_record_with_who_and_why(desk: Desk) -> None:
    quarantine.drop(desk.tracker, 2, by="staff-1", why="test data", now=at(30))
    assert statuses(desk.log) == ["held", "dropped"]
    [settled] = desk.log.stream("quarantine-2")
    assert (settled.by, settled.why, settled.at) == ("staff-1", "test data", at(30))  # type: ignore[attr-defined]  # the last event is of this kind


def test_what_is_settled_or_was_never_there_is_refused(desk: Desk) -> None:
    quarantine.drop(desk.tracker, 2, by="staff-1", why="x", now=LATER)
    for number in (2, 3, 0):
        with pytest.raises(NotInQuarantine):
            quarantine.drop(desk.tracker, number, by="staff-1", why="x", now=LATER)
        with pytest.raises(NotInQuarantine):
            quarantine.retry(desk.tracker, READ, number, until=at(0), by="staff-1", now=LATER)


def test_a_message_of_a_newer_version_is_taken_in_after_the_upgrade(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = message("parcel.eaten.v1", {"order_id": "O"})
    desk.take(newer)
    monkeypatch.setitem(TYPES, "parcel.eaten.v1", TYPES["order.approved.v1"])
    quarantine.retry(desk.tracker, READ, 3, until=at(0), by="staff-1", now=LATER)
    assert topics(desk.log)[-2:] == ["order.approved.v1", "quarantine.settled.v1"]
