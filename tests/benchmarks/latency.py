"""P3: from the broker's append to a client of the live feed, at a quarter of the rate that P2 keeps up with."""

import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

from kafka import KafkaProducer

from tests.benchmarks import topics
from tests.benchmarks.as_it_comes import dated
from tests.benchmarks.end_to_end import Way, build_until_now
from tests.benchmarks.hops import Watch, seen
from tests.benchmarks.live import Ours
from tests.benchmarks.place import named, on_every_store
from tests.benchmarks.result import OURS, Figure, Result, percentile
from tests.benchmarks.stand import Stand
from tests.benchmarks.subjects import SubjectFailed
from tests.benchmarks.workload import ORDERS, PARTITIONS, Json, Message, Planned, body, build

MEASURE: Final = "P3"
PROBES_A_SECOND: Final = 10
SHARE: Final = 0.25
PARTS: Final = {"p50": 0.5, "p99": 0.99, "largest": 1.0}
WAIT_SECONDS: Final = 20.0
STEP_SECONDS: Final = 0.01
WARM_PROBES: Final = 10
APART: Final = 1_000_000
"""Between the first orders of two runs."""


def measure(stand: Stand) -> list[Result]:
    """Send a steady stream of messages with probes among them, each late the moment it is read.

    Raises:
        SubjectFailed: a probe was never shown.
    """
    return on_every_store(MEASURE, dict.fromkeys(PARTS, "ms"), partial(_measured, stand))


def _measured(stand: Stand, store: str) -> list[Result]:
    servers, size, prefix = stand.broker.bootstrap_servers, stand.size, f"p3-{store.lower()}"
    rate = SHARE * (stand.best("P2", f"end to end on {store}") or _keeps_up_with(stand, store))
    messages = max(1000, round(rate * (size.probes + WARM_PROBES) / PROBES_A_SECOND))
    seasons = [build(messages, first=run * APART).messages for run in range(1, size.runs + 2)]
    topics.create(servers, prefix, configuration={"message.timestamp.type": "LogAppendTime"})
    runs: list[list[float]] = []
    numbers = count()
    with stand.place(store) as place:
        live = Ours(servers, prefix, place.directory, database=place.url)
        try:
            live.start()
            live.processes.wait_until(lambda: topics.has_settled(servers, live.group, 1))
            with closing(Client(live.url)) as client, closing(_producer(servers)) as producer:
                sender = Sender(producer, prefix, rate)

                def run(background: Sequence[Message]) -> tuple[dict[str, Any], list[float]]:
                    sent = sender.send(background, probes(next(numbers), size.probes + WARM_PROBES))
                    return sent, client.waited(sent)[WARM_PROBES:]

                for season in seasons[:-1]:
                    stand.tell(f"{MEASURE} {store} run {len(runs) + 1} at {rate:,.0f} messages a second …")
                    runs.append(run(dated(season, datetime.now(UTC), rate))[1])
                with Watch(live.outlook()) as watch:
                    sent, _ = run(dated(seasons[-1], datetime.now(UTC), rate))
                with closing(live.outlook()) as outlook:
                    hops = client.hops(watch, dict(outlook.shown()), sent)
                storm = run(build_until_now(messages).messages)[1]
        except (OSError, TimeoutError) as failure:
            raise SubjectFailed(OURS, f"{failure}\n{live.processes.said()}") from failure
        finally:
            live.stop()
    note = (
        f"{size.probes} probes a run among {rate:,.0f} messages a second, {SHARE:g} of what P2 kept up with; from "
        "the time that the broker stamped at its append to the frame in the client's hands"
    )
    stormy = (
        "in a last run all is told up to twenty days after it happened, and so each order is late when it is heard of "
        f"and not late when its parcel is: p50 {percentile(storm, 0.5):,.0f} ms, p99 {percentile(storm, 0.99):,.0f} ms"
    )
    return [
        Result(
            measure=MEASURE,
            name=named(store, name),
            unit="ms",
            ours=Figure.of(OURS, [percentile(one, part) for one in runs]),
            notes=(note, hops, stormy) if name == "p50" else (),
        )
        for name, part in PARTS.items()
    ]


class Client:
    """A program that listens to the live feed, and notes when it was told of which subject."""

    def __init__(self, url: str) -> None:
        """Connect, and listen in a thread."""
        place = urlsplit(url)
        assert place.hostname is not None
        self._connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
        self._connection.request("GET", "/v1/feed", headers={"Accept": "text/event-stream"})
        self._answer = self._connection.getresponse()
        self._heard: dict[str, float] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    def waited(self, sent: dict[str, Any]) -> list[float]:
        """Give for each subject, in the order of sending, the milliseconds from its append until it was heard of.

        Raises:
            TimeoutError: one was not heard of.
        """
        until = time.monotonic() + WAIT_SECONDS
        while missing := [name for name in sent if name not in self._heard]:
            if time.monotonic() > until:
                raise TimeoutError(f"{len(missing)} of {len(sent)} probes were not shown, such as {missing[0]}")
            time.sleep(0.05)  # between two looks at what the client heard
        return [self._heard[name] * 1000 - future.get(timeout=10).timestamp for name, future in sent.items()]

    def hops(self, watch: Watch, shown: dict[str, int], sent: dict[str, Any]) -> str:
        """Say which part of the way took how long."""
        positions = {name: shown[f"incident-late_shipment-{name}"] for name in sent}
        appended = {name: future.get(timeout=10).timestamp / 1000 for name, future in sent.items()}
        return seen(watch, positions, appended, self._heard)

    def close(self) -> None:
        """Go away."""
        self._connection.close()

    def _listen(self) -> None:
        with suppress(OSError, ValueError, AttributeError, http.client.HTTPException):
            while line := self._answer.readline():
                at = time.time()
                if line.startswith(b"data: ") and b'"incident"' in line:
                    self._heard.setdefault(json.loads(line[6:])["incident"]["subject"], at)


class Sender:
    """Sends at a steady rate."""

    def __init__(self, producer: KafkaProducer, prefix: str, rate: float) -> None:
        """Send so many messages a second to the topics of a workload."""
        self._producer = producer
        self._prefix = prefix
        self._rate = rate

    def send(self, background: Sequence[Message], among: Iterator[tuple[str, list[bytes]]]) -> dict[str, Any]:
        """Send the background with probes among it; gives by subject what the broker will say of its last message."""
        sent: dict[str, Any] = {}
        began, done = time.monotonic(), 0
        for number, (order_id, messages) in enumerate(among):
            until = began + (number + 1) / PROBES_A_SECOND
            while (now := time.monotonic()) < until:
                due = min(len(background), round((now - began) * self._rate))
                for one in background[done:due]:
                    self._send(one.topic, one.value, one.key, one.partition)
                done = max(done, due)
                time.sleep(STEP_SECONDS)  # between two handfuls of the load
            key, place = order_id.encode(), number % PARTITIONS
            for value in messages:
                future = self._send(ORDERS, value, key, place)
            sent[f"{order_id}-F1"] = future
        return sent

    def _send(self, topic: str, value: bytes, key: bytes, partition: int) -> Any:
        return self._producer.send(topics.name(self._prefix, topic), value, key, partition=partition)


def _keeps_up_with(stand: Stand, store: str) -> float:
    """Measure what P2 would, once."""
    way = Way(OURS, stand.broker.bootstrap_servers, f"p3-rate-{store.lower()}", stand.size.from_broker)
    with stand.place(store) as place:
        way.run_once(place.directory, partial(Ours, database=place.url))
    return way.rates[0]


def _producer(servers: str) -> KafkaProducer:
    return KafkaProducer(bootstrap_servers=servers, linger_ms=0)


def probes(run: int, count: int) -> Iterator[tuple[str, list[bytes]]]:
    """Tell of orders whose promise had passed long before anybody heard of them."""
    for number in range(count):
        order_id = f"PROBE-{run}-{number}"
        now = datetime.now(UTC).replace(microsecond=0)
        ship_by = (now - timedelta(days=1)).isoformat()
        lines = [{"line_id": "1", "sku": "SKU-1", "quantity": 1, "unit_price": "9.00"}]
        placed: Json = {"order_id": order_id, "customer_id": "C1", "currency": "CNY", "lines": lines}
        request: Json = {"order_id": order_id, "fulfillment_id": f"{order_id}-F1", "warehouse_id": "W-SP"}
        request |= {"ship_by": ship_by, "lines": [{"line_id": "1"}]}
        told = (
            ("order.placed.v1", placed),
            ("order.approved.v1", {"order_id": order_id}),
            ("fulfillment.requested.v1", request),
        )
        at = now - timedelta(days=3)
        events = (
            Planned(at, "/shops/own", f"{order_id}-{name}", name, order_id, order_id, data) for name, data in told
        )
        yield order_id, [body(one) for one in events]
