"""Carriers' own codes by brute force: each scan without a status is read by a table, whoever names its carrier."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.oracle.late_shipment import instant

Event = Mapping[str, Any]


def understood(events: Sequence[Event], table: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """Return the events, scans with the status that their code has at the carrier that had the parcel then."""
    own = [_with(event, table.get((_said(event, "carrier"), _said(event, "raw_code")))) for event in events]
    return [_with(event, table.get((_carrier(event, own), _said(event, "raw_code")))) for event in own]


def _said(event: Event, member: str) -> str:
    return str((event.get("data") or {}).get(member) or "")


def _with(event: Event, status: str | None) -> dict[str, Any]:
    if event["type"] != "parcel.scanned.v1" or _said(event, "status") or not status:
        return dict(event)
    return {**event, "data": {**event["data"], "status": status}}


def _carrier(scan: Event, events: Sequence[Event]) -> str:
    """Name the carrier that a scan itself names, else the latest label by then, else the first one, else a scan."""
    if _said(scan, "carrier"):
        return _said(scan, "carrier")
    mine = [one for one in events if _said(one, "parcel_id") == _said(scan, "parcel_id") and _said(one, "carrier")]
    mine.sort(key=lambda one: (instant(one["time"]), one["source"], one["id"]))
    labels = [one for one in mine if one["type"] == "parcel.labelled.v1"]
    naming = labels or [one for one in mine if _said(one, "status") not in {"", "unknown"}]
    by_then = [one for one in naming if instant(one["time"]) <= instant(scan["time"])]
    return _said([*naming[:1], *by_then][-1], "carrier") if naming else ""
