"""History: what happened to an order and its parcels, and what the rules said of it, each with when we knew it.

Read from the log itself, up to where the views have come; nothing is kept twice.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec

from domain.detection import FINDING_EVENTS, FindingEnded, FindingEvent
from domain.events import Event, Fact, Stamp
from domain.history.log import LogRecorder, decode
from domain.instant import Instant, iso
from domain.naming import stream
from domain.orders.order import OrderParcelChanged
from domain.parcels.events import ParcelScanMoved
from projections.evidence import record
from projections.recorded import Entry, Until, known

_TOLD_BESIDE: Final = frozenset({"at", "source", "id", "via", "order_id"})
_INSTANTS: Final = frozenset({"ship_by", "deliver_by", "starts_at", "estimated_delivery"})


class Told(NamedTuple):
    """One entry of a history as it leaves, its place in the order of the world and in the log."""

    world: Stamp
    position: int
    entry: dict[str, Any]
    complete_at: int


def timeline(log: LogRecorder, order_id: str, until: Until) -> list[Told]:
    """List what was known to have happened, and what the rules had said of it, in the order in which it was learnt."""
    own = stream("order", order_id)
    rows = log.select_streams([own], until.position)
    parcels = _parcels(decode(row.topic, row.state) for row in rows if row.topic == OrderParcelChanged.TOPIC)
    entries = known(log, [*rows, *log.select_streams(sorted(parcels), until.position)], until)
    # A parcel is told of as soon as it was known to be the order's.
    streams = {own} | _parcels(one.event for one in entries if one.stream == own)
    moved = {(one.stream, one.event.source, one.event.id) for one in entries if isinstance(one.event, ParcelScanMoved)}
    told = ((one.stream, _told(one)) for one in entries if one.stream in streams)
    return [one for name, one in told if one is not None and (name, *one.world[1:]) not in moved]


def said(event: FindingEvent) -> dict[str, Any]:
    """Write what a rule said: by which policy, what proves it, and up to where time had been read."""
    finding = event.finding
    return {
        "rule": finding.rule,
        "policy": finding.policy,
        "proof": list(finding.proof),
        "about": {
            "kind": finding.kind,
            "subject": finding.subject,
            "due_at": iso(finding.due_at),
            "ended_at": None if finding.ended_at is None else iso(finding.ended_at),
            "severity": finding.severity,
            "known_up_to": iso(event.known_up_to),
        },
    }


def happened(event: FindingEvent) -> Instant:
    """Give the world time that a rule spoke of: when what it found ended, or else began to hold."""
    finding = event.finding
    ended = finding.ended_at if isinstance(event, FindingEnded) else None
    return finding.due_at if ended is None else ended


def _parcels(events: Iterable[Event]) -> set[str]:
    return {stream("parcel", one.parcel_id) for one in events if isinstance(one, OrderParcelChanged)}


def _told(one: Entry) -> Told | None:
    """Write an entry as it leaves; null for what is neither a fact nor a rule's word."""
    event = one.event
    if isinstance(event, FINDING_EVENTS):
        world, entry = Stamp(happened(event), "", ""), said(event)
    elif isinstance(event, Fact):
        world, entry = event.stamp, _fact(event)
    else:
        return None
    told = {"at": iso(world.at), "recorded_at": iso(one.recorded_at), "type": event.TOPIC, **entry}
    return Told(world, one.position, told, one.complete_at)


def _fact(fact: Fact) -> dict[str, Any]:
    content = msgspec.to_builtins(fact)
    about = {name: _shown(name, value) for name, value in content.items() if name not in _TOLD_BESIDE}
    return {"source": fact.source, "id": fact.id, **record(fact.via), "about": about}


def _shown(name: str, value: Any) -> Any:
    return iso(value) if name in _INSTANTS and isinstance(value, int) else value
