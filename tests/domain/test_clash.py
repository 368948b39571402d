"""A clash: another process has written what a batch was decided on; only what is tied to that is decided again."""

from collections import Counter
from typing import Any

import pytest

from domain.errors import Unreadable
from domain.history.log import Log
from domain.intake.attempt import Attempt
from domain.judging.report import final
from tests.story import Desk, at, held, labelled, packed, piece, placed, released, requested, scanned, topics

UNREADABLE = Unreadable("malformed", "no JSON")
TWO = (placed(0), requested(0, ship_by=10), placed(0, of="Q"), requested(0, "G", of="Q", ship_by=10))


@pytest.fixture(name="taken")
def how_often_each_was_taken(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Count by offset how often a message was decided on."""
    counted: Counter[int] = Counter()
    take = Attempt.take

    def counting(self: Attempt, message: tuple[int, int], one: Any) -> None:
        counted[message[1]] += 1
        take(self, message, one)

    monkeypatch.setattr(Attempt, "take", counting)
    return counted


def test_only_what_is_tied_to_a_clash_is_decided_again(log: Log, desk: Desk, taken: Counter[int]) -> None:
    other = Desk(log)
    desk.take(*TWO)
    other.take(held(3), partition="b")
    taken.clear()
    told = desk.take(held(4, "stock"), held(4, order_id="Q", key="Q"), released(5, "stock"), until=20)
    assert told.clashed
    assert sorted(taken.values()) == [1, 2, 2]
    assert desk.found() == []
    assert versions(log, "order-O") == list(range(1, len(versions(log, "order-O")) + 1))


def test_so_is_what_one_subject_told_another(log: Log, desk: Desk, taken: Counter[int]) -> None:
    other = Desk(log)
    desk.take(*TWO)
    other.take(held(3), partition="b")
    taken.clear()
    picked_up = scanned(4, "P"), scanned(4, "R", fulfillment_ids=("G",))
    assert desk.take(*picked_up, until=20).clashed
    assert sorted(taken.values()) == [1, 2]
    assert desk.found() == []


def test_what_is_judged_again_though_it_was_not_tied_keeps_the_later_deadline(log: Log) -> None:
    """A parcel that nobody knew the order of has no deadline; the request, taken again, makes it one."""
    policy = '[kinds]\nenabled = ["late_shipment", "stalled_parcel", "presumed_lost"]\n[feed_silence]\nwaits = []\n'
    desk, other = Desk(log, policy), Desk(log, policy)
    desk.take(scanned(1, "R"))
    other.take(labelled(1, "Q", "NQ", fulfillment_ids=("F",)), scanned(2, "Q"), partition="b")
    told = desk.take(scanned(3, "Q", "in_transit", order_ids=()), placed(0), requested(0, ship_by=10), until=5)
    assert told.clashed
    assert log.store.armed(["parcel-Q"])["parcel-Q"].due is not None
    for hours in range(6, 3000, 20):
        while desk.tick(hours):
            pass
    assert {one.finding.kind for one in final(log) if one.finding.subject == "Q"} == {"stalled_parcel", "presumed_lost"}


def test_the_next_batches_look_before_they_store_and_clash_no_more(
    log: Log, desk: Desk, taken: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Desk(log)
    desk.take(*TWO)
    other.take(held(3), partition="b")
    desk.take(held(4, "stock"))
    other.take(released(5), partition="b")
    taken.clear()
    monkeypatch.setattr(desk.tracker, "_is_taken", lambda *_: pytest.fail("it was found out by a clash"))
    assert not desk.take(released(6, "stock"), until=5).clashed
    assert set(taken.values()) == {1}


def test_what_a_batch_brought_is_counted_once_however_often_it_was_decided_on(log: Log, desk: Desk) -> None:
    other = Desk(log)
    desk.take(*TWO)
    other.take(held(3), partition="b")
    repeated = placed(0)
    told = desk.take(UNREADABLE, held(4, "stock"), repeated, held(4, order_id="Q", key="Q"), until=5)
    assert told.clashed
    (batch,) = told.batches
    assert (batch.records, batch.taken, batch.repeated, batch.quarantined) == (4, 2, 1, {"malformed": 1})
    assert len(desk.held_back()) == 1
    assert told.refused == {(0, 4)}


def test_a_message_that_somebody_else_took_is_taken_back_and_the_rest_stays(
    log: Log, desk: Desk, taken: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Desk(log)
    desk.take(*TWO)
    waiting = [lambda: other.take(held(4), partition="b")]
    decide = desk.tracker._decide

    def and_then(*given: Any) -> None:
        decide(*given)
        while waiting:
            waiting.pop()()

    monkeypatch.setattr(desk.tracker, "_decide", and_then)
    batch = desk.batch(held(4), held(4, order_id="Q", key="Q"), held(4))
    taken.clear()
    told = desk.tracker.take(batch, at(5))
    assert told.clashed
    assert [told.batches[0].taken, told.batches[0].repeated] == [1, 2]
    assert taken == {0: 1, 4: 2, 5: 1, 6: 2}
    assert topics(log).count("order.held.v1") == 2


def test_a_clash_in_which_a_message_breaks_a_rule_keeps_only_that_one_back(
    log: Log, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Desk(log)
    desk.take(*TWO)
    other.take(held(3), partition="b")
    judge, broken = desk.tracker._judgement.of, []

    def breaking(name: str, state: Any, *more: Any) -> Any:
        if name == "order-O" and any(one.reason == "odd" for one in state.facts.of(type(held(0)))):
            broken.append(name)
            raise ValueError("a bug")
        return judge(name, state, *more)

    monkeypatch.setattr(desk.tracker._judgement, "of", breaking)
    told = desk.take(held(4, "stock"), held(5, "odd"), held(4, order_id="Q", key="Q"), until=6)
    assert broken
    assert told.refused == {(0, 5)}
    assert told.batches[0].taken == 2


def test_the_parcels_that_wait_for_an_order_are_read_in_one_go(
    log: Log, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Desk(log)
    names = [str(n) for n in range(30)]
    other.take(*(packed(1, f"P{n}", piece(of=f"O{n}"), fulfillment_ids=(f"F{n}",)) for n in names), partition="b")
    reads = 0
    select = type(log.store).select_streams

    def counting(*given: Any, **more: Any) -> Any:
        nonlocal reads
        reads += 1
        return select(*given, **more)

    monkeypatch.setattr(type(log.store), "select_streams", counting)
    desk.take(*(placed(0, of=f"O{n}") for n in names), *(requested(0, f"F{n}", of=f"O{n}") for n in names))
    assert reads <= 3


def versions(log: Log, name: str) -> list[int]:
    return [row.version for row in log.store.select_streams([name])]
