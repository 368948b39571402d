import random
import threading
import time

import pytest

from api.tokens import Token
from tests.api.serving import Listener, serving
from tests.story import Desk, placed, requested, scanned


def late(desk, *names, until=30):
    for name in names:
        order = f"O{name}"
        desk.take(
            placed(0, of=order, key=f"p{name}"),
            requested(0, f"F{name}", of=order, ship_by=20, warehouse_id="EW"[len(str(name)) % 2]),
        )
    while desk.tick(until) == 500:
        pass


def end(desk, *names, until=40):
    for name in names:
        desk.take(scanned(33, f"P{name}", fulfillment_ids=(f"F{name}",)), until=until)


@pytest.fixture
def server(told):
    with serving(told) as running:
        yield running


def position(event):
    return Token.read(event.id).position


def pages(shop, **params):
    found, after = [], "first"
    while True:
        page = shop.read("/v1/feed", after=after, limit=500, **params)
        found += [one["id"] for one in page["changes"]]
        after = page["next"]
        if not page["more"]:
            return found


def test_a_change_arrives_at_once(told, server):
    listener = Listener(server.url)
    listener.until("heartbeat")
    begun = time.monotonic()
    late(told.desk, "1")
    (change,) = listener.changes(1)
    assert time.monotonic() - begun < 5
    assert change.data["change"] == "opened"
    assert change.data["incident"]["subject"] == "F1"
    assert change.data["id"] == change.id
    assert "text/event-stream" in listener.head
    assert "no-store" in listener.head
    listener.close()


def test_heartbeats_say_how_fresh_this_is_and_where_to_go_on(told, server):
    listener = Listener(server.url)
    begun = time.monotonic()
    beats = [listener.until("heartbeat")[-1] for _ in range(4)]
    assert time.monotonic() - begun < 15
    assert all(beat.data["position"] for beat in beats)
    late(told.desk, "1")
    listener.changes(1)
    beat = listener.until("heartbeat")[-1]
    late(told.desk, "2")
    again = Listener(server.url, last=beat.id)
    assert again.changes(1)[0].data["incident"]["subject"] == "F2"
    again.close()
    listener.close()


def test_it_resumes_from_any_id_with_everything_after_it_once_and_in_order(shop, told, server):
    late(told.desk, *range(80))
    end(told.desk, *range(30))
    time.sleep(0.3)  # until the views have it
    everything = pages(shop)
    assert len(everything) == 110
    dice = random.Random(1)
    for _ in range(12):
        place = dice.randrange(len(everything) - 1)
        by_header = dice.random() < 0.5
        listener = (
            Listener(server.url, last=everything[place])
            if by_header
            else Listener(server.url, f"/v1/feed?after={everything[place]}")
        )
        rest = listener.changes(len(everything) - place - 1)
        assert [one.id for one in rest] == everything[place + 1 :]
        listener.close()


def test_random_disconnects_under_load_lose_and_repeat_nothing(shop, told, server):
    dice = random.Random(2)
    writer = threading.Thread(target=lambda: [late(Desk(told.log), f"w{n}") for n in range(150)])
    writer.start()
    got, last = [], None
    deadline = time.monotonic() + 20
    while len(got) < 150 and time.monotonic() < deadline:
        path = "/v1/feed?after=first" if last is None else "/v1/feed"
        listener = Listener(server.url, path, last=last)
        for change in listener.changes(min(dice.randrange(1, 25), 150 - len(got))):
            got.append(change.id)
            last = change.id
        listener.close()
    writer.join()
    assert got == pages(shop)


def test_a_snapshot_goes_over_into_the_feed_without_a_gap_or_a_repeat(shop, told, server):
    late(told.desk, *range(300))

    def write():
        desk = Desk(told.log)
        for n in range(60):
            late(desk, f"w{n}")
            end(desk, n)

    writer = threading.Thread(target=write)
    writer.start()
    listeners = []
    for _ in range(6):
        listeners.append(Listener(server.url, "/v1/feed?snapshot=true"))
        time.sleep(0.1)  # so that each comes at another moment
    writer.join()
    time.sleep(0.5)  # until they have what was written last
    everything = pages(shop)
    truth = {one["id"]: (one["state"], one["ended_at"]) for one in _all(shop)}
    for listener in listeners:
        begun = listener.until("snapshot")
        known = {one.data["id"]: (one.data["state"], one.data["ended_at"]) for one in begun if one.name == "incident"}
        base = position(begun[-1])
        shown = [one.data for one in begun if one.name == "incident"]
        assert all(Token.read(one["changed"]).position <= base for one in shown), "what follows is not told twice"
        assert len(known) == len(shown)
        rest = [one for one in everything if Token.read(one).position > base]
        changes = listener.changes(len(rest))
        assert [one.id for one in changes] == rest
        for change in changes:
            incident = change.data["incident"]
            known[incident["id"]] = (incident["state"], incident["ended_at"])
        assert known == truth
        listener.close()


def _all(shop):
    found, cursor = [], None
    while True:
        page = shop.read("/v1/incidents", limit=500, **({} if cursor is None else {"cursor": cursor}))
        found += page["incidents"]
        cursor = page["next"]
        if cursor is None:
            return found


def test_filters_hold_for_snapshot_and_changes_alike(told, server):
    late(told.desk, "a", "bb", "c")
    time.sleep(0.3)  # until the views have it
    listener = Listener(server.url, "/v1/feed?snapshot=true&warehouse=W")
    begun = listener.until("snapshot")
    assert [one.data["subject"] for one in begun if one.name == "incident"] == ["Fc", "Fa"]
    late(told.desk, "dd", "e")
    assert [one.data["incident"]["subject"] for one in listener.changes(1)] == ["Fe"]
    end(told.desk, "a")
    assert listener.changes(1)[0].data["change"] == "ended"
    listener.close()


@pytest.mark.parametrize("change", [{"epoch": "0"}, {"position": 10**9}, {"revision": 7}])
def test_an_id_that_is_not_known_here_is_told_to_reset_and_begins_from_the_first(shop, told, server, change):
    late(told.desk, "1", "2")
    time.sleep(0.3)  # until the views have it
    token = Token.read(shop.read("/v1/feed")["next"])
    listener = Listener(server.url, last=str(token._replace(**change)))
    names = [one.name for one in listener.until("reset")]
    assert "change" not in names
    assert [one.data["incident"]["subject"] for one in listener.changes(2)] == ["F1", "F2"]
    listener.close()


def test_a_browser_with_a_broken_id_is_told_to_reset_instead_of_being_refused(told, server):
    late(told.desk, "1")
    time.sleep(0.3)  # until the views have it
    listener = Listener(server.url, "/v1/feed?snapshot=true", last="garbage")
    assert [one.name for one in listener.until("snapshot")] == ["heartbeat", "reset", "incident", "snapshot"]
    listener.close()


def test_a_healed_feed_sends_everybody_to_begin_anew(told, server):
    late(told.desk, "1")
    listener = Listener(server.url, "/v1/feed?after=first")
    last = listener.changes(1)[0].id
    listener.until("heartbeat")
    with told.store.writing() as rows:
        rows.execute("UPDATE checkpoints SET revision = revision + 1 WHERE view = 'feed'")
    while listener.next() is not None:
        pass
    again = Listener(server.url, last=last)
    again.until("reset")
    again.close()


def test_a_client_that_is_ahead_of_the_views_is_told_nothing_twice(told):
    with serving(told, follow=False) as server:
        late(told.desk, "1", "2")
        told.follow()
        listener = Listener(server.url, "/v1/feed?after=first")
        first, second = listener.changes(2)
        listener.close()
        with told.store.writing() as rows:  # as when the views were made anew and are not there yet
            rows.execute("DELETE FROM feed WHERE position > ?", (position(first),))
            rows.execute("UPDATE checkpoints SET position = ? WHERE view = 'feed'", (position(first),))
        again = Listener(server.url, last=second.id)
        again.until("heartbeat")
        late(told.desk, "3")
        told.follow()
        assert [one.data["incident"]["subject"] for one in again.changes(1)] == ["F3"]
        again.close()


def test_no_more_streams_are_held_than_the_server_can(told):
    with serving(told, max_streams=2) as server:
        held = [Listener(server.url) for _ in range(2)]
        for one in held:
            one.until("heartbeat")
        refused = Listener(server.url)
        refused._thread.join(5)
        assert "HTTP/1.1 429" in refused.head
        assert "retry-after: 10" in refused.head
        held[0].close()
        deadline = time.monotonic() + 5
        while server.app.state.live.full and time.monotonic() < deadline:
            time.sleep(0.02)  # between two looks
        assert not server.app.state.live.full
        held[1].close()
