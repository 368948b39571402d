"""The rates by which platforms rate merchants: counted by hour, exact at the ends of their windows."""

from contextlib import ExitStack

import pytest

from domain.instant import HOUR, iso
from domain.orders.order import FulfillmentRequested
from projections import rates, rebuild
from projections.rates import Share
from tests.api.staffed import Desked
from tests.projections.stage import stage
from tests.story import approved, at, cancelled, held, labelled, line, moved, placed, requested, scanned, voided

RATES = "[rates]\nlate_shipment = 0.5\nvalid_tracking = 0.5\n"


@pytest.fixture
def told_with(tmp_path):
    with ExitStack() as opened:
        yield lambda policy: opened.enter_context(stage(tmp_path, policy))


def asked(of: str, ship_by: float, seller: str | None = "S1", **more) -> FulfillmentRequested:
    """Ask for the goods of an order."""
    return requested(0, f"F{of}", of, key=f"f{of}", ship_by=ship_by, seller_id=seller, **more)


def order(of: str, ship_by: float, *handed_over: float, **more):
    """Tell of an order, and of its hand-over."""
    said = [placed(0, of=of, key=f"p{of}"), asked(of, ship_by, **more)]
    return [*said, *(scanned(when, f"P{of}", fulfillment_ids=(f"F{of}",)) for when in handed_over)]


def count(told, what: str, since: float, until: float) -> list[Share]:
    with told.store.reading() as rows:
        return rates.shares(rows, what, at(since), at(until))


def alone(told, what: str = "shipment", since: float = 0, until: float = 100) -> tuple[int, int]:
    """Say (counted, hits) of all."""
    return next(((one.counted, one.hits) for one in count(told, what, since, until) if one.by == "all"), (0, 0))


def test_what_was_due_counts_and_what_was_not_handed_over_by_then_was_late(told):
    told.hear(*order("1", 20, 19), *order("2", 20, 21), *order("3", 20), until=30)
    assert alone(told) == (3, 2)


def test_it_counts_when_it_was_due_and_the_end_of_the_window_is_not_in_it(told):
    told.hear(*order("1", 20, 25), until=30)
    assert [alone(told, since=20, until=21), alone(told, since=19, until=20)] == [(1, 1), (0, 0)]
    tick = 1 / HOUR
    assert [alone(told, since=20 + tick, until=99), alone(told, since=19.5, until=20 + tick)] == [(0, 0), (1, 1)]


def test_the_hours_that_a_window_cuts_are_counted_exactly(told):
    several = [order(str(n), 10 + n / 4, 9) for n in range(24)]
    told.hear(*(one for some in several for one in some), until=40)
    for since, until in [(0, 99), (10.25, 15.5), (10.3, 10.4), (10.25, 10.5), (11, 13), (10.6, 12.1), (15.75, 15.75)]:
        expected = sum(since <= 10 + n / 4 < until for n in range(24))
        assert alone(told, since=since, until=until) == (expected, 0)


def test_a_date_that_moved_moves_the_count_with_it(told):
    told.hear(*order("1", 20), moved(5, 50, order_id="1"), until=30)
    assert [alone(told, until=30), alone(told, since=50)] == [(0, 0), (1, 0)]
    told.hear(scanned(60, "P1", fulfillment_ids=("F1",)), until=61)
    assert alone(told, since=50) == (1, 1)


def test_what_was_cancelled_in_time_or_is_held_or_not_approved_was_not_due(told_with):
    told = told_with('[late_shipment]\napproval = "required"\n')
    told.hear(*order("1", 20), approved(1, "1"), cancelled(10, of="1"), until=30)
    told.hear(*order("2", 20), approved(1, "2"), held(10, order_id="2", key="h"), until=30)
    told.hear(*order("3", 20), until=30)
    assert alone(told) == (0, 0)
    told.hear(approved(5, "3"), until=31)
    assert alone(told) == (1, 1)


def test_what_staff_called_wrong_was_not_late(told):
    shop = Desked(told)
    told.hear(*order("1", 20), until=30)
    assert alone(told) == (1, 1)
    shop.post("/v1/incidents/incident-late_shipment-F1/dismiss", {"why": "handed over by hand"})
    told.come(41)
    assert alone(told) == (1, 0)


def test_sellers_and_warehouses_are_counted_apart(told):
    two = placed(0, line("1", seller_id="S2"), line("2", seller_id="S3"), of="4", key="p4")
    told.hear(
        *order("1", 20, 19), *order("2", 20, seller="S2"), *order("3", 20, seller="S2", warehouse_id="V"), until=30
    )
    told.hear(two, asked("4", 20, None), requested(0, "G4", "4", key="g", ship_by=20, lines=(("1", 1),)), until=30)
    assert count(told, "shipment", 0, 99) == [
        Share("all", "", 5, 4),
        Share("seller", "", 1, 1),
        Share("seller", "S1", 1, 0),
        Share("seller", "S2", 3, 3),
        Share("warehouse", "V", 1, 1),
        Share("warehouse", "W", 4, 3),
    ]


def test_a_parcel_is_tracked_once_a_carrier_has_scanned_it(told):
    told.hear(*order("1", 20), labelled(5, "P1", fulfillment_ids=("F1",)), until=6)
    told.hear(scanned(6, "P1", "label_created", fulfillment_ids=("F1",)), until=7)
    assert (alone(told, "parcel"), alone(told, "parcel", 5.1)) == ((1, 0), (0, 0))
    told.hear(scanned(9, "P1", fulfillment_ids=("F1",)), until=10)
    assert count(told, "parcel", 0, 99) == [
        Share("all", "", 1, 1),
        Share("seller", "S1", 1, 1),
        Share("warehouse", "W", 1, 1),
    ]


def test_a_label_that_was_voided_before_any_scan_counts_for_nothing(told):
    told.hear(*order("1", 20), labelled(5, "P1", fulfillment_ids=("F1",)), until=6)
    told.hear(voided(7, "P1"), until=8)
    assert alone(told, "parcel") == (0, 0)
    assert told.query("SELECT COUNT(*) FROM rated_hours WHERE what = 'parcel'") == [(0,)]


def test_what_is_rebuilt_is_the_same(told):
    told.hear(*order("1", 20, 19), *order("2", 20, 21), *order("3", 20), until=15)
    told.come(30)
    told.hear(labelled(5, "P3", fulfillment_ids=("F3",)), moved(6, 70, order_id="2"), until=31)
    told.hear(cancelled(40, of="3"), until=45)
    found = rebuild.verify(told.store, told.log.store, ("rates",))
    assert (found.differences, found.rows > 3) == ([], True)


@pytest.mark.only_on("sqlite")
def test_a_window_is_answered_from_an_index(told):
    for what, plan in [
        ("hour", "SELECT 1 FROM rated_hours WHERE what = 'shipment' AND hour >= 1 AND hour < 9"),
        ("at", "SELECT seller, warehouse, 1, hit FROM rated WHERE what = 'shipment' AND at >= 1 AND at < 9"),
    ]:
        assert f"SEARCH rated{'_hours' if what == 'hour' else ''} USING" in told.plan(plan)


# Over HTTP


def test_the_summary_shows_each_rate_against_its_limit_which_is_broken_when_it_is_reached(told_with):
    shop = Desked(told_with(RATES))
    shop.told.hear(*order("1", 20, 19), *order("2", 20), labelled(5, "P1", fulfillment_ids=("F1",)), until=30)
    found = shop.read("/v1/metrics/summary")
    assert found["more_rates"] == 0
    assert found["rates"][0] == {
        "rate": "late_shipment",
        "by": "all",
        "name": "",
        "since": iso(at(40 - 30 * 24)),
        "counted": 2,
        "hits": 1,
        "share": 0.5,
        "limit": 0.5,
        "broken": True,
    }
    tracked = found["rates"][1]
    assert (tracked["rate"], tracked["counted"], tracked["share"], tracked["broken"]) == ("valid_tracking", 1, 1, False)
    assert {(one["rate"], one["by"], one["name"], one["broken"]) for one in found["rates"][2:]} == {
        ("late_shipment", "seller", "S1", True),
        ("late_shipment", "warehouse", "W", True),
        ("valid_tracking", "seller", "S1", False),
        ("valid_tracking", "warehouse", "W", False),
    }


def test_without_a_limit_nothing_is_broken_and_with_nothing_due_there_is_no_rate(told):
    shop = Desked(told)
    assert shop.read("/v1/metrics/summary")["rates"] == []
    shop.told.hear(*order("1", 20), until=30)
    found = shop.read("/v1/metrics/summary")["rates"]
    assert {(one["limit"], one["broken"], one["share"]) for one in found} == {(None, False, 1.0)}


def test_only_the_window_up_to_the_end_of_the_span_counts(told_with):
    shop = Desked(told_with(RATES + 'late_shipment_window = "5h"\n'))
    shop.told.hear(*order("1", 20), *order("2", 33, 32), *order("3", 36, 35), until=40)
    first = shop.read("/v1/metrics/summary")["rates"][0]
    assert (first["counted"], first["since"]) == (1, iso(at(35)))
    earlier = shop.read("/v1/metrics/summary", until=iso(at(34)))["rates"][0]
    assert (earlier["counted"], earlier["hits"]) == (1, 0)
