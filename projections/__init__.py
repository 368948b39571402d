"""What we know: read models over the log, kept by one follower. Every view is one line here."""

from projections import feed, feeds, incidents, orders, parcels
from projections.view import View

VIEWS: tuple[View, ...] = (incidents.VIEW, orders.VIEW, parcels.VIEW, feed.VIEW, feeds.VIEW)
"""Every view there is, in the order in which they are listed."""
