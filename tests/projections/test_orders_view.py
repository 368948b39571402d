import pytest

from domain.history.log import Beside, Recorded
from domain.incidents.assurance import AssuranceGiven
from domain.instant import HOUR, iso
from domain.judging.adoption import adopt
from projections import orders, risk
from projections.risk import After, Warned
from tests.projections.staffed import rebuilt
from tests.projections.stage import stage
from tests.story import (
    approved,
    at,
    cancelled,
    fact,
    held,
    labelled,
    line,
    moved,
    packed,
    piece,
    placed,
    released,
    requested,
    scanned,
    voided,
)

WARNED = Warned(24 * HOUR, 24 * HOUR)


def risky(told, now):
    with told.store.reading() as rows:
        return [one.fulfillment_id for one in risk.listed(rows, at(now), WARNED, 100, kinds=["late_shipment"])]


def order(told, name="O"):
    with told.store.reading() as rows:
        found = orders.one(rows, name)
    assert found is not None
    return found[1]


def fulfillment(told, place=0):
    return order(told)["fulfillments"][place]


def test_a_fulfilment_is_at_risk_within_its_warning_time_and_no_longer_once_late(told):
    told.hear(placed(0), requested(0, ship_by=20))
    assert risky(told, 15.9) == []
    assert risky(told, 16) == ["F"]
    assert risky(told, 20) == ["F"]
    assert risky(told, 20.1) == []
    told.come(21)
    assert told.query("SELECT warn_at FROM fulfillments") == [(None,)]


@pytest.mark.parametrize(
    "heard",
    [
        packed(2, "P", piece()),
        labelled(2, fulfillment_ids=("F",)),
        scanned(2),
        cancelled(2),
        held(2),
    ],
    ids=["packed", "labelled", "handed over", "cancelled", "held"],
)
def test_what_is_under_way_or_not_wanted_is_not_at_risk(told, heard):
    told.hear(placed(0), requested(0, ship_by=20))
    assert risky(told, 17) == ["F"]
    told.hear(heard)
    assert risky(told, 17) == []


def test_a_released_or_moved_promise_is_at_risk_at_its_new_time(told):
    told.hear(placed(0), requested(0, ship_by=20), held(5), released(15))
    assert (risky(told, 17), risky(told, 27)) == ([], ["F"])
    told.hear(moved(16, ship_by=50))
    assert (risky(told, 27), risky(told, 47)) == ([], ["F"])


def test_a_voided_parcel_puts_it_at_risk_again(told):
    told.hear(placed(0), requested(0, ship_by=20), packed(2, "P", piece()))
    assert risky(told, 17) == []
    told.hear(voided(3))
    assert risky(told, 17) == ["F"]


def test_a_part_that_is_not_packed_is_at_risk(told):
    told.hear(placed(0, line("1", "A", 2)), requested(0, ship_by=20), packed(2, "P", piece("A", 1)))
    assert risky(told, 17) == ["F"]


def test_the_most_urgent_come_first_and_pages_go_on(told):
    for n in range(7):
        told.hear(placed(0, of=f"O{n}", key=f"p{n}"), requested(0, f"F{n}", of=f"O{n}", ship_by=20 - n * 0.1))
    with told.store.reading() as rows:
        whole = risk.listed(rows, at(18), WARNED, 100)
        first = risk.listed(rows, at(18), WARNED, 3)
        rest = risk.listed(rows, at(18), WARNED, 100, after=After(*first[-1][:3]))
        assert risk.count_soon(rows, at(18), WARNED) == 7
    assert [one.fulfillment_id for one in whole] == ["F6", "F5", "F4", "F3", "F2", "F1", "F0"]
    assert first + rest == whole


@pytest.mark.only_on("sqlite")
def test_the_list_of_what_is_at_risk_is_answered_by_its_index(told):
    plan = told.plan(
        "SELECT * FROM fulfillments WHERE warn_at IS NOT NULL AND deadline <= ? AND warn_at <= ? "
        "AND (deadline, order_id, fulfillment_id) > (?, ?, ?) ORDER BY deadline, order_id, fulfillment_id",
        *(9, 9, 0, "", ""),
    )
    assert "USING INDEX fulfillments_due (" in plan
    assert "TEMP B-TREE" not in plan
    plan = told.plan(
        "SELECT * FROM fulfillments WHERE warn_at IS NOT NULL AND warehouse = ? AND deadline <= ? "
        "AND (deadline, order_id, fulfillment_id) > (?, ?, ?) ORDER BY deadline, order_id, fulfillment_id",
        *("W", 9, 0, "", ""),
    )
    assert "USING INDEX fulfillments_due_at (warehouse=? AND " in plan
    assert "TEMP B-TREE" not in plan


def test_another_policy_moves_the_warning_of_every_open_order(told):
    told.hear(placed(0), requested(0, ship_by=20))
    told.hear(placed(0, of="Q", key="q"), requested(0, "G", of="Q", ship_by=20), scanned(1, fulfillment_ids=("G",)))
    adopt(told.log, '[late_shipment]\nwarn_before = "10h"', at(5))
    told.follow()
    assert risky(told, 11) == ["F"]


def test_a_version_that_is_planned_moves_the_warning_of_what_comes_due_in_its_time_only(told):
    told.hear(placed(0), requested(0, ship_by=20))
    told.hear(placed(0, of="Q", key="q"), requested(0, "G", of="Q", ship_by=40))
    later = f'[[version]]\nvalid_from = "{iso(at(30))}"\n[version.late_shipment]\nwarn_before = "15h"'
    adopt(told.log, later, at(5))
    told.follow()
    assert told.query("SELECT fulfillment_id, warn_at FROM fulfillments ORDER BY 1") == [("F", at(16)), ("G", at(25))]


def test_a_finished_order_keeps_what_was_planned_when_it_changed_last(told):
    told.hear(placed(0), requested(0), scanned(1))
    adopt(told.log, f'[[version]]\nvalid_from = "{iso(at(1))}"\n[version.late_shipment]\nwithin = "48h"', at(0))
    told.follow()
    assert fulfillment(told)["deadline"] is None
    told.hear(placed(0, of="Q", key="q"), requested(0, "G", of="Q"))
    assert order(told, "Q")["fulfillments"][0]["deadline"] == iso(at(48))


def test_a_rule_that_is_off_warns_of_nothing(tmp_path):
    with stage(tmp_path, '[kinds]\nenabled = ["stock_out"]') as told:
        told.hear(placed(0), requested(0, ship_by=20))
        assert risky(told, 17) == []


def test_an_order_that_needs_approval_is_at_risk_only_with_it(tmp_path):
    with stage(tmp_path, '[late_shipment]\napproval = "required"') as told:
        told.hear(placed(0), requested(0, ship_by=20))
        assert risky(told, 17) == []
        told.hear(approved(1))
        assert risky(told, 17) == ["F"]


def test_a_request_replaces_the_implicit_fulfilment(told):
    told.hear(placed(0, ship_by=20))
    assert risky(told, 17) == ["O"]
    told.hear(requested(1, ship_by=30))
    assert (risky(told, 17), risky(told, 27)) == ([], ["F"])
    assert told.query("SELECT fulfillment_id FROM fulfillments") == [("F",)]


@pytest.mark.parametrize(
    ("heard", "state"),
    [
        ((), "open"),
        ((held(1),), "held"),
        ((packed(1, "P", piece()),), "packed"),
        ((scanned(2),), "handed_over"),
        ((cancelled(2),), "cancelled"),
        ((cancelled(2, "1"),), "cancelled"),
    ],
)
def test_a_fulfilment_says_where_it_stands(told, heard, state):
    told.hear(placed(0), requested(0, ship_by=20), *heard)
    assert fulfillment(told)["state"] == state
    assert (fulfillment(told)["completed_at"] is not None) == (state in {"handed_over", "cancelled"})


def test_an_order_first_heard_of_mid_life_is_partial(told):
    told.hear(approved(3))
    assert order(told)["partial"]
    told.hear(placed(0), requested(0, ship_by=20))
    assert not order(told)["partial"]


def test_an_order_shows_its_lines_and_what_its_parcels_hold(told):
    told.hear(placed(0, line("1", "A", 2), line("2", "B")), requested(0, ship_by=20), cancelled(1, "2"))
    told.hear(packed(2, "P", piece("A", 2)), labelled(3, "P"), scanned(4, "P"))
    shown = order(told)
    assert [(one["sku"], one["cancelled"]) for one in shown["lines"]] == [("A", False), ("B", True)]
    (parcel,) = shown["parcels"]
    assert parcel["contents"] == [{"sku": "A", "quantity": 2, "line_id": None}]
    assert all(parcel[step] for step in ("packed_at", "labelled_at", "possessed_at"))


def test_an_order_that_staff_promised_something_about_is_open_again(told):
    told.hear(placed(0), requested(0, ship_by=20), scanned(1))
    assert told.query("SELECT open FROM orders") == [(0,)]
    said = fact(AssuranceGiven, 3, what="called_back", until=at(9), incident="i", by="li")
    version = len(list(told.log.stream("order-O")))
    told.log.append([Recorded("order-O", version + 1, said)], Beside())
    told.follow()
    assert told.query("SELECT open FROM orders") == [(1,)]
    rebuilt(told)
