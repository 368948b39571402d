"""The stream of one feed over several logs: nothing lost and nothing twice, whatever becomes of client or shard."""

import asyncio
import random
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest

from api.tokens import Mark, Places
from tests.api.serving import Listener
from tests.shards.scene import seen, shop, told, until_stale
from tests.shards.side import merging


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
    reading, snapshot = threading.Event(), east.reader.snapshot

    @contextmanager
    def slow():
        with snapshot() as found:
            reading.set()
            time.sleep(0.3)  # longer than a server takes to end that does not wait
            yield found
            reading.clear()

    monkeypatch.setattr(east.reader, "snapshot", slow)
    with shop(east):
        assert reading.wait(10)
    assert not reading.is_set()


def test_a_shard_that_hangs_holds_no_more_threads_than_a_few(east):
    async def ask():
        asked = [asyncio.ensure_future(east.shard.ask(lambda reader: reader.hang.wait(), 0.2)) for _ in range(30)]
        await asyncio.sleep(0.1)  # all have been asked by then
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
            time.sleep(0.1)  # away that long
            one.reader.away = False
            time.sleep(0.05)  # back that long

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
