"""Every rule of the tracker: one module a kind, named after it, and one line here."""

from typing import Any, Final

from domain.detection import Detector
from domain.detectors import (
    broken_promise,
    carrier_backlog,
    complaint_overdue,
    damaged_parcel,
    delivery_failed,
    feed_silent,
    late_delivery,
    late_shipment,
    mis_shipment,
    mis_shipment_cluster,
    mis_shipment_reported,
    overdue_parcel,
    presumed_lost,
    price_difference,
    product_defect,
    stalled_parcel,
    stock_out,
    unconfirmed_handover,
    warehouse_backlog,
)

DETECTORS: Final[dict[str, tuple[Detector[Any], ...]]] = {
    "order": (late_shipment.DETECTOR, late_delivery.DETECTOR, stock_out.DETECTOR, broken_promise.DETECTOR),
    "parcel": (
        unconfirmed_handover.DETECTOR,
        stalled_parcel.DETECTOR,
        delivery_failed.DETECTOR,
        damaged_parcel.DETECTOR,
        presumed_lost.DETECTOR,
        presumed_lost.REPORTED,
        mis_shipment.DETECTOR,
        overdue_parcel.DETECTOR,
    ),
    "complaint": (complaint_overdue.DETECTOR, mis_shipment_reported.DETECTOR),
    "backlog": (warehouse_backlog.DETECTOR, carrier_backlog.DETECTOR),
    "cluster": (mis_shipment_cluster.DETECTOR, product_defect.DETECTOR),
    "price_cut": (price_difference.DETECTOR,),
    "feed": (feed_silent.DETECTOR,),
}
"""Rules by kind of stream; each is run on every such subject that changed or whose deadline came."""

NEEDED_BY: Final[dict[str, frozenset[str]]] = {
    "late_shipment": frozenset({"warehouse_backlog"}),
    "stalled_parcel": frozenset({"carrier_backlog"}),
    "overdue_parcel": frozenset({"carrier_backlog"}),
    "mis_shipment": frozenset({"mis_shipment_cluster"}),
}
"""Kinds that are computed, though not reported, while one of these is enabled."""
