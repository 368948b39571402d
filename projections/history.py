"""History: every fact of an order and of its parcels, in the order of the world, with the record that brought it.

Read from the log itself, up to where the views have come; nothing is kept twice.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from domain.detection import FINDING_EVENTS, FindingEvent
from domain.events import Fact, Stamp
from domain.history.log import LogRecorder, decode
from domain.instant import iso
from domain.naming import stream
from domain.parcels.events import ParcelScanMoved
from projections.evidence import record

_TOLD_BESIDE: Final = frozenset({"at", "source", "id", "via", "order_id"})
_INSTANTS: Final = frozenset({"ship_by", "deliver_by", "starts_at", "estimated_delivery"})


def timeline(log: LogRecorder, order_id: str, parcel_ids: Sequence[str], up_to: int) -> list[dict[str, Any]]:
    """List what happened, earliest first, and what the rules said of it."""
    streams = [stream("order", order_id), *(stream("parcel", parcel_id) for parcel_id in parcel_ids)]
    events = [decode(row.topic, row.state) for row in log.select_streams(streams, up_to)]
    moved = {(event.source, event.id) for event in events if isinstance(event, ParcelScanMoved)}
    facts = [event for event in events if isinstance(event, Fact) and (event.source, event.id) not in moved]
    told = [(fact.stamp, _fact(fact)) for fact in facts]
    told += [
        (Stamp(event.known_up_to, "", ""), _finding(event)) for event in events if isinstance(event, FINDING_EVENTS)
    ]
    return [entry for _, entry in sorted(told, key=lambda one: one[0])]


def _fact(fact: Fact) -> dict[str, Any]:
    content = msgspec.to_builtins(fact)
    about = {name: _shown(name, value) for name, value in content.items() if name not in _TOLD_BESIDE}
    return {
        "at": iso(fact.at),
        "type": fact.TOPIC,
        "source": fact.source,
        "id": fact.id,
        **record(fact.via),
        "about": about,
    }


def _finding(event: FindingEvent) -> dict[str, Any]:
    finding = event.finding
    about = {"kind": finding.kind, "subject": finding.subject, "due_at": iso(finding.due_at)}
    return {"at": iso(event.known_up_to), "type": event.TOPIC, "about": about}


def _shown(name: str, value: Any) -> Any:
    return iso(value) if name in _INSTANTS and isinstance(value, int) else value
