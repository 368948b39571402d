"""What we know: read models over the log, kept by one follower. Every view is one line here."""

from projections import complaints, contacts, feed, feeds, incidents, orders, parcels, stakes, workflow
from projections.view import View

VIEWS: tuple[View, ...] = (
    incidents.VIEW,
    orders.VIEW,
    parcels.VIEW,
    feed.VIEW,
    feeds.VIEW,
    workflow.VIEW,
    complaints.VIEW,
    stakes.VIEW,
    contacts.VIEW,
)
"""Every view there is, in the order in which they are listed."""
