"""Silence: where a finding of absence may only mean that nobody told us."""

from collections.abc import Iterable
from typing import Any, Final

from domain.feeds.feed import doubt, mapped
from domain.instant import Instant
from domain.parcels.events import TERMINAL
from domain.policies.policy import Policy
from projections import orders, parcels
from projections.view import Rows

_DOUBTED: Final = frozenset({"late_shipment", "late_delivery"})


def evidence(rows: Rows, body: dict[str, Any], due_at: Instant, policy: Policy) -> str | None:
    """Say since when the feed that would have told is silent, if it has told nothing past the time it was due.

    For a shipment that is the warehouse's, for a delivery those of the carriers that have not brought their parcels.
    """
    if body["state"] != "open" or body["kind"] not in _DOUBTED or not policy.feeds:
        return None
    places = _carriers(rows, body["order_ids"]) if body["kind"] == "late_delivery" else [body["warehouse_id"]]
    sources = mapped(places, policy)
    if not sources:
        return None
    found = rows.execute(
        f"SELECT source, MAX(last_at) FROM feed_sources WHERE source IN ({','.join('?' * len(sources))}) "  # noqa: S608
        "GROUP BY source",
        sources,
    )
    return doubt(places, due_at, {row[0]: row[1] for row in found}, policy)


def _carriers(rows: Rows, order_ids: Iterable[str]) -> list[str]:
    """Name the carriers of parcels that are still on their way."""
    found: set[str] = set()
    for order_id in order_ids:
        known = orders.one(rows, order_id)
        named = [] if known is None else [one["parcel_id"] for one in known[1]["parcels"]]
        for one in parcels.several(rows, named).values():
            if one["carrier"] is not None and one["voided_at"] is None and one["status"] not in TERMINAL:
                found.add(one["carrier"])
    return sorted(found)
