"""What leaves, whatever fails on the way: nothing is missing, repeats are the same, the last word is the last."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.outbound import outlet, outlets
from api.outbound.deliverer import NotDelivered
from domain.incidents.commands import Acknowledge
from projections.follower import Follower
from tests.draws import draws
from tests.outbound.late import got, late
from tests.outbound.paper import Crash, Delivery, Topics, attributes, data, failures, identity, once
from tests.outbound.truth import check, truth
from tests.projections.staffed import do
from tests.stores.engine import beside, views_at
from tests.story import LATER


def test_every_change_leaves_once_with_its_key_and_its_attributes(season, topics):
    Delivery(season, topics).run()
    check(topics, season.true)
    wanted, found = season.true.changes, topics.of("changes")
    assert [data(one) for one in found] == wanted
    for one, change in zip(found, wanted, strict=True):
        told = attributes(one)
        assert one.key.decode() == told["subject"] == change["incident"]["id"]
        assert told["type"] == f"incident.{change['change']}.v1"
        assert told["time"] == change.get("step", {}).get("at", change["known_up_to"])
        assert told["specversion"] == "1.0"
        assert dict(one.headers)["content-type"] == b"application/json"
    assert {change["change"] for change in wanted} >= {"opened", "ended", "acknowledged", "assigned"}
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
    assert [data(one)["change"] for one in topics.of("changes")] == ["opened", "opened", "acknowledged"]
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
@settings(max_examples=draws(40))
@given(ends=st.lists(st.tuples(st.floats(0, 1), st.sampled_from(failures())), max_size=12), limit=st.integers(1, 40))
def test_whatever_fails_and_whenever_nothing_is_missing_and_the_last_word_is_the_last(season, ends, limit):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outlet, "LIMIT", limit)
        topics = Topics()
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
