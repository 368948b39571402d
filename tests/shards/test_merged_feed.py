"""One feed over several logs: order, tokens, filters, and shards that are away, slow, new or not what they were."""

import asyncio
import random
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

import pytest
from fastapi.testclient import TestClient

from api import shards
from api.app import create_app
from api.merged_app import create_merged_app
from api.reading import ProductClock, Reader
from api.shards import Shard
from api.tokens import Mark, Places
from projections import rebuild
from projections.views import ViewsAway
from tests.api.serving import Listener
from tests.projections.stage import stage
from tests.shards.side import merging
from tests.story import LATER, at, placed, requested, scanned


class Moody(Reader):
    """Reads a shard that can go away, or hang."""

    def __init__(self, views, log):
        super().__init__(views, log, ProductClock(lambda: LATER))
        self.away = False
        self.hang = threading.Event()
        self.hang.set()

    @contextmanager
    def snapshot(self):
        if self.away:
            raise ViewsAway("not here")
        self.hang.wait()
        with super().snapshot() as snapshot:
            yield snapshot


class One:
    """A shard of the story: its stage, and how it is read."""

    def __init__(self, name, told):
        self.name, self.told = name, told
        self.reader = Moody(told.store, told.log.store)
        self.shard = Shard(name, lambda: self.reader)

    def late(self, *names, until=30, warehouse="W"):
        for each in names:
            order = f"{self.name}-O{each}"
            self.told.desk.take(
                placed(0, of=order, key=f"p{each}"),
                requested(0, f"{self.name}-F{each}", of=order, ship_by=20, warehouse_id=warehouse),
            )
        self.told.come(until)

    def end(self, *names, until=40):
        for each in names:
            self.told.desk.take(scanned(33, f"P{each}", fulfillment_ids=(f"{self.name}-F{each}",)), until=until)
        self.told.follow()

    def owed(self):
        return [(self.name, *row) for row in self.told.query("SELECT change, incident FROM feed ORDER BY position")]


@contextmanager
def made(folder, name):
    (folder / name).mkdir()
    with stage(folder / name) as told:
        yield One(name, told)


@pytest.fixture
def east(tmp_path):
    with made(tmp_path, "east") as one:
        yield one


@pytest.fixture
def west(tmp_path):
    with made(tmp_path, "west") as one:
        yield one


@pytest.fixture
def south(tmp_path):
    with made(tmp_path, "south") as one:
        yield one


@contextmanager
def shop(*ones):
    """A client in front of shards, once each of them has been tried."""
    app = create_merged_app([one.shard for one in ones], clock=lambda: LATER)
    with TestClient(app, raise_server_exceptions=False) as client:
        until = time.monotonic() + 10
        while any(one["why"] == "not_reached" for one in client.get("/v1/shards").json()["as_of"]["shards"]):
            assert time.monotonic() < until
            time.sleep(0.01)
        yield client


def read(client, **params):
    answer = client.get("/v1/feed", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def whole(client, **params):
    found, after = [], params.pop("after", "first")
    while True:
        page = read(client, after=after, **params)
        found += page["changes"]
        after = page["next"]
        if not page["more"]:
            return found, after


def told(changes, name=None):
    return [(one["shard"], one["change"], one["incident"]["id"]) for one in changes if name in (None, one["shard"])]


def stale(page):
    return {one["name"]: one["why"] for one in page["as_of"]["shards"] if one["stale"]}


def origins(changes):
    return [one["origin"] for one in changes]


def until_stale(listener, expected):
    while True:
        event = listener.until("heartbeat")[-1]
        if {one["name"] for one in event.data["shards"] if one["stale"]} == set(expected):
            return event


def seen(listener):
    return told([one.data for one in listener.seen if one.name == "change"])


# Pages


def test_a_page_holds_the_changes_of_every_shard_in_the_order_of_each(east, west):
    east.late("1", "2", "3")
    west.late("1", "2")
    east.end("2")
    with shop(east, west) as client:
        found, _ = whole(client)
    assert told(found, "east") == east.owed()
    assert told(found, "west") == west.owed()
    known = [one["known_up_to"] for one in found]
    assert known == sorted(known), "and among each other by when they were known"


def test_pages_of_any_size_and_from_any_change_give_the_same(east, west, south):
    for one, count in ((east, 5), (west, 3), (south, 4)):
        one.late(*map(str, range(count)))
        one.end("1", "2")
    with shop(east, west, south) as client:
        everything, _ = whole(client)
        assert len(everything) == 18
        for limit in (1, 2, 5, 100):
            assert origins(whole(client, limit=limit)[0]) == origins(everything)
        for place, one in enumerate(everything):
            assert origins(whole(client, after=one["id"], limit=3)[0]) == origins(everything)[place + 1 :]
            assert read(client, after=one["id"])["changes"] == read(client, after=one["id"])["changes"]


def test_a_change_names_itself_as_in_its_own_feed(east, west):
    east.late("1")
    west.late("1")
    alone = TestClient(create_app(west.told.store, west.told.log.store, clock=lambda: LATER))
    with shop(east, west) as client:
        (own,) = alone.get("/v1/feed").json()["changes"]
        (merged,) = [one for one in read(client)["changes"] if one["shard"] == "west"]
    assert merged == {**own, "id": merged["id"], "shard": "west", "origin": own["id"]}


def test_the_end_is_a_place_to_wait_at(east, west):
    east.late("1")
    with shop(east, west) as client:
        _, end = whole(client)
        assert read(client, after=end)["changes"] == []
        west.late("1")
        east.late("2")
        assert sorted(told(whole(client, after=end)[0])) == [
            ("east", "opened", "incident-late_shipment-east-F2"),
            ("west", "opened", "incident-late_shipment-west-F1"),
        ]


def test_filters_hold_in_every_shard_and_what_nobody_asked_for_is_behind(east, west):
    for one in (east, west):
        for number in range(6):
            one.late(str(number), warehouse="EW"[number % 2])
    with shop(east, west) as client:
        found, end = whole(client, warehouse="W", limit=2)
        assert told(found, "west") == [west.owed()[number] for number in (1, 3, 5)]
        assert len(found) == 6
        assert read(client, after=end)["changes"] == []
        assert told(whole(client, order="west-O4")[0]) == [west.owed()[4]]
        assert whole(client, kind="stock_out")[0] == []


def test_a_shard_that_is_away_is_named_and_its_place_kept(east, west):
    east.late("1")
    west.late("1")
    with shop(east, west) as client:
        first = read(client, limit=1)
        assert stale(first) == {}
        west.reader.away = True
        east.late("2")
        page = read(client, after=first["next"])
        assert stale(page) == {"west": "away"}
        assert {one["shard"] for one in page["changes"]} <= {"east"}
        west.reader.away = False
        west.late("2")
        until = time.monotonic() + 10
        while stale(read(client)) and time.monotonic() < until:
            time.sleep(0.02)
        rest, _ = whole(client, after=page["next"])
    together = told([*first["changes"], *page["changes"], *rest])
    assert [one for one in together if one[0] == "east"] == east.owed()
    assert [one for one in together if one[0] == "west"] == west.owed()


def test_whoever_is_told_to_end_just_as_the_answer_comes_ends(monkeypatch):
    async def asked():
        asking = asyncio.ensure_future(Shard("east", lambda: None).ask(lambda _: 7, 5))
        monkeypatch.setattr(
            shards, "_tell", lambda loop, _, tell: loop.call_soon_threadsafe(lambda: (tell(), asking.cancel()))
        )
        with suppress(asyncio.CancelledError):
            await asking
        return asking.cancelled()

    assert asyncio.run(asked())


def test_a_shard_that_hangs_holds_up_nobody_for_long(east, west, monkeypatch):
    monkeypatch.setattr(Shard.ask, "__defaults__", (0.2,))
    east.late("1")
    west.late("1")
    with shop(east, west) as client:
        west.reader.hang.clear()
        time.sleep(0.5)
        begun = time.monotonic()
        for _ in range(20):
            page = read(client)
        assert time.monotonic() - begun < 3
        assert stale(page) == {"west": "slow"}
        assert told(page["changes"]) == east.owed()
        threads = sum(one.name == "shard west" for one in threading.enumerate())
        west.reader.hang.set()
    assert threads <= 8


def test_where_nothing_can_be_read_that_is_the_answer(east, west):
    east.reader.away = west.reader.away = True
    with shop(east, west) as client:
        answer = client.get("/v1/feed")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store_away")
        assert client.get("/readyz").status_code == 503


def test_a_place_of_another_log_is_gone_and_the_shard_is_named(east, west):
    east.late("1")
    west.late("1")
    with shop(east, west) as client:
        places = Places.read(whole(client)[1])
        west_mark = places.of("west")
        for wrong in (
            west_mark._replace(epoch="0"),
            west_mark._replace(revision=9),
            west_mark._replace(position=west_mark.position + 1000),
        ):
            answer = client.get("/v1/feed", params={"after": str(places.at(wrong))})
            assert (answer.status_code, answer.json()["detail"]) == (410, "shard west")
        for nonsense in ("x", str(places)[:-9], "MS5hYmMuMC4x"):
            assert client.get("/v1/feed", params={"after": nonsense}).status_code == 400


def test_a_shard_that_is_new_is_told_whole_and_one_that_is_gone_keeps_its_place(east, west, south):
    for one in (east, west, south):
        one.late("1")
    with shop(east, west) as client:
        _, end = whole(client)
    with shop(east, south) as client:
        found, moved = whole(client, after=end)
        assert told(found) == south.owed()
    with shop(east, west, south) as client:
        assert whole(client, after=moved)[0] == []


def test_a_rebuild_of_a_shard_changes_no_id(east, west):
    east.late("1", "2")
    west.late("1")
    with shop(east, west) as client:
        before, _ = whole(client)
        rebuild.rebuild(west.told.store, west.told.log.store, ["feed"])
        assert whole(client)[0] == before


def test_no_snapshot_is_promised(east):
    with shop(east) as client:
        answer = client.get("/v1/feed", params={"snapshot": "true"})
        assert (answer.status_code, answer.json()["type"]) == (400, "/problems/no_snapshot")
        assert client.get("/v1/incidents").status_code == 404


def test_what_is_known_is_known_of_every_shard(east, west):
    for one, hours in ((east, 8), (west, 3)):
        one.late("1", until=2)
        one.told.desk.tracker.hear({"test/orders/0": at(hours)})
        one.told.follower._heard_at = -1e9
        one.told.follower.step()
    with shop(east, west) as client:
        as_of = read(client)["as_of"]
    known = {one["name"]: one["known_up_to"] for one in as_of["shards"]}
    assert known["east"] > known["west"] == as_of["known_up_to"]


def test_metrics_and_readiness_name_the_shards(east, west):
    west.reader.away = True
    with shop(east, west) as client:
        text = client.get("/metrics").text
        assert 'tracker_shard_stale{shard="east"} 0.0' in text
        assert 'tracker_shard_stale{shard="west"} 1.0' in text
        ready = client.get("/readyz")
        assert ready.status_code == 200, "one shard must not take the others with it"
        assert {one["name"]: one["ok"] for one in ready.json()["checks"]} == {"east": True, "west": False}
        assert client.get("/healthz").json() == {"status": "ok"}


# Streams


def test_a_stream_tells_what_was_and_then_what_comes(east, west):
    east.late("1", "2")
    west.late("1")
    with merging([east.shard, west.shard]) as server:
        listener = Listener(server.url, "/v1/feed?after=first")
        listener.changes(3)
        west.late("2")
        listener.changes(1)
        east.end("1")
        listener.changes(1)
        assert [one for one in seen(listener) if one[0] == "east"] == east.owed()
        assert [one for one in seen(listener) if one[0] == "west"] == west.owed()
        listener.close()


def test_a_stream_without_a_place_begins_now_in_every_shard(east, west):
    east.late("1")
    west.reader.away = True
    west.late("1")
    with merging([east.shard, west.shard]) as server:
        listener = Listener(server.url)
        until_stale(listener, ["west"])
        east.late("2")
        assert listener.changes(1)[0].data["incident"]["subject"] == "east-F2"
        west.reader.away = False
        last = until_stale(listener, [])
        west.late("2")
        assert listener.changes(1)[0].data["incident"]["subject"] == "west-F2"
        listener.close()
        again = Listener(server.url, last=last.id)
        assert again.changes(1)[0].data["incident"]["subject"] == "west-F2"
        again.close()


def test_a_long_past_of_one_shard_does_not_keep_back_the_others(east, west):
    east.late(*map(str, range(300)))
    west.late("1")
    with merging([east.shard, west.shard]) as server:
        listener = Listener(server.url, "/v1/feed?after=first")
        listener.changes(301)
        assert ("west", "opened", "incident-late_shipment-west-F1") in seen(listener)[:200]
        assert [one for one in seen(listener) if one[0] == "east"] == east.owed()
        listener.close()


def test_who_reads_the_past_is_handed_nothing_that_is_ahead_of_it(east, west):
    east.late(*map(str, range(300)))
    with merging([east.shard, west.shard]) as server:
        early = Listener(server.url)
        until_stale(early, [])
        listeners = [Listener(server.url, "/v1/feed?after=first") for _ in range(4)]
        for number in range(12):
            west.late(f"w{number}")
            east.late(f"e{number}")
            listeners.append(Listener(server.url, "/v1/feed?after=first"))
        for listener in listeners:
            listener.changes(324)
            assert [one for one in seen(listener) if one[0] == "east"] == east.owed()
            assert [one for one in seen(listener) if one[0] == "west"] == west.owed()
            listener.close()
        early.changes(24)
        assert [one for one in seen(early) if one[0] == "east"] == east.owed()[300:]
        early.close()


def test_what_becomes_of_a_shard_is_told_at_once(east, west):
    west.reader.away = True
    west.late("1")
    with merging([east.shard, west.shard], heartbeat=60) as server:
        listener = Listener(server.url, "/v1/feed?after=first")
        until_stale(listener, ["west"])
        west.reader.away = False
        until_stale(listener, [])
        assert told([one.data for one in listener.changes(1)]) == west.owed()
        west.reader.away = True
        until_stale(listener, ["west"])
        listener.close()


def test_a_server_that_has_ended_reads_nothing_any_more(east, monkeypatch):
    """Whoever closes what it read from pulls it from under nobody."""
    reading, snapshot = [], east.reader.snapshot

    @contextmanager
    def slow():
        with snapshot() as found:
            reading.append(True)
            time.sleep(0.3)
            yield found
            reading.pop()

    monkeypatch.setattr(east.reader, "snapshot", slow)
    with shop(east):
        until = time.monotonic() + 10
        while not reading:
            assert time.monotonic() < until
            time.sleep(0.01)
    assert not reading


def test_a_shard_that_hangs_holds_no_more_threads_than_a_few(east):
    async def ask():
        asked = [asyncio.ensure_future(east.shard.ask(lambda reader: reader.hang.wait(), 0.2)) for _ in range(30)]
        await asyncio.sleep(0.1)
        held = sum(one.name == "shard east" for one in threading.enumerate())
        return held, await asyncio.gather(*asked, return_exceptions=True)

    east.reader.hang.clear()
    held, answers = asyncio.run(ask())
    east.reader.hang.set()
    for thread in threading.enumerate():
        if thread.name == "shard east":
            thread.join(10)
    assert held == 8
    assert {getattr(one, "why", None) for one in answers} == {"slow"}
    assert asyncio.run(east.shard.ask(lambda _: "here")) == "here"


@pytest.mark.parametrize("change", [{"epoch": "0"}, {"position": 10**9}, {"revision": 7}])
def test_only_the_shard_that_is_not_known_begins_anew(east, west, change):
    for one in (east, west):
        one.late("1", "2")
    with merging([east.shard, west.shard]) as server:
        listener = Listener(server.url, "/v1/feed?after=first")
        places = Places.read(listener.changes(4)[-1].id)
        listener.close()
        wrong = places.at(places.of("west")._replace(**change))
        again = Listener(server.url, last=str(wrong))
        reset = again.until("reset")[-1]
        assert reset.data["shard"] == "west"
        assert told([one.data for one in again.changes(2)]) == west.owed()
        east.late("3")
        assert again.changes(1)[0].data["shard"] == "east"
        again.close()


def test_a_browser_with_a_broken_id_is_told_to_reset(east):
    east.late("1")
    with merging([east.shard]) as server:
        listener = Listener(server.url, last="garbage")
        assert listener.until("reset")[-1].data["shard"] is None
        assert told([one.data for one in listener.changes(1)]) == east.owed()
        listener.close()


def test_a_healed_shard_sends_those_who_follow_it_to_begin_it_anew(east, west):
    east.late("1")
    west.late("1")
    with merging([east.shard, west.shard]) as server:
        listener = Listener(server.url, "/v1/feed?after=first")
        last = listener.changes(2)[-1].id
        with west.told.store.writing() as rows:
            rows.execute("UPDATE checkpoints SET revision = revision + 1 WHERE view = 'feed'")
        while listener.next() is not None:
            pass
        again = Listener(server.url, last=last)
        assert again.until("reset")[-1].data["shard"] == "west"
        assert told([one.data for one in again.changes(1)]) == west.owed()
        again.close()


def test_random_disconnects_and_outages_under_load_lose_and_repeat_nothing(east, west, south):
    dice = random.Random(5)
    ones, done = (east, west, south), threading.Event()

    def write():
        for number in range(40):
            for one in ones:
                one.late(f"w{number}")
        done.set()

    def break_off():
        while not done.is_set():
            one = dice.choice(ones)
            one.reader.away = True
            time.sleep(0.1)
            one.reader.away = False
            time.sleep(0.05)

    with merging([one.shard for one in ones]) as server, ExitStack() as ending:
        for target in (write, break_off):
            thread = threading.Thread(target=target)
            thread.start()
            ending.callback(thread.join)
        got, last, deadline = [], None, time.monotonic() + 40
        while len(got) < 120 and time.monotonic() < deadline:
            path = "/v1/feed?after=first" if last is None else "/v1/feed"
            listener = Listener(server.url, path, last=last)
            for change in listener.changes(min(random.Random(len(got)).randrange(1, 9), 120 - len(got)), seconds=20):
                got.append(change.data)
                last = change.id
            listener.close()
    for one in ones:
        assert told(got, one.name) == one.owed()


def test_two_who_stand_at_different_places_get_tokens_of_their_own(east, west):
    """A token tells where *this* client stands: one that is ahead of the server in a shard is told nothing twice."""
    east.late("1")
    west.late("1")
    with merging([east.shard, west.shard]) as server:
        ahead = Listener(server.url, "/v1/feed?after=first")
        places = Places.read(ahead.changes(2)[-1].id)
        ahead.close()
        mark = places.of("west")
        [(position,)] = west.told.query("SELECT position FROM feed")
        with west.told.store.writing() as rows:  # as when its views were made anew and are not there yet
            rows.execute("DELETE FROM feed")
            rows.execute("UPDATE checkpoints SET position = ? WHERE view = 'feed'", (position - 1,))
    with merging([east.shard, west.shard]) as server:
        first = Listener(server.url)
        until_stale(first, [])  # by then every shard was reached
        again = Listener(server.url, last=str(places))
        again.until("heartbeat")
        east.late("2")
        tokens = [Places.read(one.changes(1)[-1].id) for one in (again, first)]
        assert [one.of("west").position for one in tokens] == [mark.position, position - 1]
        west.told.follow()
        west.late("2")
        assert again.changes(1)[0].data["incident"]["subject"] == "west-F2"
        assert [one.data["incident"]["subject"] for one in first.changes(2)] == ["west-F1", "west-F2"]
        again.close()
        first.close()


def test_marks_without_an_epoch_wait_for_their_shard():
    assert str(Places().at(Mark("west"))) == str(Places.read(str(Places().at(Mark("west")))))
