"""Parcels: where each one was last seen, by whom, and whether it is still on its way."""

from collections.abc import Sequence
from typing import Any

import msgspec

from domain.instant import Instant, iso
from domain.parcels.events import EVENTS, TERMINAL, ParcelLabelled, ParcelScanned, ParcelVoided
from domain.parcels.parcel import Parcel
from projections.subjects import Subjects
from projections.view import Rows, Streams, among

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode


class Parcels:
    """Keeps a summary of every parcel."""

    name = "parcels"
    version = 1
    tables = ("parcels",)
    schema = (
        """CREATE TABLE IF NOT EXISTS parcels (
            parcel_id TEXT PRIMARY KEY, position INTEGER NOT NULL, tracking_number TEXT,
            body BLOB NOT NULL) WITHOUT ROWID""",
        # The search by what stands on a label.
        "CREATE INDEX IF NOT EXISTS parcels_tracking ON parcels (tracking_number) WHERE tracking_number IS NOT NULL",
    )
    topics = frozenset(event.TOPIC for event in EVENTS)

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Write the parcels anew."""
        summaries = [(_summary(subjects.get(name)), entries[-1].position) for name, entries in streams.items()]
        rows.executemany(
            "INSERT INTO parcels VALUES (?,?,?,?) ON CONFLICT (parcel_id) DO UPDATE SET "
            "position = excluded.position, tracking_number = excluded.tracking_number, body = excluded.body",
            [(body["parcel_id"], position, body["tracking_number"], _ENCODE(body)) for body, position in summaries],
        )


VIEW = Parcels()


def several(rows: Rows, parcel_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Give the summaries of these parcels in the order they are named in, as far as they are known."""
    found = dict(among(rows, "SELECT parcel_id, body FROM parcels WHERE parcel_id IN ({among})", parcel_ids))
    return {one: _DECODE(found[one]) for one in parcel_ids if one in found}


def orders_of(rows: Rows, parcel_or_tracking: str) -> list[str]:
    """Name the orders of a parcel, found by its id or by its tracking number."""
    found = rows.execute(
        "SELECT body FROM parcels WHERE parcel_id = ?1 OR tracking_number = ?1 ORDER BY parcel_id LIMIT 20",
        (parcel_or_tracking,),
    )
    return sorted({order_id for row in found for order_id in _DECODE(row[0])["order_ids"]})


def _summary(parcel: Parcel) -> dict[str, Any]:
    scans = parcel.facts.of(ParcelScanned)
    labels = parcel.facts.of(ParcelLabelled)
    voids = parcel.facts.of(ParcelVoided)
    packed = parcel.packed
    last = next((scan for scan in scans if scan.status in TERMINAL), scans[-1] if scans else None)
    possessed = parcel.meaning.possessed
    return {
        "parcel_id": parcel.id,
        "order_ids": list(parcel.meaning.order_ids),
        "carrier": parcel.meaning.carrier,
        "tracking_number": labels[-1].tracking_number if labels else _tracking_number(scans),
        "warehouse_id": None if packed is None else packed.warehouse_id,
        "packed_at": None if packed is None else iso(packed.at),
        "labelled_at": iso(labels[0].at) if labels else None,
        "possessed_at": None if possessed is None else iso(possessed.at),
        "voided_at": iso(voids[0].at) if voids else None,
        "replaced_by": voids[0].replaced_by if voids else None,
        "scans": len(scans),
        "status": None if last is None else last.status,
        "status_at": None if last is None else iso(last.at),
        "region": None if last is None else last.region,
        "estimated_delivery": _estimate(scans),
    }


def _tracking_number(scans: Sequence[ParcelScanned]) -> str | None:
    return next((scan.tracking_number for scan in scans if scan.tracking_number), None)


def _estimate(scans: Sequence[ParcelScanned]) -> str | None:
    estimates: list[Instant] = [scan.estimated_delivery for scan in scans if scan.estimated_delivery is not None]
    return iso(estimates[-1]) if estimates else None
