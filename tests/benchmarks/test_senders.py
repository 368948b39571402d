"""What P2, P3 and P9 are made of, without the broker that the measures themselves need."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice

import pytest
from kafka.errors import CoordinatorNotAvailableError

from consumers.translate import Translator
from deploy.settings import Settings
from deploy.wiring import open_store, open_views
from domain.history.batch import Raw
from domain.history.log import Log, decode
from projections.follower import Follower
from tests.benchmarks import hops, latency, ours, processor, topics
from tests.benchmarks.latency import Client, Sender, probes
from tests.benchmarks.looking import Database, Files, Taken
from tests.benchmarks.two_processes import Spent, ceiling
from tests.benchmarks.workload import HEADERS, ORDERS, PARTITIONS, build
from tests.stores.cluster import Cluster

FRAMES = b"".join(
    b'event: change\ndata: {"id": "1", "incident": {"subject": "%s", "state": "open"}}\n\n' % name
    for name in (b"A-F1", b"B-F1")
)


class Stamped:
    """What a broker says of a record."""

    def __init__(self, timestamp: float = 0) -> None:
        self.timestamp = timestamp

    def get(self, timeout: float) -> "Stamped":
        assert timeout
        return self


class Producer:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes, int]] = []

    def send(self, topic: str, value: bytes, key: bytes, partition: int) -> Stamped:
        self.sent.append((topic, value, key, partition))
        return Stamped()


def test_probes_are_sent_among_a_steady_background_in_its_order() -> None:
    producer, background = Producer(), build(300).messages
    began = time.monotonic()
    sent = Sender(producer, "p3", 200.0).send(background, islice(probes(7, 3), 3))
    elapsed = time.monotonic() - began
    assert list(sent) == ["PROBE-7-0-F1", "PROBE-7-1-F1", "PROBE-7-2-F1"]
    values = [value for _, value, key, _ in producer.sent if not key.startswith(b"PROBE")]
    assert values == [one.value for one in background[: len(values)]]
    assert 0 < len(values) <= 200 * elapsed + 1
    assert [key for _, _, key, _ in producer.sent if key.startswith(b"PROBE")] == [
        b"PROBE-7-%d" % number for number in range(3) for _ in range(3)
    ]
    assert {place for *_, place in producer.sent} == set(range(PARTITIONS))


def test_a_probe_is_late_the_moment_it_is_read() -> None:
    _, told = next(probes(0, 1))
    translator, now = Translator({}), int(time.time() * 1e6)
    raw = [Raw(ORDERS, 0, b"PROBE", value, HEADERS, 0) for value in told]
    facts = [translator.incoming(place, one, now).content for place, one in enumerate(raw)]
    assert [type(one).__name__ for one in facts] == ["OrderPlaced", "OrderApproved", "FulfillmentRequested"]
    assert facts[0].at < facts[-1].ship_by < now  # type: ignore[union-attr]


@pytest.fixture
def feed() -> Iterator[str]:
    """Serve two changes of a live feed, then hold the line."""
    done = threading.Event()

    class Feed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(FRAMES)
            self.wfile.flush()
            done.wait(10)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Feed) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        done.set()
        thread.join()


def test_a_client_says_how_long_after_its_append_each_probe_was_shown(feed: str) -> None:
    appended = time.time() * 1000 - 5_000
    client = Client(feed)
    waited = client.waited({"B-F1": Stamped(appended), "A-F1": Stamped(appended - 5_000)})
    assert 5_000 <= waited[0] < 15_000
    assert 10_000 <= waited[1] < 20_000
    client.close()


def test_a_probe_that_is_never_shown_is_told(feed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "WAIT_SECONDS", 0.1)
    client = Client(feed)
    with pytest.raises(TimeoutError, match="1 of 2 probes were not shown, such as C-F1"):
        client.waited({"A-F1": Stamped(), "C-F1": Stamped()})
    client.close()


def test_the_product_reads_the_topics_that_a_workload_is_sent_to(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in topics.settings("p9-3").items():
        monkeypatch.setenv(key, value)
    assert Settings().topics.names() == tuple(topics.name("p9-3", one) for one in topics.TOPICS)


@pytest.mark.parametrize(
    ("said", "settled"),
    [
        (("Stable", [b"1", b"2"]), True),
        (("Stable", [b"1"]), False),
        (("Stable", [b"1", b""]), False),
        (("PreparingRebalance", [b"1", b"2"]), False),
        (None, False),
    ],
)
def test_a_group_has_settled_when_each_of_its_members_has_partitions(said, settled, monkeypatch) -> None:
    class Admin:
        def __init__(self, **_: object) -> None:
            """Connect to nothing."""

        def describe_groups(self, groups: list[str]) -> dict[str, object]:
            if said is None:
                raise CoordinatorNotAvailableError
            state, assigned = said
            return {groups[0]: {"group_state": state, "members": [{"member_assignment": one} for one in assigned]}}

        def close(self) -> None:
            """Hang up."""

    monkeypatch.setattr(topics, "KafkaAdminClient", Admin)
    assert topics.has_settled("-", "p9-3", 2) == settled


def test_what_both_processes_have_taken_in_is_counted_in_their_log(cluster: Cluster) -> None:
    with cluster.database() as url:
        settings = {"PERSISTENCE_MODULE": "deploy.store.postgres", "DATABASE_URL": url, "DATABASE_SCHEMA": "tracker"}
        with closing(Taken(Database(url))) as taken:
            assert taken.count() == 0
            with Log(settings) as log:
                ours.drive(log, build(300), 50)
                assert taken.count() == 300
                ours.drive(log, build(90, first=1_000), 50)
            assert taken.count() == 390


def test_processor_time_is_that_of_a_program_and_of_what_it_started(tmp_path) -> None:
    before = processor.seconds(str(tmp_path))
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    script = tmp_path / "busy.py"
    script.write_text(
        f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', {busy!r}])\n{busy}\ninput()"
    )
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE) as running:
        until = time.monotonic() + 30
        while (used := processor.seconds(str(tmp_path)) - before) < 0.5:
            assert time.monotonic() < until
            time.sleep(0.05)  # between two looks at what it has used
        running.communicate(b"\n")
    assert used < 5
    assert processor.seconds(str(tmp_path)) == 0


def test_the_ceiling_of_two_cores_is_told_by_what_all_parts_take() -> None:
    spent = Spent(3.0, 1.5, 0.5).per_message(Spent(1.0, 0.5, 0.0), 50_000)
    assert spent.told() == "70 µs (ingest 40, PostgreSQL 20, Kafka 10)"
    assert "28,571 messages a second" in ceiling(spent, 20_000, 2)
    assert "1.43 × its rate" in ceiling(spent, 20_000, 2)


@pytest.mark.parametrize("on", ["files", "database"])
def test_who_looks_from_outside_sees_batches_and_the_views(on, cluster: Cluster, tmp_path, monkeypatch) -> None:
    with cluster.database() as url:
        if on == "database":
            monkeypatch.setenv("DATABASE_URL", url)
        settings = Settings(data_dir=tmp_path)
        with closing(Files(tmp_path) if on == "files" else Database(url)) as outlook:
            assert (outlook.passed(), outlook.last(), outlook.batches(0), outlook.shown()) == (0, 0, [], [])
            with open_store(settings) as log, open_views(settings) as views:
                ours.drive(log, build(300), 50)
                seen = outlook.batches(0)
                assert sum(decode(topic, state).records for _, topic, state in seen) == 300
                assert outlook.batches(seen[1][0]) == seen[2:]
                assert outlook.passed() == 0
                Follower(views, log.store).catch_up()
                assert outlook.passed() == outlook.last() == log.store.last_position()
                shown = dict(outlook.shown())
                assert shown.keys() == {f"incident-late_shipment-{one}" for one in ours.late(log)}
                assert 0 < max(shown.values()) <= outlook.last()


class Advancing:
    """A store that every look finds further: its log by ten, its views where its log was before."""

    def __init__(self) -> None:
        self.looks = 0

    def last(self) -> int:
        self.looks += 1
        return 10 * self.looks

    def passed(self) -> int:
        return 10 * self.looks

    def close(self) -> None:
        """Hang up."""


def test_the_way_to_a_client_is_split_where_log_and_views_were_first_seen_to_have_an_event() -> None:
    store = Advancing()
    began = time.time()
    with hops.Watch(store) as watch:
        while store.looks < 6:
            time.sleep(0.01)  # between two looks
    ended = time.time()
    times = watch.times(25, began - 1, ended + 2)
    assert times is not None
    assert began < times.logged < times.followed < ended
    assert times.hops[0] > 1_000
    assert times.hops[2] > 2_000
    assert watch.times(10**6, began, ended) is None
    assert "ms on to that of the views" in hops.seen(watch, {"a": 25}, {"a": began, "b": began}, {"a": ended})
