"""What we know: read models over the log, kept by one follower. Every view is one line here."""

from projections import (
    backlogs,
    clusters,
    complaints,
    contacts,
    dispositions,
    feed,
    feeds,
    incidents,
    orders,
    parcels,
    payments,
    payouts,
    rates,
    stakes,
    workflow,
)
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
    backlogs.VIEW,
    clusters.VIEW,
    payments.VIEW,
    payouts.VIEW,
    dispositions.VIEW,
    rates.VIEW,
)
"""Every view there is, in the order in which they are listed."""
