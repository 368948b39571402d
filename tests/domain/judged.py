"""What the product finds in messages as they arrive: the code of live ingest, on a log in memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

import orjson

from consumers.backtest import Run
from consumers.translate import Translator
from domain.adoption import adopt
from domain.batch import Batch, Incoming, Raw, Slice
from domain.report import final, line
from domain.tracker import Tracker
from tests.story import LATER, memory_log

Event = dict[str, Any]
TOPICS: Final = {"order": "orders", "fulfillment": "orders", "price": "orders", "complaint": "complaints"}


def toml(policy: Mapping[str, Mapping[str, Any]]) -> str:
    """Write a policy of plain tables as its file."""
    tables = (
        f"[{name}]\n" + "\n".join(f"{key} = {orjson.dumps(value).decode()}" for key, value in table.items())
        for name, table in policy.items()
    )
    return "\n".join(tables)


class Trouble(NamedTuple):
    """What may go wrong on the way in without changing what is found."""

    by_topic: bool = False
    """Each family comes on a partition of its own, as from Kafka."""
    restarts: bool = False
    """The process starts anew before every batch."""
    redelivers: bool = False
    """Every batch comes again after it was taken in."""


SMOOTH: Final = Trouble()


def judged(
    messages: Iterable[Event], batches: Sequence[int], policy: Mapping[str, Any], trouble: Trouble = SMOOTH
) -> list[dict[str, Any]]:
    """Take messages in, so many at a time, and give what is found in the end, retracted findings left out."""
    partitions = ("orders", "logistics", "complaints") if trouble.by_topic else ("all",)
    with memory_log() as log:
        policies = adopt(log, toml(policy), 0)
        driver = Run(Tracker(log, policies), partitions)
        for batch in _polls(messages, batches, partitions):
            if trouble.restarts:
                driver = _restarted(driver, Tracker(log, policies, cache_limit=1))
            driver.take(batch)
            if trouble.redelivers:
                assert Tracker(log, policies).take(batch, driver.frontier.until).position is None
        for name in partitions:
            driver.frontier.close(name)
        driver.tick()
        return [line(one) for one in final(log) if one.state != "retracted"]


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
    """Keep of findings what the oracle knows as well."""
    names = ("kind", "subject", "since", "due_at", "ended_at", "state", "order_ids", "warehouse_id", "proof")
    details = ("knowable_at", "ended_by")
    kept = [{n: one[n] for n in names} | {n: one["detail"].get(n) for n in details} for one in found]
    return sorted(kept, key=lambda one: (one["subject"], one["since"], one["order_ids"]))


def canonical(expected: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sort the oracle's findings alike."""
    return sorted((dict(one) for one in expected), key=lambda one: (one["subject"], one["since"], one["order_ids"]))
