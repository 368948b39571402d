"""Silence: where a finding of absence may only mean that nobody told us."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from domain.feeds.feed import doubt, mapped
from domain.instant import Instant
from domain.parcels.events import TERMINAL
from domain.policies.policy import Policy
from projections import orders, parcels
from projections.incidents import Incident
from projections.view import Rows, among

_DOUBTED: Final = frozenset({"late_shipment", "late_delivery"})


def evidence(rows: Rows, some: Sequence[Incident], policy: Policy) -> dict[str, str | None]:
    """Say of incidents since when the feed that would have told is silent, if it told nothing past the time of each.

    For a shipment that is the warehouse's, for a delivery those of the carriers that have not brought their parcels.
    """
    doubted = [one for one in some if one.body["state"] == "open" and one.body["kind"] in _DOUBTED]
    if not doubted or not policy.feeds:
        return {}
    places = _places(rows, doubted)
    heard = _heard(rows, mapped((place for named in places.values() for place in named), policy))
    return {one.id: doubt(places[one.id], one.due_at, heard, policy) for one in doubted}


def _places(rows: Rows, doubted: Sequence[Incident]) -> dict[str, Sequence[str | None]]:
    """Name the warehouse or the carriers that each incident waits for."""
    undelivered = {order_id for one in doubted if _waits_for_carriers(one) for order_id in one.body["order_ids"]}
    carriers = _carriers(rows, sorted(undelivered))
    return {
        one.id: [place for order_id in one.body["order_ids"] for place in carriers[order_id]]
        if _waits_for_carriers(one)
        else [one.body["warehouse_id"]]
        for one in doubted
    }


def _waits_for_carriers(one: Incident) -> bool:
    return bool(one.body["kind"] == "late_delivery")


def _carriers(rows: Rows, order_ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Name the carriers of parcels of orders that are still on their way."""
    known = orders.several(rows, order_ids)
    named = {
        order_id: [one["parcel_id"] for one in known[order_id][1]["parcels"]] if order_id in known else []
        for order_id in order_ids
    }
    summaries = parcels.several(rows, sorted({parcel_id for some in named.values() for parcel_id in some}))
    carrying = {parcel_id: one["carrier"] for parcel_id, one in summaries.items() if _is_on_its_way(one)}
    return {
        order_id: [carrying[parcel_id] for parcel_id in some if parcel_id in carrying]
        for order_id, some in named.items()
    }


def _is_on_its_way(parcel: Mapping[str, Any]) -> bool:
    carried = parcel["carrier"] is not None and parcel["voided_at"] is None
    return carried and parcel["status"] not in TERMINAL


def _heard(rows: Rows, sources: Sequence[str]) -> dict[str, Instant]:
    """Give the largest event time of each of these sources that ever told anything."""
    asked = "SELECT source, MAX(last_at) FROM feed_sources WHERE source IN ({among}) GROUP BY source"
    return dict(among(rows, asked, sources))
