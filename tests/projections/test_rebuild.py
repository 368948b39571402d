import threading
from datetime import UTC, datetime

import pytest

from projections import VIEWS, checkpoints, rebuild
from projections.follower import Follower
from tests.projections.stage import stage
from tests.projections.told import tell_season
from tests.stores.engine import views_at
from tests.story import placed, requested


@pytest.fixture(scope="module")
def season(tmp_path_factory, engine):  # noqa: ARG001  # made anew on each store
    folder = tmp_path_factory.mktemp("season")
    with stage(folder) as told:
        told.desk.tracker = tell_season(told.log, datetime(2026, 3, 1, tzinfo=UTC), days=1)
        told.follow()
        yield told


def late(told, name):
    told.hear(placed(0, of=f"O{name}", key=f"p{name}"), requested(0, f"F{name}", of=f"O{name}", ship_by=20), until=30)


def test_what_was_followed_equals_what_is_rebuilt(season):
    found = rebuild.verify(season.store, season.log.store)
    assert found.differences == []
    assert found.rows > 100
    assert found.position == season.log.store.last_position()


def test_the_last_word_on_an_incident_that_several_orders_tell_of_does_not_depend_on_batches(told):
    """Two orders ask for one fulfilment; the one that is heard of first is the last to be late."""
    for of, ship_by in (("O1", 20), ("O2", 10)):
        told.hear(placed(0, of=of, key=f"p{of}"), requested(0, of=of, ship_by=ship_by, key=f"r{of}"))
    for until in (11, 21):
        told.hear(until=until)
    assert rebuild.verify(told.store, told.log.store).differences == []


def test_the_counts_of_incidents_are_those_of_the_rows(season):
    counted = season.query("SELECT kind, state, COUNT(*) FROM incidents GROUP BY kind, state ORDER BY kind, state")
    assert season.query("SELECT * FROM incident_counts ORDER BY kind, state") == counted
    assert len(counted) > 3


@pytest.mark.parametrize("names", [(), ("feed",), ("orders", "incidents")])
def test_a_rebuild_leaves_everything_as_it_was(season, names):
    before, stands = season.tables(), season.query("SELECT * FROM checkpoints ORDER BY view")
    told = []
    done = rebuild.rebuild(season.store, season.log.store, names, tell=told.append)
    assert set(done.views) == set(names or [view.name for view in VIEWS])
    assert season.tables() == before
    assert season.query("SELECT * FROM checkpoints ORDER BY view") == stands
    assert told[0].position == 0
    assert told[-1].seconds_left is not None
    assert list(season.folder.glob("views.db.*")) == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE incidents SET severity = 'low' WHERE id = (SELECT MIN(id) FROM incidents)",
        "DELETE FROM feed WHERE position = (SELECT MAX(position) FROM feed)",
        "INSERT INTO orders SELECT 'nobody', 1, 0, body FROM orders LIMIT 1",
        "UPDATE fulfillments SET warn_at = 5 WHERE fulfillment_id = (SELECT MIN(fulfillment_id) FROM fulfillments)",
        "UPDATE feed_sources SET events = events + 1 WHERE source = (SELECT MIN(source) FROM feed_sources)",
    ],
)
def test_verify_finds_a_row_that_is_not_what_the_log_says_and_a_rebuild_mends_it(season, damage, monkeypatch):
    monkeypatch.setattr(rebuild, "_SLICE", 7)  # rows read at a time: most tables take several turns
    with season.store.writing() as rows:
        rows.execute(damage)
    found = rebuild.verify(season.store, season.log.store)
    assert len(found.differences) == 1
    (one,) = found.differences
    assert one.live != one.rebuilt
    rebuild.rebuild(season.store, season.log.store, [one.view])
    assert rebuild.verify(season.store, season.log.store).differences == []


def test_an_interrupted_rebuild_goes_on_where_it_stopped(season, monkeypatch):
    steps = 0

    class Killed(BaseException):
        pass

    def step(self, up_to=2**62):
        nonlocal steps
        steps += 1
        if steps == 2:
            raise Killed
        return whole(self, up_to)

    whole = Follower.step
    monkeypatch.setattr(rebuild, "_NEAR", 0)
    monkeypatch.setattr(rebuild, "BATCH", 200)
    with monkeypatch.context() as patched:
        patched.setattr(Follower, "step", step)
        with pytest.raises(Killed):
            rebuild.rebuild(season.store, season.log.store)
    told = []
    rebuild.rebuild(season.store, season.log.store, tell=told.append)
    assert 0 < told[0].position < told[0].target
    assert rebuild.verify(season.store, season.log.store).differences == []


def test_the_live_views_serve_while_others_are_built(tmp_path):
    with stage(tmp_path) as told:
        for n in range(30):
            late(told, str(n))
        stop = threading.Event()
        thread = threading.Thread(target=told.follower.run, args=(stop,))
        thread.start()
        counted = []

        def look(_):
            counted.append(told.query("SELECT COUNT(*) FROM incidents")[0][0])
            told.desk.take(placed(0, of=f"L{len(counted)}", key=f"l{len(counted)}"))

        for _ in range(5):
            rebuild.rebuild(told.store, told.log.store, tell=look)
        stop.set()
        thread.join()
        assert set(counted) == {30}
        told.follow()
        assert rebuild.verify(told.store, told.log.store).differences == []


def test_views_that_were_never_begun_can_be_built(tmp_path):
    with stage(tmp_path) as told:
        late(told, "1")
        other = views_at(tmp_path / "other.db")
        rebuild.rebuild(other, told.log.store)
        assert told.tables(other) == told.tables()
        other.close()


def test_a_rebuild_begins_anew_when_the_log_is_another(tmp_path):
    with stage(tmp_path) as told:
        late(told, "1")
        scratch = views_at(tmp_path / "views.db.rebuild-feed")
        with scratch.writing() as rows:
            checkpoints.prepare(rows, [view for view in VIEWS if view.name == "feed"], "another", 999)
            rows.execute("UPDATE checkpoints SET position = 999")
        scratch.close()
        rebuild.rebuild(told.store, told.log.store, ["feed"])
        assert len(told.query("SELECT * FROM feed")) == 1


def test_the_listing_says_what_is_behind(told):
    told.desk.take(placed(0))
    assert {one.behind for one in rebuild.listing(told.store, told.log.store)} == {told.log.store.last_position()}
    told.follow()
    assert {(one.behind, one.parked) for one in rebuild.listing(told.store, told.log.store)} == {(0, 0)}


def test_an_unknown_view_is_refused_by_name(told):
    with pytest.raises(LookupError, match="no view is called history"):
        rebuild.rebuild(told.store, told.log.store, ["history"])
