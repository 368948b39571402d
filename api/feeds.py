"""``/v1/feeds``: what comes in, how far it has been read, and what was odd about it."""

from typing import Final

from fastapi import APIRouter

from api.contract import operations as contract
from api.reading import CaughtUp
from domain.detectors.feed_silent import FeedSilent
from domain.instant import FOREVER, Instant, iso
from projections import feeds, frontier, incidents
from projections.query import Filter
from projections.view import Rows

router = APIRouter(prefix="/v1", tags=["feeds"])
_SILENT: Final = Filter(kind=(FeedSilent.kind,), state=("open",))
_NOTHING_YET = {"records": 0, "taken": 0, "repeated": 0, "skipped": 0}


@router.get("/feeds", operation_id="get_feeds")
async def get_feeds(reader: CaughtUp) -> contract.FeedsState:
    """Show sources and partitions with their watermarks, and which sources are silent."""
    with reader.snapshot() as snapshot:
        rows = snapshot.rows
        return contract.FeedsState(
            sources=_sources(rows),
            partitions=_partitions(rows),
            quarantined=_counts(rows, "quarantined"),
            foreign=_counts(rows, "foreign"),
            as_of=reader.as_of(snapshot),
        )


def _sources(rows: Rows) -> list[contract.Source]:
    flags: dict[str, dict[str, int]] = {}
    for name, source, count in feeds.counted(rows, "flag"):
        flags.setdefault(source, {})[name] = count
    known = feeds.sources(rows)
    silent = {one.body["subject"]: one for one in incidents.listed(rows, _SILENT, len(known))}
    return [
        contract.Source(
            source=one["source"],
            last_event_at=iso(one["last_at"]),
            received_at=iso(one["received_at"]),
            events=one["events"],
            silence=_silence(silent.get(one["source"])),
            flags=flags.get(one["source"], {}),
        )
        for one in known
    ]


def _silence(found: incidents.Incident | None) -> contract.Silence | None:
    return None if found is None else contract.Silence(since=found.body["since"], incident=found.id)


def _partitions(rows: Rows) -> list[contract.PartitionState]:
    counts = {one["partition"]: one for one in feeds.partitions(rows)}
    return [
        contract.PartitionState(
            topic=one.topic,
            partition=one.number,
            position=one.next,
            taken_up_to=None if one.taken_up_to == FOREVER else _iso(one.taken_up_to),
            largest_event_time=_iso(one.largest),
            retired=one.taken_up_to == FOREVER,
            **{name: counts.get(one.partition, _NOTHING_YET)[name] for name in _NOTHING_YET},
        )
        for one in frontier.read(rows)
    ]


def _counts(rows: Rows, what: str) -> list[contract.Count]:
    return [
        contract.Count(name=name, source=source or None, count=count)
        for name, source, count in feeds.counted(rows, what)
    ]


def _iso(at: Instant | None) -> str | None:
    return None if at is None else iso(at)
