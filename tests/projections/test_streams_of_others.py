"""Findings lie in the stream of whatever they are about; a view of one sort of subject is not stopped by another's."""

import pytest

from domain.incidents.commands import Contact
from domain.incidents.events import Statement
from tests.projections.staffed import do, rebuilt
from tests.projections.stage import Stage
from tests.projections.test_worklist import late, late_order
from tests.story import complained, heartbeat, labelled, scanned


@pytest.fixture
def shop(told: Stage) -> Stage:
    """Let an order be late, its parcel stall and its customer complain in vain."""
    late_order(told, "1", "C")
    told.hear(
        labelled(10, "P", order_ids=("O1",)),
        scanned(40, "P", order_ids=("O1",)),
        complained(50, "K", order_id="O1"),
        heartbeat(150),
        until=149,
    )
    return told


def test_findings_of_parcels_and_complaints_stop_no_view(shop: Stage) -> None:
    streams = {row[0] for row in shop.query("SELECT DISTINCT stream FROM incidents")}
    assert streams >= {"order-O1", "parcel-P", "complaint-K"}
    assert shop.query("SELECT * FROM parked") == []
    rebuilt(shop)


def test_once_something_was_said_they_do_not_stop_the_view_of_contacts_either(shop: Stage) -> None:
    said = Contact(by="li", channel="phone", outcome="reached", statements=(Statement(order_id="O1", claim="shipped"),))
    do(shop, late("1"), said, 150)
    shop.hear(complained(151, "L", order_id="O1", category="wrong_item"), heartbeat(190), until=189)
    assert ("complaint-L",) in shop.query("SELECT DISTINCT stream FROM incidents")
    assert shop.query("SELECT * FROM parked") == []
    rebuilt(shop)
