"""What the feeds of the demo world report, and when each report reaches Kafka."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from deploy.demo.catalogue import LAGS, LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from random import Random

ORDERS: Final = "orders.events.v1"
LOGISTICS: Final = "logistics.events.v1"
COMPLAINTS: Final = "complaints.events.v1"
HEARTBEAT: Final = "feed.heartbeat.v1"

_TOPIC_OF_FAMILY: Final = {"order": ORDERS, "fulfillment": ORDERS, "price": ORDERS, "complaint": COMPLAINTS}
_UPLOADED_IN_ONE_GO: Final = 0.04
_SENT_TWICE: Final = 0.005


@dataclass(frozen=True, slots=True)
class SeasonEvent:
    """One CloudEvent, the time at which it happened and the time at which it is sent."""

    at: datetime
    published_at: datetime
    topic: str
    key: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Report:
    at: datetime
    source: str
    kind: str
    subject: str
    data: dict[str, Any]


class Journal:
    """Takes reports in any order and hands them out as a player has to send them."""

    def __init__(self, mark: str, start: datetime, end: datetime, dice: Callable[[str], Random]) -> None:
        """Keep reports up to `end`; what happened before `start` is sent at `start`.

        `mark` is part of every event id, so that two seasons in one Kafka do not contradict each other.
        """
        self._mark = mark
        self._start = start
        self._end = end
        self._dice = dice
        self._reports: list[_Report] = []

    def tell(self, at: datetime, source: str, kind: str, subject: str, data: dict[str, Any]) -> None:
        """Report that something happened; what happens after the end of the season is never heard of."""
        if at <= self._end:
            self._reports.append(_Report(at.astimezone(UTC), source, kind, subject, data))

    def tell_heartbeats(self, since: datetime, is_down: Callable[[str, datetime], bool]) -> None:
        """Let every feed say once an hour up to when it is complete, each at a minute of its own, and at the end."""
        for source in LAGS:
            at = since + timedelta(minutes=self._dice(f"heartbeat{source}").randrange(60))
            while at < self._end:
                if not is_down(source, at):
                    self.tell(at, source, HEARTBEAT, source, {})
                at += timedelta(hours=1)
            self.tell(self._end, source, HEARTBEAT, source, {})

    def silences(self, longest: timedelta) -> list[tuple[str, datetime, datetime]]:
        """List from when to when a feed told nothing for longer than that."""
        times: defaultdict[str, list[datetime]] = defaultdict(list)
        for report in sorted(self._reports, key=lambda one: one.at):
            times[report.source].append(report.at)
        return [
            (source, last, following)
            for source, heard in times.items()
            for last, following in pairwise(heard)
            if following - last > longest
        ]

    def names(self) -> Iterator[tuple[datetime, str, str, str]]:
        """Give time, feed, subject and id of every report."""
        for report, event, _ in self._numbered():
            yield report.at, report.source, report.subject, event["id"]

    def published(self) -> list[SeasonEvent]:
        """Return every report in the order of arrival, some of them twice."""
        events = [one for report in self._numbered() for one in self._sent(*report)]
        return sorted(events, key=_arrival)

    def _numbered(self) -> Iterator[tuple[_Report, dict[str, Any], Random]]:
        numbers: Counter[str] = Counter()
        dice = {source: self._dice(f"delay{source}") for source in LAGS}
        for report in sorted(self._reports, key=lambda one: one.at):
            numbers[report.source] += 1
            name = report.source.rsplit("/", 1)[-1].lower()
            event = _cloud_event(f"{name}-{self._mark}-{numbers[report.source]:06d}", report)
            yield report, event, dice[report.source]

    def _sent(self, report: _Report, event: dict[str, Any], dice: Random) -> Iterator[SeasonEvent]:
        topic = _TOPIC_OF_FAMILY.get(report.kind.split(".", 1)[0], LOGISTICS)
        key = record_key(topic, event)
        sent = min(max(report.at + _delay(report, dice), self._start), self._end)
        yield SeasonEvent(report.at, sent, topic, key, event)
        again = sent + timedelta(seconds=dice.randrange(20, 1_800))
        if dice.random() < _SENT_TWICE and again <= self._end:
            yield SeasonEvent(report.at, again, topic, key, event)


def record_key(topic: str, event: dict[str, Any]) -> str:
    """Return the key that the contract gives to a record of this topic."""
    data = event["data"]
    members = {ORDERS: ("order_id",), COMPLAINTS: ("complaint_id",)}.get(topic, ("parcel_id", "order_id"))
    return str(next((data[member] for member in members if member in data), event["source"]))


def local_time(at: datetime) -> str:
    """Write a time as people in the shops and warehouses read it."""
    return at.astimezone(LOCAL).isoformat()


def _delay(report: _Report, dice: Random) -> timedelta:
    """Return how long this report is under way: mostly minutes, never longer than its feed allows."""
    lag = LAGS[report.source]
    # A heartbeat promises that nothing older is still to come, so it waits for the slowest report.
    if report.kind == HEARTBEAT:
        return lag
    longest = int(lag.total_seconds())
    if dice.random() < _UPLOADED_IN_ONE_GO:
        return timedelta(seconds=dice.randrange(longest // 3, longest))
    return timedelta(seconds=min(1 + int(dice.expovariate(12 / longest)), longest - 1))


def _cloud_event(identity: str, report: _Report) -> dict[str, Any]:
    carrier = report.source.startswith("/carriers/")
    return {
        "specversion": "1.0",
        "id": identity,
        "source": report.source,
        "type": report.kind,
        "subject": report.subject,
        "time": report.at.isoformat().replace("+00:00", "Z") if carrier else local_time(report.at),
        "datacontenttype": "application/json",
        "data": report.data,
    }


def _arrival(one: SeasonEvent) -> tuple[datetime, datetime, bool, str, str]:
    event = one.event
    return one.published_at, one.at, event["type"] == HEARTBEAT, event["source"], event["id"]
