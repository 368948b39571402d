"""Liability: who has to answer for a finding, by rule until staff say otherwise, and how the customer is spoken to."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, get_args

from domain.incidents.events import Channel, Party

PARTIES: Final[tuple[Party, ...]] = get_args(Party)
_CARRIES: Final = frozenset({"stalled_parcel", "presumed_lost", "damaged_parcel", "carrier_backlog"})
_SHIPS: Final = frozenset({"unconfirmed_handover", "mis_shipment", "warehouse_backlog"})
_SELLS: Final = frozenset(
    {"stock_out", "mis_shipment_cluster", "product_defect", "price_difference", "complaint_overdue", "broken_promise"}
)
_CUSTOMERS: Final = (
    "recipient",
    "customer",
    "address",
    "nobody",
    "not home",
    "absent",
    "refus",
    "收件",
    "客户",
    "地址",
    "拒",
)
"""What carriers write when an attempt failed for a reason at the customer's."""


class Proposal(NamedTuple):
    """Who has to answer for it, and the rule that says so."""

    party: Party
    rule: str


class Manner(NamedTuple):
    """How to speak to the customer."""

    channels: tuple[Channel, ...]
    """First choice first."""
    confirm: Literal["in_writing", "none"]
    """Whether what was said must be confirmed in writing."""
    evidence: bool
    """Whether the customer is shown the evidence."""


def propose(finding: Mapping[str, Any], *, shipped_late: bool = False) -> Proposal | None:
    """Propose who has to answer for a finding in the contract's form; null where no rule says.

    >>> propose({"kind": "stalled_parcel", "rule": "no_movement", "warehouse_id": None, "detail": {}})
    Proposal(party='carrier', rule='in_the_hands_of_the_carrier')

    Args:
        finding: its kind, rule, warehouse and detail are read.
        shipped_late: the order was not handed over in time, which excuses the carrier for a late delivery.
    """
    kind, detail = finding["kind"], finding["detail"]
    if kind == "late_shipment":
        known = finding.get("warehouse_id") is not None
        return Proposal("warehouse", "not_handed_over_in_time") if known else Proposal("merchant", "no_warehouse_asked")
    if kind == "late_delivery":
        late = Proposal("warehouse", "handed_over_too_late")
        return late if shipped_late else Proposal("carrier", "in_the_hands_of_the_carrier")
    if kind == "delivery_failed":
        return _failed(finding["rule"], str(detail.get("reason", "")))
    if kind in _CARRIES:
        return Proposal("carrier", "in_the_hands_of_the_carrier")
    if kind in _SHIPS:
        return Proposal("warehouse", "not_handed_over" if kind == "unconfirmed_handover" else "done_by_the_warehouse")
    return Proposal("merchant", "owed_by_the_seller") if kind in _SELLS else None


def manner(party: Party | None) -> Manner:
    """Say how the customer is spoken to when somebody has to answer for it; as politely where that is unknown.

    >>> manner("customer")
    Manner(channels=('online',), confirm='none', evidence=True)
    """
    if party == "customer":
        return Manner(("online",), "none", evidence=True)
    return Manner(("phone",), "in_writing", evidence=False)


def _failed(rule: str, reason: str) -> Proposal:
    if rule in {"refused", "pickup_wait"}:
        return Proposal("customer", "refused" if rule == "refused" else "not_picked_up")
    theirs = any(word in reason.casefold() for word in _CUSTOMERS)
    return Proposal("customer", "not_to_be_found") if theirs else Proposal("carrier", "in_the_hands_of_the_carrier")
