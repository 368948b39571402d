"""The tracker among rubbish and failing rules: what is broken is held back, and the rest commits."""

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from eventsourcing.persistence import OperationalError

from domain.errors import Unreadable
from domain.events import Fact
from domain.history.batch import TickFired
from domain.history.log import Beside, Recorded, UnknownTopic
from domain.history.streams import Work
from domain.instant import Instant
from domain.intake.intake import Intake
from domain.judging.judgement import Judgement
from domain.orders.order import Order, OrderHeld
from tests.story import (
    LATER,
    PARTITION,
    Desk,
    at,
    complained,
    fact,
    held,
    memory_log,
    packed,
    piece,
    placed,
    requested,
    scanned,
    topics,
    written,
)

ORDER = (placed(0), requested(0, ship_by=10))
PRESENT = "/bad"
"""A source whose messages the tests' broken rules choke on."""


# Rubbish


@pytest.mark.parametrize("seed", range(3))
def test_rubbish_between_good_messages_is_held_back_and_the_rest_commits(desk: Desk, seed: int) -> None:
    rubbish: list[Any] = [b"", b"{", b"[]", b"\xff", b'{"specversion":"1.0"}', Unreadable("tombstone", "x")]
    said = [*ORDER, scanned(12), *rubbish]
    random.Random(seed).shuffle(said)
    desk.take(*said, until=20)
    assert len(desk.held_back()) == len(rubbish)
    assert desk.found() == [("ended", "F", 10, 12)]


def test_a_batch_of_nothing_but_rubbish_moves_on(desk: Desk) -> None:
    desk.take(*[b"?"] * 50)
    assert desk.log.store.positions()[PARTITION].next == len(desk.held_back()) == 50


# A rule that chokes on a message


def choke_on_taking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break what takes a message of the bad source in, half-way through."""
    take = Intake.take

    def taking(self: Intake, one: Fact, message: Any = None) -> None:
        take(self, one, message)
        if one.source == PRESENT:
            raise ZeroDivisionError(one.id)

    monkeypatch.setattr(Intake, "take", taking)


def choke_on_judging(monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the judgement of orders that heard of the bad source."""
    judge = Judgement.of

    def judging(self: Judgement, name: str, state: Any, until: Instant, heard: Mapping[str, Instant]) -> Any:
        if isinstance(state, Order) and any(one.source == PRESENT for one in state.facts.of(OrderHeld)):
            raise ZeroDivisionError(state.id)
        return judge(self, name, state, until, heard)

    monkeypatch.setattr(Judgement, "of", judging)


BREAKS = pytest.mark.parametrize("breaking", [choke_on_taking, choke_on_judging])


@BREAKS
def test_a_message_that_breaks_the_rules_is_held_back_and_the_rest_commits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, breaking: Any
) -> None:
    breaking(monkeypatch)
    other = fact(OrderHeld, 1, source=PRESENT, order_id="Q", reason="r")
    desk.take(*ORDER, other, scanned(12), until=20)
    assert desk.held_back() == [(2, "handler_error")]
    assert desk.found() == [("ended", "F", 10, 12)]
    assert "order.held.v1" not in topics(desk.log)


@BREAKS
def test_only_the_message_that_breaks_its_order_is_held_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, breaking: Any
) -> None:
    breaking(monkeypatch)
    desk.take(*ORDER, held(1, source=PRESENT), held(30), scanned(12), until=20)
    assert desk.held_back() == [(2, "handler_error")]
    assert desk.found() == [("ended", "F", 10, 12)]
    assert topics(desk.log).count("order.held.v1") == 1


@BREAKS
def test_several_such_messages_are_each_held_back(desk: Desk, monkeypatch: pytest.MonkeyPatch, breaking: Any) -> None:
    breaking(monkeypatch)
    bad = [fact(OrderHeld, n, source=PRESENT, order_id=f"Q{n}", reason="r") for n in range(5)]
    desk.take(placed(0), *bad[:3], requested(0, ship_by=10), *bad[3:], until=20)
    assert [offset for offset, _ in desk.held_back()] == [1, 2, 3, 5, 6]
    assert desk.found() == [("open", "F", 10, None)]


@BREAKS
def test_several_such_messages_of_one_order_are_each_held_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, breaking: Any
) -> None:
    breaking(monkeypatch)
    bad = [held(1, source=PRESENT, key=str(n)) for n in range(3)]
    desk.take(placed(0), bad[0], requested(0, ship_by=10), *bad[1:], scanned(12), until=20)
    assert [offset for offset, _ in desk.held_back()] == [1, 3, 4]
    assert desk.found() == [("ended", "F", 10, 12)]


@BREAKS
@pytest.mark.parametrize("orders", [1, 7, 120])
def test_many_such_messages_take_no_more_work_than_a_few(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, breaking: Any, orders: int
) -> None:
    breaking(monkeypatch)
    work: Counter[str] = Counter()
    for owner, name in ((Intake, "take"), (Judgement, "of"), (Work, "record")):
        monkeypatch.setattr(owner, name, _counting(work, name, getattr(owner, name)))
    good = [placed(0, of=f"Q{n}") for n in range(orders)]
    bad = [fact(OrderHeld, n, source=PRESENT, order_id=f"Q{n % orders}", reason="r") for n in range(120)]
    desk.take(*good, *ORDER, *bad, scanned(12), until=20)
    assert desk.held_back() == [(offset, "handler_error") for offset in range(orders + 2, orders + 122)]
    assert desk.found() == [("ended", "F", 10, 12)]
    messages = orders + 123
    assert work["take"] <= 2 * messages
    assert work["of"] <= 2 * messages
    assert work["record"] <= 12 * messages


def _counting(work: Counter[str], name: str, does: Any) -> Any:
    def counted(*given: Any) -> Any:
        work[name] += 1
        return does(*given)

    return counted


def test_what_a_broken_message_touched_is_as_if_it_had_never_come(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    good = [*ORDER, packed(3, "P", piece("A")), scanned(12)]
    desk.take(*good, until=20)
    with memory_log() as log:
        other = Desk(log)
        choke_on_taking(monkeypatch)
        bad = scanned(5, source=PRESENT), packed(2, "P", piece("A", of="Q"), source=PRESENT), held(1, source=PRESENT)
        other.take(good[0], bad[0], good[1], bad[1], good[2], bad[2], good[3], until=20)
        assert [one for _, one in other.held_back()] == ["handler_error"] * 3
        assert _told(other) == _told(desk)


def _told(desk: Desk) -> list[Any]:
    """Give all that was recorded of subjects, wherever it stood."""
    rows = desk.log.read(0, 1000)
    told = [(name, one) for _, name, one in rows if not name.startswith(("batches", "policy"))]
    return [(name, msgspec.structs.replace(one, via="") if isinstance(one, Fact) else one) for name, one in told]


def test_a_subject_that_can_no_longer_be_judged_holds_up_nobody_s_deadline(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "OQR":
        desk.take(placed(0, of=name), requested(0, f"F{name}", name, ship_by=10), until=5)
    desk.take(held(20, source=PRESENT), until=5)
    choke_on_judging(monkeypatch)
    assert desk.tick(11) == 3
    assert desk.found() == [("open", "FQ", 10, None), ("open", "FR", 10, None)]
    [fired] = desk.log.stream("ticks")
    assert isinstance(fired, TickFired)
    assert list(fired.failed) == ["order-O"]
    assert desk.tick(12) == 0


@BREAKS
def test_such_a_message_is_not_seen_and_can_be_tried_again_after_an_upgrade(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, breaking: Any
) -> None:
    bad = fact(OrderHeld, 1, source=PRESENT, order_id="Q", reason="r")
    with monkeypatch.context() as broken:
        breaking(broken)
        desk.take(bad)
    [(number, _, kept)] = desk.log.store.quarantined()
    assert kept.raw.value == written(bad)
    incoming = desk.batch(bad).slices[0].records[0]
    desk.tracker.settle(number, incoming, at(20), by="staff", why="upgraded", at=LATER)
    assert topics(desk.log).count("order.held.v1") == 1
    assert desk.log.store.quarantined() == []


def test_a_message_that_still_cannot_be_read_stays_in_quarantine(desk: Desk) -> None:
    desk.take(b"{")
    [(number, _, _)] = desk.log.store.quarantined()
    incoming = desk.batch(b"{").slices[0].records[0]
    with pytest.raises(Unreadable):
        desk.tracker.settle(number, incoming, at(0), by="staff", why="try", at=LATER)
    assert desk.held_back() == [(0, "not_json")]


def test_dropping_a_message_is_recorded_with_who_and_why(desk: Desk) -> None:
    desk.take(b"{")
    [(number, _, _)] = desk.log.store.quarantined()
    desk.tracker.settle(number, None, at(0), by="staff", why="test data", at=LATER)
    assert desk.held_back() == []
    [settled] = desk.log.stream(f"quarantine-{number}")
    assert (settled.action, settled.by, settled.why) == ("dropped", "staff", "test data")  # type: ignore[attr-defined]  # the last event is of this kind


# What is not the message's fault stops the process


def test_a_store_that_fails_while_deciding_stops_and_quarantines_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OperationalError("disk I/O error")

    desk.take(complained(1, "C0"))
    select = desk.log.store.select_streams
    with monkeypatch.context() as broken:
        broken.setattr(
            desk.log.store, "select_streams", lambda names: failing() if "complaint-C1" in names else select(names)
        )
        with pytest.raises(OperationalError):
            desk.take(placed(0), complained(2, "C1"))
    assert desk.held_back() == []
    assert desk.log.store.positions()[PARTITION].next == 1
    desk.take(placed(0), complained(2, "C1"))
    assert topics(desk.log).count("complaint.opened.v1") == 2


def test_a_newer_event_in_a_stream_stops_and_quarantines_nothing(desk: Desk) -> None:
    newer = type("Newer", (complained(1).__class__,), {"TOPIC": "complaint.opened.v9"}, frozen=True, kw_only=True)
    event = newer(at=0, source="/s", id="x", complaint_id="C", channel="phone")
    desk.log.append([Recorded("complaint-C", 1, event)], Beside())
    with pytest.raises(UnknownTopic, match="upgrade"):
        desk.take(complained(2))
    assert desk.held_back() == []


def test_stored_bytes_that_cannot_be_read_stop_and_quarantine_nothing(desk: Desk) -> None:
    desk.take(complained(1))
    with desk.log.recorder.datastore.transaction(commit=True) as cursor:  # type: ignore[attr-defined]  # SQLite's
        cursor.execute("UPDATE stored_events SET state = x'7b' WHERE originator_id = 'complaint-C'")
    restarted = Desk(desk.log)
    with pytest.raises(Exception, match="complaint"):
        restarted.take(complained(2))
    assert desk.held_back() == []
