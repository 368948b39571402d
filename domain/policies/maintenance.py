"""Maintenance: known trouble at one place for a known time, because of which nobody need be called."""

import msgspec

from domain.instant import Instant


class Maintenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of known trouble at one place."""

    since: Instant
    """RFC 3339, with an offset."""
    until: Instant
    """When it is over by itself; RFC 3339, with an offset."""
    reason: str
    warehouse: str | None = None
    """Either this or the carrier."""
    carrier: str | None = None

    def covers(self, at: Instant, *, warehouse: str | None, carrier: str | None) -> bool:
        """Say whether this is going on at an instant and concerns one of these places."""
        here = (self.warehouse is not None and self.warehouse == warehouse) or (
            self.carrier is not None and self.carrier == carrier
        )
        return here and self.since <= at < self.until
