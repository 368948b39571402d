"""Shards of a small story, each on a stage, that can go away or hang; and how their merged feed is read."""

import threading
import time
from contextlib import contextmanager

from fastapi.testclient import TestClient

from api.reading import ProductClock, Reader
from api.sharded.app import create_merged_app
from api.sharded.shards import Shard
from projections import feed
from projections.views import ViewsAway
from tests.projections.stage import stage
from tests.story import LATER, placed, requested, scanned


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
        with self.told.store.reading() as rows:
            return [(self.name, one.change, one.incident) for one in feed.after(rows, 0, 1000)]


@contextmanager
def made(folder, name):
    (folder / name).mkdir()
    with stage(folder / name) as told:
        yield One(name, told)


@contextmanager
def shop(*ones):
    """A client in front of shards, once each of them has been tried."""
    app = create_merged_app([one.shard for one in ones], clock=lambda: LATER)
    with TestClient(app, raise_server_exceptions=False) as client:
        until = time.monotonic() + 10
        while any(one["why"] == "not_reached" for one in client.get("/v1/shards").json()["as_of"]["shards"]):
            assert time.monotonic() < until
            time.sleep(0.01)  # between two looks
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


def complete(client, **params):
    """Read a page that lacks no shard; on a busy machine one may be too slow for the first try."""
    until = time.monotonic() + 30
    while stale(page := read(client, **params)):
        assert time.monotonic() < until
    return page["changes"]


def origins(changes):
    return [one["origin"] for one in changes]


def until_stale(listener, expected):
    while True:
        event = listener.until("heartbeat")[-1]
        if {one["name"] for one in event.data["shards"] if one["stale"]} == set(expected):
            return event


def seen(listener):
    return told([one.data for one in listener.seen if one.name == "change"])
