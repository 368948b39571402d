"""What leaves, whatever fails on the way: nothing is missing, repeats are the same, the last word is the last."""

import random
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.outbound import outlet, outlets
from api.outbound.deliverer import NotDelivered, _Hand
from domain.delivered import Mark
from domain.incident_commands import Acknowledge, Assign
from projections import VIEWS, feed, incidents, rebuild, states
from projections.follower import Follower
from tests.outbound.paper import Crash, Delivery, Topics, attributes, data, failures, identity, last, once
from tests.projections.choking import Choking
from tests.projections.staffed import do
from tests.projections.stage import stage
from tests.projections.told import tell_season
from tests.stores.engine import beside, views_at
from tests.story import LATER, placed, requested, scanned

NAMES = count()
"""Topics that no other example has told anything."""


@pytest.fixture(scope="module")
def season(tmp_path_factory):
    with stage(tmp_path_factory.mktemp("season")) as made:
        tell_season(made.log, datetime(2026, 3, 1, tzinfo=UTC), days=2)
        made.follow()
        [first, second] = [row[0] for row in made.query("SELECT id FROM incidents ORDER BY id LIMIT 2")]
        do(made, first, Acknowledge(by="mei", until=LATER), 9000)
        do(made, second, Assign(by="mei", person="jun"), 9001)
        made.true = truth(made)
        yield made


@pytest.fixture
def topics():
    made = Topics()
    made.identity = f"topics-{next(NAMES)}"
    return made


@pytest.fixture
def small_pages(monkeypatch):
    monkeypatch.setattr(outlet, "LIMIT", 3)


def late(told, *names):
    for name in names:
        told.desk.take(placed(0, of=f"O{name}", key=f"p{name}"), requested(0, f"F{name}", of=f"O{name}", ship_by=20))
    told.desk.tick(30)
    told.follow()


def got(told, name):
    told.hear(scanned(31, f"P{name}", fulfillment_ids=(f"F{name}",)), until=34)


class Truth(NamedTuple):
    """What readers of the feed and of each incident's page see."""

    changes: list[dict[str, Any]]
    pages: dict[str, dict[str, Any]]


def truth(told):
    client, found, after, more = TestClient(create_app(told.store, told.log.store, clock=lambda: LATER)), [], "first", 1
    while more:
        page = client.get("/v1/feed", params={"after": after, "limit": 500}).json()
        found += page["changes"]
        after, more = page["next"], page["more"]
    names = {one["incident"]["id"] for one in found}
    return Truth(found, {one: client.get(f"/v1/incidents/{_in_path(one)}").json()["incident"] for one in names})


def _in_path(identity):
    """Quote an identity; this client undoes one layer of its own, as no other does."""
    return quote(quote(identity, safe=""), safe="")


def check(topics, true):
    """Hold what subscribers rely on."""
    kept = topics.of("changes")
    assert sorted(map(data, once(kept)), key=str) == sorted(true.changes, key=str)
    bodies = {}
    for one in topics.written:
        assert bodies.setdefault(identity(one), one) == one, "an id came with another content"
    for key in {one.key for one in kept}:
        order = [one["id"] for one in true.changes if one["incident"]["id"].encode() == key]
        told_of_it = [data(one)["id"] for one in kept if one.key == key]
        assert list(dict.fromkeys(told_of_it)) == order, "first seen in another order"
        assert told_of_it[-1] == order[-1], "the last word is an old one"
    assert {key.decode(): data(one) for key, one in last(topics.of("states")).items()} == {
        name: {member: value for member, value in page.items() if member in outlets.STATE}
        for name, page in true.pages.items()
    }


def test_every_change_leaves_once_with_its_key_and_its_attributes(season, topics):
    Delivery(season, topics).run()
    check(topics, season.true)
    wanted, found = season.true.changes, topics.of("changes")
    assert [data(one) for one in found] == wanted
    for one, change in zip(found, wanted, strict=True):
        told = attributes(one)
        assert one.key.decode() == told["subject"] == change["incident"]["id"]
        assert told["type"] == f"incident.{change['change']}.v1"
        assert told["time"] == change["known_up_to"]
        assert told["specversion"] == "1.0"
        assert dict(one.headers)["content-type"] == b"application/json"
    assert {change["change"] for change in wanted} >= {"opened", "ended"}
    assert {attributes(one)["source"] for one in topics.written} == {f"/order-incidents/{season.log.store.epoch()}"}
    sequence = [attributes(one)["sequence"] for one in found]
    assert sequence == sorted(set(sequence))


def test_a_state_says_what_the_incident_s_page_says_and_follows_staff(told, topics):
    late(told, "1", "2")
    delivery = Delivery(told, topics)
    delivery.run()
    check(topics, truth(told))
    assert len(topics.of("states")) == 2
    incident = "incident-late_shipment-F1"
    do(told, incident, Acknowledge(by="mei", until=LATER), 40)
    delivery.run()
    check(topics, truth(told))
    assert [data(one)["staff"]["acknowledged_by"] for one in topics.of("states")] == [None, None, "mei"]
    assert len(topics.of("changes")) == 2, "what staff do is no change of the finding"
    got(told, "1")
    delivery.run()
    check(topics, truth(told))
    assert data(topics.of("states")[-1])["state"] == "ended"


@pytest.mark.only_on("sqlite")
def test_every_member_of_a_state_is_one_of_the_page_and_the_page_has_no_other_that_stays(told, topics):
    late(told, "1")
    Delivery(told, topics).run()
    page = truth(told).pages["incident-late_shipment-F1"]
    assert set(data(topics.of("states")[0])) == outlets.STATE
    assert page.keys() - outlets.STATE == {
        "muted_by", "muted_as", "mending", "flapping", "members", "liability", "stale", "changed", "evidence"
    }  # fmt: skip


@pytest.mark.only_on("sqlite")
def test_there_is_nothing_to_repeat_after_a_good_end(season, topics):
    Delivery(season, topics).run()
    before = len(topics.written)
    Delivery(season, topics).run()
    assert len(topics.written) == before


def test_views_that_were_made_anew_repeat_nothing(told, topics):
    late(told, "1", "2")
    Delivery(told, topics).run()
    before = len(topics.written)
    fresh = views_at(told.folder / "fresh.db")
    follower = Follower(fresh, told.log.store, batch=2)
    follower.step()
    Delivery(told, topics, store=fresh).run()
    follower.catch_up()
    Delivery(told, topics, store=fresh).run()
    assert len(topics.written) == before
    fresh.close()


@pytest.mark.only_on("sqlite")
def test_topics_that_were_made_anew_are_told_everything(told, topics):
    late(told, "1", "2")
    Delivery(told, topics).run()
    before = list(topics.written)
    topics.identity += "-anew"
    Delivery(told, topics).run()
    assert topics.written == before + before


def test_another_life_of_the_log_is_told_from_its_first_change_under_other_ids(told, topics):
    late(told, "1", "2")
    Delivery(told, topics).run()
    before = len(topics.written)
    with beside(told.folder / "log.db") as other:
        other.execute("UPDATE meta SET value = 'restored' WHERE name = 'epoch'")
    Delivery(told, topics).run()
    assert len(topics.written) == before, "the views are those of the former life"
    Follower(told.store, told.log.store).catch_up()
    Delivery(told, topics).run()
    ids = [identity(one) for one in topics.written]
    assert len(set(ids)) == len(ids) == 2 * before
    assert {attributes(one)["source"] for one in topics.written[before:]} == {"/order-incidents/restored"}


@pytest.mark.only_on("sqlite")
@settings(max_examples=40)
@given(ends=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(failures())), max_size=12), limit=st.integers(1, 40))
def test_whatever_fails_and_whenever_nothing_is_missing_and_the_last_word_is_the_last(season, ends, limit):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outlet, "LIMIT", limit)
        topics = Topics()
        topics.identity = f"topics-{next(NAMES)}"
        topics.ends = [*ends]
        while Delivery(season, topics).run_and_crash():
            pass
        assert topics.ends == []
        check(topics, season.true)


@pytest.mark.only_on("sqlite")
@pytest.mark.usefixtures("small_pages")
def test_a_crash_between_the_acknowledgement_and_the_mark_repeats_one_page(season, topics):
    delivery = Delivery(season, topics)
    topics.ends = [(1.0, None), (1.0, None), (1.0, Crash())]
    assert delivery.run_and_crash()
    Delivery(season, topics).run()
    check(topics, season.true)
    repeated = len(topics.of("changes")) - len(once(topics.of("changes")))
    assert 0 < repeated <= outlet.LIMIT


@pytest.mark.only_on("sqlite")
def test_a_page_is_cut_where_it_weighs_enough(season, topics, monkeypatch):
    monkeypatch.setattr(outlet, "BYTES", 5000)
    sizes = []
    pages = Delivery(season, topics)
    for one in pages.outlets()[:2]:
        mark = None
        while (page := one.read(mark)).records:
            sizes.append((sum(each.size for each in page.records), len(page.records)))
            mark = page.mark
    assert len(sizes) > 10
    assert all(size <= 5000 or count == 1 for size, count in sizes)
    pages.run()
    check(topics, season.true)


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("view", [feed.VIEW, incidents.VIEW], ids=["feed", "incidents"])
def test_what_was_put_in_behind_the_mark_leaves_in_order_with_all_that_came_after_it(told, topics, view):
    choking = Choking(view, "order-O2")
    among = [choking if one is view else one for one in VIEWS]
    told.follower = Follower(told.store, told.log.store, among)
    late(told, "1", "2", "3")
    Delivery(told, topics).run()
    told.hear(scanned(31, "P2", fulfillment_ids=("F2",)), scanned(31, "P3", fulfillment_ids=("F3",)), until=34)
    Delivery(told, topics).run()
    before = len(topics.written)
    Delivery(told, topics).run()
    assert len(topics.written) == before, "while it waits, nothing is repeated"
    assert b"incident-late_shipment-F2" not in last(topics.of("changes" if view is feed.VIEW else "states"))

    choking.mended = True
    Follower(told.store, told.log.store, among).catch_up()
    Delivery(told, topics).run()
    _check_healed(told, topics)
    before = len(topics.written)
    Delivery(told, topics).run()
    assert len(topics.written) == before, "it was told once more, and not for ever"


@pytest.mark.only_on("sqlite")
def test_what_a_rebuild_put_in_behind_the_mark_leaves_as_well(told, topics):
    choking = Choking(feed.VIEW, "order-O1")
    told.follower = Follower(told.store, told.log.store, [choking if one is feed.VIEW else one for one in VIEWS])
    late(told, "1", "2")
    Delivery(told, topics).run()
    assert [data(one)["incident"]["subject"] for one in topics.of("changes")] == ["F2"]
    rebuild.rebuild(told.store, told.log.store, ["feed"])
    Delivery(told, topics).run()
    _check_healed(told, topics)


@pytest.mark.only_on("sqlite")
def test_what_waited_and_went_on_before_anybody_delivered_is_no_reason_to_repeat(told, topics):
    late(told, "1")
    Delivery(told, topics).run()
    choking = Choking(feed.VIEW, "order-O2")
    among = [choking if one is feed.VIEW else one for one in VIEWS]
    told.follower = Follower(told.store, told.log.store, among)
    late(told, "2", "3")
    choking.mended = True
    Follower(told.store, told.log.store, among).catch_up()
    Delivery(told, topics).run()
    _check_healed(told, topics)
    ids = [identity(one) for one in topics.written]
    assert len(ids) == len(set(ids))


def _check_healed(told, topics):
    """A change that left before the revision names its place in the feed by a token of that time."""
    true = truth(told)
    wanted = [(one["incident"]["id"], one["change"]) for one in true.changes]
    kept = [(data(one)["incident"]["id"], data(one)["change"]) for one in topics.of("changes")]
    assert set(kept) == set(wanted)
    for name, page in true.pages.items():
        mine = [change for incident, change in wanted if incident == name]
        assert [change for incident, change in kept if incident == name][-len(mine) :] == mine
        assert data(last(topics.of("states"))[name.encode()])["state"] == page["state"]


@pytest.mark.only_on("sqlite")
@pytest.mark.usefixtures("small_pages")
def test_one_that_was_stopped_and_tells_old_things_late_is_followed_by_all_that_came_after(told, topics):
    """The one that is stopped has a page in hand; the next one tells everything meanwhile."""
    late(told, "1", "2", "3", "4")
    stopped, active = Delivery(told, topics), Delivery(told, topics)

    def stop_here():
        topics.before_send = lambda: None
        for name in "1234":
            got(told, name)
        active.run()

    topics.before_send = stop_here
    stopped.run()
    active.run()
    check(topics, truth(told))
    kept = [data(one)["change"] for one in topics.of("changes") if one.key == b"incident-late_shipment-F1"]
    assert kept == ["opened", "ended", "opened", "opened", "ended"]


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.usefixtures("small_pages")
def test_two_at_once_end_in_the_last_word(season, topics, seed):
    dice = random.Random(seed)
    deliveries = [Delivery(season, topics) for _ in range(2)]
    hands = [[_hand(one, each, topics) for each in one.outlets()[:2]] for one in deliveries]
    stop = _Never()
    quiet = 0
    while quiet < 8:
        moved = [one.pass_on(stop, alone=False) for one in dice.choice(hands)]
        quiet = 0 if any(moved) else quiet + 1
    for one in deliveries:
        one.run()
    check(topics, season.true)


@pytest.mark.only_on("sqlite")
def test_what_was_touched_is_found_by_position_without_reading_all_of_it(told):
    asked = []

    class Rows:
        def execute(self, statement, values):
            asked.append((statement, values))
            return []

    states.touched(Rows(), 1, 2, 3)
    [(statement, values)] = asked
    plan = told.plan(statement, *values)
    assert "SEARCH feed USING INTEGER PRIMARY KEY" in plan
    assert "SEARCH workflow USING COVERING INDEX workflow_position" in plan
    assert "SCAN feed" not in plan
    assert "SCAN workflow" not in plan


def test_marks_move_from_where_they_stand_only(told):
    marks = told.log.recorder
    assert marks.delivered("c/t") is None
    assert marks.move("c/t", None, Mark("e", 5, 1, 3))
    assert not marks.move("c/t", None, Mark("e", 9))
    assert marks.delivered("c/t") == Mark("e", 5, 1, 3)
    assert not marks.move("c/t", Mark("e", 4), Mark("e", 9))
    assert not marks.move("c/t", Mark("other", 5), Mark("e", 9))
    assert marks.move("c/t", Mark("e", 5), Mark("e", 9))
    marks.move_back("c/t", Mark("e", 20))
    marks.move_back("c/t", Mark("other", 1))
    assert marks.delivered("c/t") == Mark("e", 9)
    marks.move_back("c/t", Mark("e", 2))
    assert marks.delivered("c/t") == Mark("e", 2)
    assert marks.delivered("c/u") is None


class _Never:
    def is_set(self):
        return False


def _hand(delivery, each, topics):
    return _Hand(each, topics.connect(), delivery.marks, delivery.watch)


@pytest.mark.only_on("sqlite")
def test_a_record_that_a_topic_does_not_take_holds_up_what_is_behind_it_there_and_nothing_else(
    told, topics, monkeypatch
):
    late(told, *map(str, range(6)))
    monkeypatch.setattr("api.outbound.deliverer.FIRST_PAUSE", 0)
    monkeypatch.setattr("api.outbound.deliverer.LONGEST_PAUSE", 0)
    delivery = Delivery(told, topics)
    send = topics.send

    def refusing(records, stop):
        if len(delivery.watch.waited) < 12 and any(
            (one.topic, one.key) == ("changes", b"incident-late_shipment-F3") for one in records
        ):
            raise NotDelivered("a record is larger than the topic allows")
        send(records, stop)

    topics.send = refusing
    delivery.run()
    assert len(delivery.watch.waited) == 12
    told_of = [data(one)["incident"]["subject"] for one in topics.of("changes")]
    assert told_of == [f"F{n}" for n in range(6)], "nothing beside it was repeated"
    assert [one.topic for one in topics.written[:6]] == ["states"] * 6
    check(topics, truth(told))
