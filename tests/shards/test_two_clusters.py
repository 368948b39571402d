"""Two logs on two PostgreSQL clusters side by side, one feed over both: every change once, in the order of its log."""

import itertools
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from deploy import doctoring, sharding
from deploy.settings import Settings
from deploy.web import address, bind
from tests.api.serving import Listener
from tests.shards.side import Side, lines_of, merging, side
from tests.stores.cluster import Cluster

pytestmark = [pytest.mark.timeout(90), pytest.mark.xdist_group("two-clusters")]


@pytest.fixture
def second(cluster: Cluster) -> Iterator[Cluster]:
    """Start another server beside the one of the session; the first one says whether there can be any."""
    assert cluster.version
    made = Cluster(in_memory=True)
    try:
        made.start()
        yield made
    finally:
        made.close()


def read(url: str, **params: object) -> dict:
    query = "&".join(f"{name}={value}" for name, value in params.items())
    with urllib.request.urlopen(f"{url}/v1/feed?{query}", timeout=20) as answer:
        return json.load(answer)


def pages(url: str, after: str = "first", limit: int = 500, **params: object) -> Iterator[dict]:
    while True:
        page = read(url, after=after, limit=limit, **params)
        yield page
        after = page["next"]
        if not page["more"]:
            return


def told(change: dict) -> tuple[str, str, str]:
    return change["shard"], change["change"], change["incident"]["id"]


def of(changes: list[dict], name: str) -> list[tuple[str, str, str]]:
    return [told(one) for one in changes if one["shard"] == name]


def owed(one: Side) -> list[tuple[str, str, str]]:
    return [(name, change, incident) for name, _, change, incident in one.feed()]


def changes_until(listener: Listener, heard: list[dict], count: int, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while len(heard) < count:
        event = listener.next(max(0.01, deadline - time.monotonic()))
        assert event is not None, "the stream ended"
        if event.name == "change":
            heard.append(event.data)


def until_stale(listener: Listener, heard: list[dict], expected: list[str]) -> dict:
    """Listen until a heartbeat names exactly these shards as stale; keeps the changes that come meanwhile."""
    deadline = time.monotonic() + 20
    while True:
        event = listener.next(max(0.01, deadline - time.monotonic()))
        assert event is not None, "the stream ended"
        if event.name == "change":
            heard.append(event.data)
        elif event.name == "heartbeat":
            stale = [one["name"] for one in event.data["shards"] if one["stale"]]
            if stale == expected:
                return event.data


def test_nothing_is_lost_or_doubled_while_one_of_two_servers_stops_and_comes_back(
    cluster: Cluster, second: Cluster, seasons, tmp_path
):
    with cluster.database() as in_first, second.database() as in_second:
        urls = {"east": SecretStr(in_first), "west": SecretStr(in_second)}
        settings = Settings(data_dir=tmp_path, shards=urls)
        policy = (seasons["east"] / "policy.toml").read_text()
        with (
            side("east", sharding.of_shard(settings, urls["east"]), policy, lines_of(seasons["east"])) as east,
            side("west", sharding.of_shard(settings, urls["west"]), policy, lines_of(seasons["west"], "W")) as west,
            sharding.opened(settings) as shards,
            merging(shards) as server,
        ):
            for one in (east, west):
                one.take(120)
            listener, heard = Listener(server.url, "/v1/feed?after=first"), []
            changes_until(listener, heard, len(east.feed()) + len(west.feed()))
            before_the_outage = heard[-1]["id"]

            west_had = west.feed()
            second.stop("immediate")
            beat = until_stale(listener, heard, ["west"])
            assert {one["why"] for one in beat["shards"] if one["stale"]} <= {"away", "slow"}
            east.take(120)
            assert len(east.feed()) + len(west_had) > len(heard), "the season has something to say meanwhile"
            changes_until(listener, heard, len(east.feed()) + len(west_had))
            assert of(heard, "east") == owed(east)
            partial = read(server.url, after="first", limit=500)
            assert [one["name"] for one in partial["as_of"]["shards"] if one["stale"]] == ["west"]
            assert [told(one) for one in partial["changes"]] == owed(east)

            second.start()
            for pool in (west.log.recorder.datastore.pool, west.views._pool):
                pool.check()
            until_stale(listener, heard, [])
            for one in (east, west):
                one.finish()
            everything = [*owed(east), *owed(west)]
            changes_until(listener, heard, len(everything))
            until_stale(listener, heard, [])
            listener.close()
            assert len(everything) > 80
            for one in (east, west):
                assert of(heard, one.name) == owed(one), "every change once, in the order of its log"

            whole = [change for page in pages(server.url) for change in page["changes"]]
            for one in (east, west):
                assert of(whole, one.name) == owed(one)
            # What was told while a shard was away is a place to go on from like any other.
            rest = [*partial["changes"], *(c for page in pages(server.url, partial["next"]) for c in page["changes"])]
            assert sorted(map(told, rest)) == sorted(everything)
            assert of(rest, "west") == owed(west)
            _resumes_from_every_token(server.url, heard, {one.name: owed(one) for one in (east, west)})
            again = Listener(server.url, last=before_the_outage)
            since: list[dict] = []
            place = next(number for number, one in enumerate(heard) if one["id"] == before_the_outage)
            changes_until(again, since, len(heard) - place - 1)
            again.close()
            for one in (east, west):
                assert of(heard[: place + 1], one.name) + of(since, one.name) == owed(one)


def _resumes_from_every_token(url: str, heard: list[dict], everything: dict[str, list]) -> None:
    """Go on from the token of every change that a stream brought: what was before it and what comes make all."""
    for place, change in enumerate(heard):
        rest = list(itertools.chain.from_iterable(page["changes"] for page in pages(url, change["id"])))
        for name, all_of_it in everything.items():
            assert of(heard[: place + 1], name) + of(rest, name) == all_of_it


def test_a_shard_without_a_log_is_named_and_not_made(cluster: Cluster, seasons, tmp_path):
    with cluster.database() as begun, cluster.database() as empty:
        urls = {"east": SecretStr(begun), "west": SecretStr(empty)}
        settings = Settings(data_dir=tmp_path, shards=urls)
        policy = (seasons["east"] / "policy.toml").read_text()
        with (
            side("east", sharding.of_shard(settings, urls["east"]), policy, lines_of(seasons["east"])) as east,
            sharding.opened(settings) as shards,
            merging(shards) as server,
        ):
            east.take(120)
            page = read(server.url, limit=500)
            assert [told(one) for one in page["changes"]] == owed(east)
            assert [(one["name"], one["why"]) for one in page["as_of"]["shards"] if one["stale"]] == [("west", "away")]
            assert page["as_of"]["known_up_to"] is None
        with psycopg.connect(empty) as connection:
            found = {name for (name,) in connection.execute("SELECT nspname FROM pg_namespace")}
        assert not any(name.startswith("tracker") for name in found)


def test_the_command_serves_and_the_doctor_compares_what_the_settings_name(
    cluster: Cluster, seasons, tmp_path, monkeypatch
):
    with cluster.database() as first, cluster.database() as other:
        monkeypatch.setenv("SHARDS", f"east={first} west={other}")
        monkeypatch.setenv("TRACKER_DATA_DIR", str(tmp_path))
        settings, policy = Settings(), (seasons["east"] / "policy.toml").read_text()
        opened = {
            name: side(name, sharding.of_shard(settings, url), policy, lines_of(seasons[name]))
            for name, url in settings.shards.items()
        }
        with opened["east"] as east, opened["west"] as west:
            for one in (east, west):
                one.take(60)
            with command("serve") as url:
                assert sorted(map(told, read(url, limit=500)["changes"])) == sorted([*owed(east), *owed(west)])
        (check,) = [one for one in doctoring.examine() if one.what == "shards"]
    assert not check.ok, "both seasons number their orders alike"
    assert "in east and west" in check.found


@contextmanager
def command(*words: str) -> Iterator[str]:
    """Run a command that serves, until the block ends; it must end when it is told to."""
    with bind("127.0.0.1", 0) as taken:
        url = address(taken).rstrip("/")
    program = [str(Path(sys.executable).with_name("tracker")), *words, "--port", url.rpartition(":")[2]]
    process = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 20
        while True:
            try:
                if not [one for one in read(url)["as_of"]["shards"] if one["stale"]]:
                    break
            except urllib.error.URLError:
                assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.05)  # between two tries
        yield url
        process.terminate()
        assert process.wait(5) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
