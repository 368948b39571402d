"""What P2, P3 and P9 are made of, without the broker that the measures themselves need."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice

import psycopg
import pytest
from kafka.errors import CoordinatorNotAvailableError

from consumers.translate import Translator
from deploy.settings import Settings
from deploy.wiring import open_store, open_views
from domain.batch import Raw
from domain.log import Log, decode
from projections.follower import Follower
from tests.benchmarks import latency, ours, topics, two_processes
from tests.benchmarks.latency import Client, Sender, probes
from tests.benchmarks.looking import Database, Files
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
    sent = Sender(producer, 200.0).send(background, islice(probes(7, 3), 3))
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
        with psycopg.connect(url, autocommit=True) as connection:
            assert not two_processes.is_begun(connection)
            with Log(settings) as log:
                assert two_processes.is_begun(connection)
                ours.drive(log, build(300), 50)
            assert two_processes.taken(connection) == 300


@pytest.mark.parametrize("on", ["files", "database"])
def test_who_looks_from_outside_sees_batches_and_the_views(on, cluster: Cluster, tmp_path, monkeypatch) -> None:
    with cluster.database() as url:
        if on == "database":
            monkeypatch.setenv("DATABASE_URL", url)
        settings = Settings(data_dir=tmp_path)
        with closing(Files(tmp_path) if on == "files" else Database(url)) as outlook:
            assert (outlook.passed(), outlook.batches(0)) == (0, [])
            with open_store(settings) as log, open_views(settings) as views:
                ours.drive(log, build(300), 50)
                seen = outlook.batches(0)
                assert sum(decode(topic, state).records for _, topic, state in seen) == 300
                assert outlook.batches(seen[1][0]) == seen[2:]
                assert outlook.passed() == 0
                Follower(views, log.store).catch_up()
                assert outlook.passed() == log.store.last_position()
