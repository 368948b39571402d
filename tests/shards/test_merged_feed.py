"""Pages of one feed over several logs: order, tokens, filters, and shards that are away, slow, new or otherwise odd."""

import asyncio
import threading
import time
from contextlib import suppress

from fastapi.testclient import TestClient

from api.app import create_app
from api.sharded import shards
from api.sharded.shards import Shard
from api.tokens import Places
from domain.incidents.commands import Note
from domain.instant import iso
from projections import rebuild
from tests.projections.staffed import do
from tests.shards.scene import complete, origins, read, shop, stale, told, whole
from tests.story import LATER, at


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


def test_steps_stand_among_the_shards_by_when_they_were_taken(east, west):
    east.late("1", until=30)
    west.late("1", until=32)
    for one, hour in ((west, 41), (east, 42), (west, 43)):
        do(one.told, f"incident-late_shipment-{one.name}-F1", Note(by="li", text="?"), hour)
    east.late("2", until=50)
    with shop(east, west) as client:
        found, _ = whole(client)
        assert whole(client, limit=1)[0] == found
    assert [(one["shard"], one["change"]) for one in found] == [
        ("east", "opened"),
        ("west", "opened"),
        ("west", "noted"),
        ("east", "noted"),
        ("west", "noted"),
        ("east", "opened"),
    ]
    assert [one["step"]["at"] for one in found if "step" in one] == [iso(at(hour)) for hour in (41, 42, 43)]
    assert told(found, "east") == east.owed()


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
            assert complete(client, after=one["id"]) == complete(client, after=one["id"])


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
            time.sleep(0.02)  # between two looks
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
    monkeypatch.setattr(Shard.ask, "__defaults__", (1.0,))
    east.late("1")
    west.late("1")
    with shop(east, west) as client:
        west.reader.hang.clear()
        time.sleep(0.5)  # it hangs by then
        begun = time.monotonic()
        for _ in range(20):
            page = read(client)
        assert time.monotonic() - begun < 15, "it was waited for each time"
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
