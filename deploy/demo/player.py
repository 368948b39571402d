"""Plays a season into Kafka at the pace of the demo clock, and keeps what the broker acknowledged."""

from __future__ import annotations

import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any, Final, Protocol, TextIO

from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError

from deploy.demo.season import Season, SeasonEvent

_HEADERS: Final = (("content-type", b"application/cloudevents+json"),)
_PAUSE_SECONDS: Final = 0.05
_BATCH: Final = 500
_ATTEMPTS: Final = 5
# A broker that does not answer must not keep us from noticing the stop for longer than this.
_BLOCK_MS: Final = 400
_SETTLE_SECONDS: Final = 0.4
_CLOSE_SECONDS: Final = 0.2

_log = logging.getLogger(__name__)


class SeasonStuck(RuntimeError):
    """Says which event the broker would not take, after several attempts."""


class Delivery(Protocol):
    """What a producer returns for a record on its way."""

    is_done: bool
    value: Any
    exception: BaseException | None

    def failed(self) -> bool:
        """Say whether it is done and did not arrive."""


class Producer(Protocol):
    """The part of `kafka.KafkaProducer` that the player uses."""

    flush: Callable[..., None]

    def send(self, topic: str, value: bytes, key: bytes, headers: list[tuple[str, bytes]]) -> Delivery:
        """Begin to send one record."""

    def close(self, timeout: float) -> None:
        """Send what is left, then stop."""


@dataclass(slots=True)
class _Sent:
    event: SeasonEvent
    topic: str
    value: bytes
    attempts: int = 0
    delivery: Delivery | None = field(default=None, repr=False)


class Player:
    """Sends each event once the demo clock has reached its `published_at`, never before."""

    def __init__(
        self,
        *,
        bootstrap_servers: str | Sequence[str],
        security: Mapping[str, Any],
        topics: Mapping[str, str],
        season: Season,
        now: Callable[[], datetime],
        directory: Path,
        connect: Callable[..., Producer] = KafkaProducer,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare to play; nothing is connected before `run`.

        `meanwhile` is called between two looks at the clock. `topics` maps the default topic names to the real ones;
        `security` holds further arguments of `KafkaProducer`; `acked.jsonl` in `directory` is written anew by every
        run.
        """
        settings = {"bootstrap_servers": bootstrap_servers, "enable_idempotence": True, "acks": "all"}
        self._settings: dict[str, Any] = {"max_block_ms": _BLOCK_MS, **security, **settings}
        self._topics = topics
        self._events = season.events
        self._now = now
        self._directory = directory
        self._connect = connect
        self._meanwhile = meanwhile
        self._next = 0
        self._again: deque[_Sent] = deque()
        self._pending: list[_Sent] = []
        self.acked = 0

    @property
    def finished(self) -> bool:
        """Say whether the broker has acknowledged the whole season."""
        return self.acked == len(self._events)

    def run(self, stop: Event) -> bool:
        """Play until the season is over (True) or `stop` is set (False, within a second).

        Raises what `KafkaProducer` raises where no broker answers, and `SeasonStuck` where one refuses an event.
        """
        self._next, self.acked, self._pending = 0, 0, []
        self._again.clear()
        self._directory.mkdir(parents=True, exist_ok=True)
        producer = self._connect(**self._settings)
        with (self._directory / "acked.jsonl").open("w", encoding="utf-8") as acked:
            try:
                while not stop.is_set() and not self.finished:
                    self._send_due(producer)
                    self._settle(acked)
                    self._meanwhile()
                    stop.wait(_PAUSE_SECONDS)
            finally:
                self._close(producer, acked)
        return self.finished

    def _send_due(self, producer: Producer) -> None:
        now = self._now()
        for _ in range(_BATCH):
            one = self._again[0] if self._again else self._due(now)
            if one is None or not self._send(producer, one):
                return
            if self._again:
                self._again.popleft()
            else:
                self._next += 1

    def _due(self, now: datetime) -> _Sent | None:
        if self._next == len(self._events) or self._events[self._next].published_at > now:
            return None
        event = self._events[self._next]
        return _Sent(event, self._topics.get(event.topic, event.topic), encoded(event.event))

    def _send(self, producer: Producer, one: _Sent) -> bool:
        """Hand a record to the producer; False where it could not even be queued and has to be tried again."""
        if one.attempts == _ATTEMPTS:
            cause = None if one.delivery is None else one.delivery.exception
            raise SeasonStuck(f"{one.event.event['id']} was refused {_ATTEMPTS} times") from cause
        if one.delivery is not None:
            _log.warning("%s is sent again: %r", one.event.event["id"], one.delivery.exception)
        try:
            one.delivery = producer.send(one.topic, value=one.value, key=one.event.key.encode(), headers=[*_HEADERS])
        except KafkaTimeoutError as error:
            _log.warning("no way to send to %s yet: %s", one.topic, error)
            return False
        one.attempts += 1
        self._pending.append(one)
        return True

    def _settle(self, acked: TextIO) -> None:
        """Write down what was acknowledged; send again what was not, which is harmless as ids stay the same."""
        done = [one for one in self._pending if one.delivery is not None and one.delivery.is_done]
        self._pending = [one for one in self._pending if one.delivery is None or not one.delivery.is_done]
        for one in done:
            if one.delivery is not None and one.delivery.failed():
                self._again.append(one)
            elif one.delivery is not None:
                acked.write(_acknowledgement(one, one.delivery.value))
                self.acked += 1
        acked.flush()

    def _close(self, producer: Producer, acked: TextIO) -> None:
        until = time.monotonic() + _SETTLE_SECONDS
        while any(one.delivery is not None and not one.delivery.is_done for one in self._pending):
            if time.monotonic() > until:
                break
            time.sleep(0.01)
        try:
            producer.close(timeout=_CLOSE_SECONDS)
        except KafkaTimeoutError:
            # close() gives up in its own flush() before it has stopped its thread; the rest is lost either way.
            producer.flush = _leave_unsent
            producer.close(timeout=_CLOSE_SECONDS)
        self._settle(acked)


def encoded(event: Mapping[str, Any]) -> bytes:
    """Return the bytes of an event as they stand in Kafka and in `season.jsonl`."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def write(season: Season, directory: Path) -> None:
    """Write `season.jsonl`, one CloudEvent a line in the order of arrival, and `truth.jsonl`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, lines in (("season", [one.event for one in season.events]), ("truth", season.truth)):
        (directory / f"{name}.jsonl").write_bytes(b"".join(encoded(line) + b"\n" for line in lines))


def _acknowledgement(one: _Sent, record: Any) -> str:
    event = one.event.event
    line = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "source": event["source"],
        "id": event["id"],
        "sha256": sha256(one.value).hexdigest(),
    }
    return json.dumps(line, separators=(",", ":")) + "\n"


def _leave_unsent(timeout: float | None = None) -> None:
    """Do not wait for a broker that does not answer."""
