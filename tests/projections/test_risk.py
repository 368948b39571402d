"""What is about to be late: near its time, behind a queue that is too long, or to be delivered soon."""

from typing import Any

from domain.instant import HOUR
from projections import risk
from projections.risk import After, Warned
from tests.projections.staffed import rebuilt
from tests.projections.stage import Stage, stage
from tests.projections.test_backlogs import order, shipped
from tests.story import at, cancelled, hours, moved, packed, piece, placed, requested, scanned

WARNED = Warned(24 * HOUR, 24 * HOUR)


def risky(told: Stage, now: float, **more: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    with told.store.reading() as rows:
        found = risk.listed(rows, at(now), WARNED, 100, **more)
        for one in found:
            assert risk.of_order(rows, one.order_id, at(now))[one.fulfillment_id] == one.because
        assert [one.deadline for one in found] == sorted(one.deadline for one in found)
        return [(one.order_id, one.fulfillment_id, one.because) for one in found]


def busy(told: Stage, upto: float = 48) -> None:
    """Let one fulfilment an hour go on, for a day."""
    for n in range(24):
        told.hear(*order(f"s{n}", 0, 9999), shipped(f"s{n}", upto - 23.5 + n))


def test_what_stands_too_far_back_in_the_queue_is_at_risk_long_before_its_warning_time(told):
    busy(told)
    for n in range(20):
        told.hear(*order(f"{n}", 40, 60))
    told.hear(*order("later", 40, 80))
    found = risky(told, 48)
    assert {one for _, one, _ in found} == {f"F{n}" for n in range(20)}
    assert {because for _, _, because in found} == {("queue",)}
    # Near its time, it is at risk for both reasons.
    assert {because for _, one, because in risky(told, 57) if one != "Flater"} == {("warn_before", "queue")}
    rebuilt(told)


def test_a_queue_that_clears_in_time_puts_nothing_at_risk(told):
    busy(told)
    for n in range(12):
        told.hear(*order(f"{n}", 40, 60))
    assert risky(told, 48) == []
    told.hear(*order("12", 40, 60))
    assert len(risky(told, 48)) == 13


def test_what_is_packed_waits_for_the_carrier_and_not_for_the_queue(told):
    busy(told)
    for n in range(20):
        told.hear(*order(f"{n}", 40, 60))
    told.hear(packed(41, "P3", piece(of="O3"), fulfillment_ids=("F3",)), cancelled(41, of="O4"))
    found = [one for _, one, _ in risky(told, 48)]
    assert len(found) == 18
    assert not {"F3", "F4"} & {*found}


def test_a_queue_of_which_nothing_is_known_puts_nothing_at_risk(told):
    for n in range(20):
        told.hear(*order(f"{n}", 0, 60))
    assert risky(told, 48) == []


def test_an_order_is_at_risk_within_the_warning_time_of_its_delivery(told):
    told.hear(placed(0, deliver_by=100), requested(0, ship_by=20), scanned(2))
    assert risky(told, 75.9) == []
    assert risky(told, 76) == [("O", "", ("warn_before",))]
    assert risky(told, 76, kinds=["late_shipment"]) == []
    assert risky(told, 100) == [("O", "", ("warn_before",))]
    assert risky(told, 100.1) == []
    told.come(101)
    assert told.query("SELECT * FROM deliveries") == []
    rebuilt(told)


def test_what_was_delivered_or_cancelled_or_moved_is_not_at_risk(told):
    told.hear(placed(0, deliver_by=100), requested(0, ship_by=20), scanned(2))
    told.hear(placed(0, of="Q", key="q", deliver_by=100), requested(0, "G", of="Q", ship_by=20))
    told.hear(placed(0, of="R", key="r", deliver_by=100), requested(0, "H", of="R", ship_by=200))
    told.hear(scanned(50, status="delivered"), cancelled(50, of="Q"))
    told.hear(moved(50, 200, "customer", order_id="R", deliver_by=150))
    assert risky(told, 80) == []
    assert risky(told, 130) == [("R", "", ("warn_before",))]


def test_each_version_of_a_policy_warns_of_what_comes_due_in_its_time(tmp_path):
    with stage(tmp_path, '[late_delivery]\nwarn_before = "2h"') as told:
        told.hear(placed(0, deliver_by=100), requested(0, ship_by=20), scanned(2))
        assert (risky(told, 97.9), len(risky(told, 98))) == ([], 1)
    (tmp_path / "other").mkdir()
    with stage(tmp_path / "other", '[kinds]\nenabled = ["late_shipment"]') as told:
        told.hear(placed(0, deliver_by=100), requested(0, ship_by=20), scanned(2))
        assert risky(told, 99) == []


def test_pages_of_both_kinds_go_on_where_they_stopped(told):
    busy(told)
    for n in range(20):
        told.hear(*order(f"{n}", 40, 60))
    told.hear(placed(0, of="D", key="d", deliver_by=60), placed(0, of="E", key="e", deliver_by=59.9))
    with told.store.reading() as rows:
        whole = risk.listed(rows, at(48), WARNED, 100)
        first = risk.listed(rows, at(48), WARNED, 7)
        rest = risk.listed(rows, at(48), WARNED, 100, after=After(*first[-1][:3]))
    assert first + rest == whole
    assert len(whole) == 22
    assert (whole[0].kind, hours(whole[0].deadline)) == ("late_delivery", 59.9)
