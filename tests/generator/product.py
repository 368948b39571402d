"""What the product finds in messages as they arrive: the code of live ingest, on a log in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple

import orjson

from consumers.backtest import Run
from consumers.translate import Translator
from domain.history.batch import Batch, Incoming, Raw, Slice
from domain.history.log import Log
from domain.judging.adoption import Adopted, adopt
from domain.judging.report import final, line
from domain.tracker import Tracker
from tests.generator.policies import toml
from tests.story import LATER, memory_log

Event = dict[str, Any]
TOPICS: Final = {"order": "orders", "fulfillment": "orders", "price": "orders", "complaint": "complaints"}
RULED: Final = frozenset({"complaint_overdue", "delivery_failed", "presumed_lost"})
"""Kinds of which one subject may be found by several rules."""


class Trouble(NamedTuple):
    """What may go wrong on the way in without changing what is found."""

    by_topic: bool = False
    """Each family comes on a partition of its own, as from Kafka."""
    restarts: bool = False
    """The process starts anew before every batch."""
    redelivers: bool = False
    """Every batch comes again after it was taken in."""
    crowded: bool = False
    """Two processes share the partitions, and one stores its part while the other has decided on its own."""


SMOOTH: Final = Trouble()


def judged(
    messages: Iterable[Event], batches: Sequence[int], policy: Mapping[str, Any], trouble: Trouble = SMOOTH
) -> list[dict[str, Any]]:
    """Take messages in, so many at a time, and give what is found in the end, retracted findings left out."""
    partitions = ("orders", "logistics", "complaints") if trouble.by_topic or trouble.crowded else ("all",)
    with memory_log() as log:
        policies = adopt(log, toml(policy), 0)
        driver = Run(Tracker(log, policies), partitions)
        takes = _Crowd(log, policies, driver) if trouble.crowded else None
        for batch in _polls(messages, batches, partitions):
            if trouble.restarts:
                driver = _restarted(driver, Tracker(log, policies, cache_limit=1))
            (takes or driver).take(batch)
            if trouble.redelivers:
                assert Tracker(log, policies).take(batch, driver.frontier.until).position is None
        for name in partitions:
            driver.frontier.close(name)
        driver.tick()
        return [line(one) for one in final(log) if one.state != "retracted"]


class _Crowded(Tracker):
    """Lets somebody else write between what it has decided and what it stores."""

    meanwhile: Callable[[], None] | None = None

    def _decide(self, *given: Any) -> None:
        super()._decide(*given)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()


class _Process(NamedTuple):
    """One of two processes, which takes in a part of the topics."""

    tracker: _Crowded
    run: Run
    orders: bool

    def take(self, batch: Batch) -> None:
        """Take in what is on its topics."""
        mine = tuple(one for one in batch.slices if (one.topic == "orders") is self.orders)
        self.run._take(Batch(mine, batch.received_at))


class _Crowd:
    """Two processes that take turns at being the slow one; one more moves time."""

    def __init__(self, log: Log, policies: Sequence[Adopted], driver: Run) -> None:
        """Share one log, and one frontier."""
        trackers = _Crowded(log, policies), _Crowded(log, policies)
        self._slow, self._quick = (_Process(one, _restarted(driver, one), one is trackers[0]) for one in trackers)
        self._driver = driver

    def take(self, batch: Batch) -> None:
        """Take a batch in; one has decided on its part when the other one stores."""
        self._slow.tracker.meanwhile = partial(self._quick.take, batch)
        self._slow.take(batch)
        self._slow, self._quick = self._quick, self._slow
        self._driver.tick()


def _polls(messages: Iterable[Event], batches: Sequence[int], partitions: Sequence[str]) -> Iterator[Batch]:
    read, coming = Translator({}), iter(messages)
    offsets = dict.fromkeys(partitions, 0)
    for size in batches:
        parts: dict[str, list[Incoming]] = {name: [] for name in partitions}
        for event in islice(coming, size):
            topic = TOPICS.get(event["type"].split(".")[0], "logistics")
            name = topic if topic in parts else partitions[0]
            raw = Raw(name, 0, None, orjson.dumps(event), (), None)
            parts[name].append(read.incoming(offsets[name] + len(parts[name]), raw, LATER))
        yield Batch(tuple(_slices(parts, offsets)), LATER)


def _restarted(before: Run, tracker: Tracker) -> Run:
    """Go on with another process; its frontier is what the positions say, here simply handed on."""
    after = Run(tracker, ())
    after.frontier = before.frontier
    return after


def _slices(parts: Mapping[str, list[Incoming]], offsets: dict[str, int]) -> Iterable[Slice]:
    for name, records in parts.items():
        if records:
            begin = offsets[name]
            offsets[name] = begin + len(records)
            yield Slice(name, name, 0, begin or None, offsets[name], tuple(records))


def compared(found: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep of the product's findings what the oracle knows as well."""
    return _sorted(_kept(one, one["detail"].get("knowable_at"), one["detail"].get("ended_by")) for one in found)


def canonical(expected: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Keep of the oracle's findings the same."""
    return _sorted(_kept(one, one.get("knowable_at"), one.get("ended_by")) for one in expected)


def _kept(one: Mapping[str, Any], knowable_at: str | None, ended_by: str | None) -> dict[str, Any]:
    names = ("kind", "subject", "since", "due_at", "ended_at", "state", "order_ids")
    kept = {name: one[name] for name in names} | {"knowable_at": knowable_at}
    kept |= {"rule": one["rule"]} if one["kind"] in RULED else {}
    if one["kind"] == "late_shipment":
        kept |= {"warehouse_id": one["warehouse_id"], "proof": one["proof"], "ended_by": ended_by}
    return kept


def _sorted(found: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda one: (one["kind"], one["subject"], one["since"], one.get("rule", "")))
