from domain.errors import Unreadable
from domain.history.batch import Foreign
from domain.instant import iso
from domain.parcels.events import ParcelScanned
from projections import feeds, history, parcels
from projections.recorded import Until
from tests.story import at, fact, heartbeat, labelled, moved, packed, piece, placed, requested, scanned, voided


def summary(told, name="P"):
    with told.store.reading() as rows:
        return parcels.several(rows, [name])[name]


def test_a_parcel_says_where_it_was_last_seen(told):
    told.hear(
        placed(0),
        requested(0, ship_by=20),
        packed(1, "P", piece()),
        labelled(2),
        scanned(3),
        scanned(5, status="in_transit"),
    )
    shown = summary(told)
    assert (shown["status"], shown["status_at"], shown["scans"]) == ("in_transit", iso(at(5)), 2)
    assert (shown["carrier"], shown["tracking_number"], shown["possessed_at"]) == ("SF", "N", iso(at(3)))


def test_an_older_scan_that_comes_late_does_not_undo_a_delivery(told):
    told.hear(scanned(9, status="delivered"))
    told.hear(scanned(8, status="out_for_delivery"), scanned(10, status="in_transit"))
    assert summary(told)["status"] == "delivered"


def test_a_void_is_shown(told):
    told.hear(labelled(1), voided(2))
    assert summary(told)["voided_at"] == iso(at(2))


def test_an_order_is_found_by_parcel_and_by_tracking_number(told):
    told.hear(packed(1, "P", piece()), labelled(2, number="T1"))
    with told.store.reading() as rows:
        assert parcels.orders_of(rows, "P") == ["O"]
        assert parcels.orders_of(rows, "T1") == ["O"]
        assert parcels.orders_of(rows, "?") == []


def test_feeds_count_what_each_source_brought(told):
    told.hear(
        placed(0), requested(0, ship_by=20), placed(0), heartbeat(7, "/w"), Foreign("crm.ping", "/crm", at(3), "1")
    )
    told.hear(Unreadable("not_json", "?"), heartbeat(6, "/w"), moved(30, ship_by=29))
    with told.store.reading() as rows:
        sources = {one["source"]: (one["last_at"], one["events"]) for one in feeds.sources(rows)}
        assert sources == {"/s": (at(30), 4), "/w": (at(7), 2), "/crm": (at(3), 1)}
        (partition,) = feeds.partitions(rows)
        assert [partition[name] for name in ("records", "repeated", "skipped", "next")] == [8, 1, 1, 8]
        assert feeds.counted(rows, "quarantined") == [("not_json", "", 1)]
        assert feeds.counted(rows, "foreign") == [("crm.ping", "", 1)]
        assert feeds.counted(rows, "flag") == [("ship_by_in_the_past", "/s", 1)]


def test_history_tells_every_fact_in_the_order_of_the_world_with_its_record(told):
    told.hear(scanned(9, "P"), placed(0), requested(1, ship_by=5), packed(3, "P", piece()), until=8)
    told.come(12)
    told_of = [one.entry for one in sorted(happenings(told.log, "O"))]
    assert [one["type"] for one in told_of] == [
        "order.placed.v1",
        "fulfillment.requested.v1",
        "parcel.packed.v1",
        "finding.opened.v1",
        "parcel.scanned.v1",
    ]
    assert (told_of[0]["topic"], told_of[0]["partition"], told_of[0]["offset"]) == ("orders.events.v1", 0, 1)
    assert told_of[1]["about"]["ship_by"] == iso(at(5))


def happenings(log, order):
    return history.timeline(log.store, order, Until(log.store.last_position()))


def test_history_leaves_out_a_scan_that_moved_to_another_parcel(told):
    told.hear(packed(-1, "P1", piece(), key="k1"), labelled(0, "P1", "N"))
    told.hear(fact(ParcelScanned, 10, key="by number", carrier="SF", tracking_number="N", status="picked_up"))
    told.hear(packed(4, "P2", piece(), key="k2"), labelled(5, "P2", "N"))
    known = [(one.world.id, one.entry["type"]) for one in happenings(told.log, "O")]
    assert [kind for _, kind in known] == [
        "parcel.packed.v1",
        "parcel.labelled.v1",
        "parcel.packed.v1",
        "parcel.labelled.v1",
        "parcel.scanned.v1",
    ]
