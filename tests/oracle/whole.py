"""Every kind that is worked out by brute force, in one list."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.oracle import complaints, deliveries, late_shipment, packing, parcels, stock
from tests.oracle.late_shipment import instant
from tests.oracle.waiting import known
from tests.oracle.world import Finding, World

KINDS = (
    "complaint_overdue",
    "damaged_parcel",
    "delivery_failed",
    "late_delivery",
    "late_shipment",
    "mis_shipment",
    "presumed_lost",
    "stalled_parcel",
    "stock_out",
    "unconfirmed_handover",
)


def oracle(events: Sequence[Mapping[str, Any]], policy: Mapping[str, Any]) -> list[Finding]:
    """Return what these well-formed events hold, sorted by (kind, subject, since, rule); time stands at the last."""
    if not any(event.get("time") for event in events):
        return []
    world = World(events, policy)
    structural = [*packing.findings(world)]
    proven = {order for finding in structural for order in finding["order_ids"]}
    found = [*structural, *complaints.reported(world, proven), *complaints.findings(world)]
    found += [*parcels.findings(world), *deliveries.findings(world), *stock.findings(world)]
    shipments = late_shipment.oracle(events, {key: rules for key, rules in policy.items() if key != "kinds"})
    found += [{"rule": None} | finding for finding in shipments if known(world, finding)]
    enabled = policy.get("kinds", {}).get("enabled", KINDS)
    kept = [finding for finding in found if finding["kind"] in enabled]
    return sorted(kept, key=lambda f: (f["kind"], f["subject"], instant(f["since"]), f["rule"] or ""))
