"""The player of the demo season: at the clock's pace, acknowledged, and stopped at once."""

import hashlib
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

from deploy.demo.player import Player, SeasonStuck, encoded, write
from deploy.demo.season import LOGISTICS, ORDERS, Season, season

START = datetime(2026, 3, 2, 5, 17, tzinfo=UTC)


@pytest.fixture(scope="module")
def short() -> Season:
    """Two days, for the player."""
    return season(7, START, days=2)


class SteppingClock:
    """A demo clock that goes on by one step whenever it is read."""

    def __init__(self, start: datetime, step: timedelta) -> None:
        """Show `start` first."""
        self.shown = start - step
        self.step = step

    def __call__(self) -> datetime:
        """Go on by one step and show the time."""
        self.shown += self.step
        return self.shown


# What becomes of a record: it arrives (None), it fails, or nothing is heard of it.
Outcome = Callable[[bytes], BaseException | str | None]


class FakeProducer:
    """Acknowledges what it is told to, and keeps what it was given together with the clock at that time."""

    def __init__(self, now: Callable[[], datetime], outcome: Outcome) -> None:
        """Do with each value what `outcome` says."""
        self.settings: dict[str, Any] = {}
        self.sent: list[tuple[datetime, str, bytes, bytes, list[tuple[str, bytes]]]] = []
        self.closed = False
        self._now, self._outcome = now, outcome
        self._offsets: Counter[tuple[str, int]] = Counter()
        self.flush = self._flush

    def connect(self, **settings: object) -> "FakeProducer":
        """Stand in for the constructor."""
        self.settings = settings
        return self

    def send(self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> SimpleNamespace:
        """Keep the record and return what became of it."""
        self.sent.append((self._now(), topic, key, value, headers))
        outcome = self._outcome(value)
        partition = len(key) % 3
        record = SimpleNamespace(topic=topic, partition=partition, offset=self._offsets[topic, partition])
        self._offsets[topic, partition] += outcome is None
        error = outcome if isinstance(outcome, BaseException) else None
        return SimpleNamespace(
            is_done=outcome != "silence", value=record, exception=error, failed=lambda: error is not None
        )

    def _flush(self, timeout: float | None = None) -> None:
        if self.sent and self._outcome(self.sent[-1][3]) == "silence":
            time.sleep(timeout or 0)  # as a client waits for an answer that does not come
            raise KafkaTimeoutError

    def close(self, timeout: float) -> None:
        """Flush first and give up where that fails, as the library does."""
        self.flush(timeout)
        self.closed = True


def acknowledged(_: bytes) -> None:
    """Every record arrives."""


def player(
    some: Season, clock: Callable[[], datetime], producer: FakeProducer, directory: Path, **others: Any
) -> Player:
    settings: dict[str, Any] = {"security": {}, "topics": {}} | others
    return Player(
        bootstrap_servers="127.0.0.1:9",
        season=some,
        now=clock,
        directory=directory,
        connect=producer.connect,
        **settings,
    )


def test_the_player_lets_others_work_between_two_looks_at_the_clock(short: Season, tmp_path: Path) -> None:
    """Staff of the season act while events are sent, not after."""
    clock = SteppingClock(short.start, timedelta(hours=3))
    producer = FakeProducer(lambda: clock.shown, acknowledged)
    sent: list[int] = []
    playing = player(short, clock, producer, tmp_path, meanwhile=lambda: sent.append(len(producer.sent)))
    assert playing.run(threading.Event())
    assert len(set(sent)) > 2
    assert sent[-1] == len(short.events)


def test_the_player_keeps_pace_with_the_clock(short: Season, tmp_path: Path) -> None:
    """Each event is sent in order, not before its time, and not later than the clock's next steps."""
    clock = SteppingClock(short.start, timedelta(hours=3))
    producer = FakeProducer(lambda: clock.shown, acknowledged)
    playing = player(short, clock, producer, tmp_path)
    assert playing.run(threading.Event())
    assert playing.finished
    assert producer.closed
    assert [sent[3] for sent in producer.sent] == [encoded(one.event) for one in short.events]
    # The backlog goes out in portions; after the first day there is none left.
    for (at, *_), one in zip(producer.sent, short.events, strict=True):
        assert one.published_at <= at
        assert at - one.published_at < timedelta(hours=3) or at < short.start + timedelta(days=1)


def test_what_the_broker_acknowledged_can_be_looked_up(short: Season, tmp_path: Path) -> None:
    """From topic, partition and offset one finds source, id and the digest of what was sent."""
    clock = SteppingClock(short.start, timedelta(hours=8))
    producer = FakeProducer(lambda: clock.shown, acknowledged)
    topics = {ORDERS: "my.orders", LOGISTICS: "my.logistics"}
    assert player(short, clock, producer, tmp_path, topics=topics).run(threading.Event())
    lines = [json.loads(line) for line in (tmp_path / "acked.jsonl").read_text().splitlines()]
    sent = defaultdict[tuple[str, int], list[tuple[bytes, bytes]]](list)
    for _, topic, key, value, headers in producer.sent:
        sent[topic, len(key) % 3].append((key, value))
        assert headers == [("content-type", b"application/cloudevents+json")]
    assert {topic for topic, _ in sent} == set(topics.values())
    assert len(lines) == len(short.events)
    assert len({(line["topic"], line["partition"], line["offset"]) for line in lines}) == len(lines)
    for line in lines:
        _, value = sent[line["topic"], line["partition"]][line["offset"]]
        event = json.loads(value)
        assert (line["source"], line["id"]) == (event["source"], event["id"])
        assert line["sha256"] == hashlib.sha256(value).hexdigest()
    assert [sent[3] for sent in producer.sent] == [encoded(one.event) for one in short.events]
    assert [sent[2].decode() for sent in producer.sent] == [one.key for one in short.events]


def test_the_producer_is_idempotent_and_gets_the_security_settings(short: Season, tmp_path: Path) -> None:
    """Acknowledged means written by all replicas, once; security settings cannot weaken that."""
    stop = threading.Event()
    stop.set()
    producer = FakeProducer(lambda: short.start, acknowledged)
    security = {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "acks": 0}
    assert not player(short, lambda: short.start, producer, tmp_path, security=security).run(stop)
    wanted = {"acks": "all", "enable_idempotence": True, "security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN"}
    assert {**producer.settings, **wanted, "bootstrap_servers": "127.0.0.1:9"} == producer.settings
    assert producer.sent == []


@pytest.mark.parametrize("outcome", [acknowledged, lambda _: "silence"], ids=["answering", "silent"])
def test_the_player_stops_within_a_second(short: Season, tmp_path: Path, outcome: Outcome) -> None:
    """Even where the broker has gone silent; what was acknowledged until then is on file."""
    producer = FakeProducer(lambda: short.start, outcome)
    playing = player(short, lambda: short.start, producer, tmp_path)
    stop = threading.Event()
    thread = threading.Thread(target=playing.run, args=(stop,))
    thread.start()
    while not producer.sent:
        time.sleep(0.01)  # between two looks
    asked = time.monotonic()
    stop.set()
    thread.join(5)
    assert time.monotonic() - asked < 1
    assert producer.closed
    assert not playing.finished
    assert len((tmp_path / "acked.jsonl").read_text().splitlines()) == playing.acked
    assert (playing.acked > 0) == (outcome is acknowledged)


def test_a_refused_record_is_sent_again(short: Season, tmp_path: Path) -> None:
    """A broker that fails for a moment loses nothing, and the file names each event once."""
    refused = Counter[bytes]()

    def outcome(value: bytes) -> BaseException | None:
        refused[value] += 1
        return KafkaTimeoutError() if value.endswith(b'"}}') and refused[value] == 1 else None

    clock = SteppingClock(short.start, timedelta(hours=8))
    producer = FakeProducer(lambda: clock.shown, outcome)
    assert player(short, clock, producer, tmp_path).run(threading.Event())
    lines = [json.loads(line) for line in (tmp_path / "acked.jsonl").read_text().splitlines()]
    assert len(producer.sent) > len(short.events)
    assert Counter((line["source"], line["id"]) for line in lines) == Counter(
        (one.event["source"], one.event["id"]) for one in short.events
    )


def test_a_record_that_is_always_refused_stops_the_player(short: Season, tmp_path: Path) -> None:
    """It names the event instead of going round in circles, and still closes the producer."""
    producer = FakeProducer(lambda: short.start, lambda _: KafkaTimeoutError())
    with pytest.raises(SeasonStuck, match=short.events[0].event["id"]):
        player(short, lambda: short.start, producer, tmp_path).run(threading.Event())
    assert producer.closed


def test_a_record_that_cannot_be_queued_is_kept_for_later(short: Season, tmp_path: Path) -> None:
    """Where a topic has no leader yet, the season waits and goes on in its order."""
    clock = SteppingClock(short.start, timedelta(hours=8))
    producer = FakeProducer(lambda: clock.shown, acknowledged)
    send, refusals = producer.send, iter([True, False, True, True])

    def reluctant(topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> SimpleNamespace:
        if next(refusals, False):
            raise KafkaTimeoutError
        return send(topic, value, key, headers)

    producer.send = reluctant  # type: ignore[method-assign]  # this producer alone
    assert player(short, clock, producer, tmp_path).run(threading.Event())
    assert [sent[3] for sent in producer.sent] == [encoded(one.event) for one in short.events]


def test_the_season_can_be_written_for_the_backtest(short: Season, tmp_path: Path) -> None:
    """The files hold the events in the order of arrival, byte for byte as in Kafka, and the truth."""
    write(short, tmp_path / "new")
    lines = (tmp_path / "new" / "season.jsonl").read_bytes().splitlines()
    assert lines == [encoded(one.event) for one in short.events]
    truth = [json.loads(line) for line in (tmp_path / "new" / "truth.jsonl").read_bytes().splitlines()]
    assert truth == short.truth
