"""Parking: what cannot be applied waits with all of its stream, everything else flows, and it is healed afterwards."""

from domain.history.log import Recorded
from domain.orders.order import OrderHeld
from projections import VIEWS, checkpoints, feed, incidents, rebuild
from projections.follower import ATTEMPTS, Follower
from tests.projections.choking import Choking, late, open_subjects
from tests.stores.engine import beside, views_at
from tests.story import held, scanned


def test_a_poison_event_parks_its_stream_and_nothing_else(told):
    choking = Choking(incidents.VIEW, "order-O2")
    among = [choking if view is incidents.VIEW else view for view in VIEWS]
    told.follower = Follower(told.store, told.log.store, among)
    late(told, "1", "2", "3")
    told.follow()
    assert choking.tried == ATTEMPTS
    assert open_subjects(told).keys() == {"F1", "F3"}
    ((view, stream, error),) = told.query("SELECT view, stream, error FROM parked")
    assert (view, stream) == ("incidents", "order-O2")
    assert "a bug" in error
    assert len(told.query("SELECT * FROM feed")) == 3, "another view has nothing to do with it"


def test_what_comes_after_a_parked_event_waits_behind_it_and_is_healed_once_the_bug_is_gone(told):
    late(told, "1", "2")
    told.follow()
    choking = Choking(incidents.VIEW, "order-O2")
    among = [choking if view is incidents.VIEW else view for view in VIEWS]
    told.follower = Follower(told.store, told.log.store, among)
    told.hear(scanned(33, "P2", fulfillment_ids=("F2",)), until=34)
    tried = choking.tried
    told.hear(scanned(31, "P2b", fulfillment_ids=("F2",)), until=35)
    assert choking.tried == tried, "it waits and is not tried"
    assert open_subjects(told) == {"F1": False, "F2": True}, "its row is shown as stale"
    with told.store.reading() as rows:
        before = checkpoints.read(rows)["incidents"].revision

    choking.mended = True
    Follower(told.store, told.log.store, among).catch_up()
    fresh = views_at(told.folder / "fresh.db")
    Follower(fresh, told.log.store).catch_up()
    assert told.query("SELECT * FROM parked") == []
    assert told.tables() == told.tables(fresh)
    with told.store.reading() as rows:
        assert checkpoints.read(rows)["incidents"].revision == before + 1
    fresh.close()


def test_a_parked_feed_changes_its_revision_when_healed_so_that_nobody_misses_what_was_put_in(told):
    choking = Choking(feed.VIEW, "order-O1")
    among = [choking if view is feed.VIEW else view for view in VIEWS]
    told.follower = Follower(told.store, told.log.store, among)
    late(told, "1", "2")
    told.follow()
    assert [row[0] for row in told.query("SELECT incident FROM feed")] == ["incident-late_shipment-F2"]
    choking.mended = True
    Follower(told.store, told.log.store, among).catch_up()
    assert len(told.query("SELECT * FROM feed")) == 2
    assert told.query("SELECT revision FROM checkpoints WHERE view = 'feed'") == [(1,)]


def test_a_rebuild_that_puts_in_what_was_parked_changes_the_revision_as_healing_does(told):
    choking = Choking(feed.VIEW, "order-O1")
    among = [choking if view is feed.VIEW else view for view in VIEWS]
    told.follower = Follower(told.store, told.log.store, among)
    late(told, "1", "2")
    told.follow()
    for _ in range(2):
        rebuild.rebuild(told.store, told.log.store, ["feed"])
        assert len(told.query("SELECT * FROM feed")) == 2
        assert told.query("SELECT revision FROM checkpoints WHERE view = 'feed'") == [(1,)]


def test_an_order_whose_events_cannot_be_folded_is_parked_where_its_state_is_needed(told):
    late(told, "1", "2")
    broken = told.log.mapper.to_stored_event(Recorded("order-O1", 99, held(1)))
    told.desk.take(held(3))  # an order of its own
    with beside(told.folder / "log.db") as other:
        other.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (?,?,?,?)",
            ("order-O1", 99, OrderHeld.TOPIC, broken.state),
        )
    told.follow()
    assert {row[0] for row in told.query("SELECT DISTINCT stream FROM parked")} == {"order-O1"}
    assert {row[0] for row in told.query("SELECT order_id FROM orders")} == {"O2", "O"}
