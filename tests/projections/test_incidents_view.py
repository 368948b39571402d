import pytest

from domain.history.enrolment import Partition, go_live
from domain.instant import iso
from projections import incidents, summing
from projections.query import After, Filter
from tests.story import approved, at, cancelled, line, moved, packed, piece, placed, requested, scanned

ANY = Filter()


def shown(told, wanted=ANY, **more):
    with told.store.reading() as rows:
        return incidents.listed(rows, wanted, 100, **more)


def episodes(told, identity):
    with told.store.reading() as rows:
        return incidents.episodes(rows, identity)


def late(told, name, due, of=None, warehouse="W"):
    order = of or f"O{name}"
    told.hear(placed(0, of=order, key=f"p{name}"), requested(0, name, of=order, ship_by=due, warehouse_id=warehouse))


def test_an_incident_says_since_when_and_why(told):
    told.hear(placed(0), approved(0.5), requested(1, ship_by=20), until=30)
    (one,) = shown(told)
    assert one.id == "incident-late_shipment-F"
    assert one.body["state"] == "open"
    assert one.body["due_at"] == iso(at(20))
    assert one.body["order_ids"] == ["O"]
    assert one.body["detail"]["cleared_by"]


def test_every_event_of_the_proof_names_the_record_that_brought_it(told):
    told.hear(placed(0), approved(0.5), requested(1, ship_by=20), until=30)
    (episode,) = episodes(told, "incident-late_shipment-F")
    records = {one["ref"]: (one["topic"], one["partition"], one["offset"]) for one in episode["evidence"]}
    assert records == {
        "/s#order.placed@0": ("orders.events.v1", 0, 0),
        "/s#order.approved@0.5": ("orders.events.v1", 0, 1),
        "/s#F@1": ("orders.events.v1", 0, 2),
    }


def test_the_scan_that_ended_it_is_named_with_its_record(told):
    told.hear(placed(0), requested(0, ship_by=20), until=30)
    told.hear(scanned(33), until=34)
    (one,) = shown(told)
    assert (one.body["state"], one.body["ended_at"]) == ("ended", iso(at(33)))
    (episode,) = episodes(told, one.id)
    assert episode["ended_by"]["ref"] == "/s#scanned-P@33"
    assert episode["ended_by"]["offset"] == 2


def test_a_late_fact_retracts_it(told):
    told.hear(placed(0), requested(0, ship_by=20), until=30)
    told.hear(scanned(10), until=31)
    assert [one.body["state"] for one in shown(told)] == ["retracted"]


def test_two_episodes_are_one_incident_and_the_open_one_counts(told):
    told.hear(placed(0), requested(0, ship_by=10), until=15)
    told.hear(moved(20, ship_by=40), until=60)
    (one,) = shown(told)
    assert (one.episodes, one.body["state"], one.body["due_at"]) == (2, "open", iso(at(40)))
    assert [each["state"] for each in episodes(told, one.id)] == ["ended", "open"]


def test_an_incident_of_several_parcels_ends_with_the_last_piece(told):
    told.hear(
        placed(0, line("1", "A", 2)),
        requested(0, ship_by=10),
        packed(5, "P1", piece("A", 1)),
        scanned(6, "P1"),
        until=12,
    )
    assert shown(told)[0].body["state"] == "open"
    told.hear(packed(13, "P2", piece("A", 1)), scanned(14, "P2"), until=15)
    assert shown(told)[0].body["ended_at"] == iso(at(14))


def test_what_was_due_before_going_live_is_historic(told):
    go_live(told.log, {Partition("test/orders/0", "orders.events.v1", 0): 0}, "earliest", at(25))
    told.desk.tracker.positions()
    late(told, "1", 20)
    late(told, "2", 30)
    told.come(40)
    assert {one.body["subject"]: one.historic for one in shown(told)} == {"1": True, "2": False}


@pytest.mark.parametrize(
    ("wanted", "subjects"),
    [
        (Filter(), ["4", "3", "2", "1"]),
        (Filter(kind=("late_shipment",)), ["4", "3", "2", "1"]),
        (Filter(kind=("stock_out",)), []),
        (Filter(state=("open",)), ["4", "3", "2"]),
        (Filter(state=("ended", "open")), ["4", "3", "2", "1"]),
        (Filter(warehouse=("E",)), ["3"]),
        (Filter(warehouse=("E", "W")), ["4", "3", "2", "1"]),
        (Filter(severity=("critical",)), []),
        (Filter(carrier=("SF",)), []),
        (Filter(order="O2"), ["2"]),
        (Filter(since=at(20), until=at(40)), ["3", "2"]),
    ],
)
def test_incidents_are_listed_by_what_is_asked_for(told, wanted, subjects):
    for name, due, warehouse in (("1", 10, "W"), ("2", 20, "W"), ("3", 30, "E"), ("4", 40, "W")):
        late(told, name, due, warehouse=warehouse)
    told.hear(cancelled(12, of="O1"), until=50)
    assert [one.body["subject"] for one in shown(told, wanted)] == subjects


def test_a_list_goes_on_where_it_stopped_in_both_directions(told):
    for name in range(9):
        late(told, str(name), 10 + name // 3)  # several due at one instant
    told.come(50)
    for newest_first in (True, False):
        whole = shown(told, newest_first=newest_first)
        with told.store.reading() as rows:
            paged, after = [], None
            while page := incidents.listed(rows, Filter(), 2, after=after, newest_first=newest_first):
                paged += page
                after = After(page[-1].due_at, page[-1].id)
        assert paged == whole
        assert len(whole) == 9


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter(state=("open",)),
        Filter(state=("open", "ended")),
        Filter(kind=("late_shipment",)),
        Filter(kind=("late_shipment",), state=("open",), warehouse=("W",)),
        Filter(warehouse=("W",)),
        Filter(carrier=("SF",)),
        Filter(since=at(0)),
    ],
)
@pytest.mark.only_on("sqlite")
def test_no_list_is_sorted_or_scanned_without_an_index(told, wanted):
    where = " AND ".join(text for text, _ in wanted.conditions()) or "1"
    values = [value for _, values in wanted.conditions() for value in values]
    plan = told.plan(f"SELECT * FROM incidents WHERE {where} ORDER BY due_at DESC, id DESC LIMIT 50", *values)
    assert "TEMP B-TREE" not in plan
    assert "USING INDEX" in plan


@pytest.mark.only_on("sqlite")
def test_what_is_shown_beside_an_incident_is_found_by_its_own_subject(told):
    plan = told.plan(f"{incidents._LISTED} WHERE id = ?", "any")
    assert "SEARCH late USING INDEX incidents_of_stream" in plan
    assert "SEARCH muted USING COVERING INDEX incidents_muted" in plan


def test_incidents_are_counted_as_they_come_and_end(told):
    late(told, "1", 20)
    late(told, "2", 20)
    told.come(30)
    with told.store.reading() as rows:
        assert summing.counts(rows) == [("late_shipment", "open", 2)]
    told.hear(scanned(31, "P1", fulfillment_ids=("1",)), scanned(19, "P2", fulfillment_ids=("2",)), until=32)
    with told.store.reading() as rows:
        assert summing.counts(rows) == [("late_shipment", "ended", 1), ("late_shipment", "retracted", 1)]


def test_ids_of_awkward_subjects_stay_apart(told):
    late(told, "a-b/c d", 10, of="O/1")
    late(told, "a%2Db", 10, of="O/2")
    told.come(20)
    assert {one.id for one in shown(told)} == {
        "incident-late_shipment-a-b%2Fc%20d",
        "incident-late_shipment-a%252Db",
    }
