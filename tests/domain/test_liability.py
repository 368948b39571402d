"""Who has to answer for what, and how customers are therefore spoken to."""

import pytest

from domain.incidents.liability import PARTIES, manner, propose
from domain.policies.policy import KINDS


def proposed(kind, rule="r", *, late=False, **more):
    found = propose({"kind": kind, "rule": rule, "warehouse_id": "W", "detail": {}} | more, shipped_late=late)
    return None if found is None else found.party


@pytest.mark.parametrize(
    ("party", "case"),
    [
        ("warehouse", proposed("late_shipment")),
        ("merchant", proposed("late_shipment", warehouse_id=None)),
        ("warehouse", proposed("unconfirmed_handover")),
        ("warehouse", proposed("mis_shipment")),
        ("warehouse", proposed("warehouse_backlog")),
        ("carrier", proposed("stalled_parcel")),
        ("carrier", proposed("presumed_lost")),
        ("carrier", proposed("damaged_parcel", "damaged")),
        ("carrier", proposed("late_delivery")),
        ("warehouse", proposed("late_delivery", late=True)),
        ("carrier", proposed("delivery_failed", "attempt")),
        ("carrier", proposed("delivery_failed", "attempt", detail={"reason": "van broke down"})),
        ("customer", proposed("delivery_failed", "attempt", detail={"reason": "Recipient not home"})),
        ("customer", proposed("delivery_failed", "attempt", detail={"reason": "收件人不在"})),
        ("customer", proposed("delivery_failed", "refused")),
        ("customer", proposed("delivery_failed", "pickup_wait")),
        ("merchant", proposed("stock_out")),
        ("merchant", proposed("product_defect")),
        ("merchant", proposed("mis_shipment_cluster")),
        (None, proposed("feed_silent")),
    ],
)
def test_the_rule_proposes_by_kind_and_facts(party, case):
    assert case == party


def test_every_kind_but_a_silent_feed_has_somebody_to_answer_for_it():
    assert {kind for kind in KINDS if proposed(kind) is None} == {"feed_silent"}


@pytest.mark.parametrize("party", [*PARTIES, None])
def test_the_customer_is_written_to_with_evidence_and_everybody_else_is_called_and_confirms_in_writing(party):
    found = manner(party)
    if party == "customer":
        assert (found.channels, found.confirm, found.evidence) == (("online",), "none", True)
    else:
        assert (found.channels, found.confirm, found.evidence) == (("phone",), "in_writing", False)
