"""The book of the service desk: what staff promised whom on the phone, and which of it was not kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from deploy.demo.wrong import Wrong


@dataclass(frozen=True, slots=True)
class Call:
    """A call about a late shipment, and the time until which hand-over to the carrier was promised."""

    contact_id: str
    at: datetime
    fulfilment: str
    order_id: str
    by: str
    until: datetime
    said: str


class Calls:
    """Keeps every call with what came of it; facts later than the end of the season are never entered."""

    def __init__(self, end: datetime) -> None:
        """Close the book at `end`."""
        self._end = end
        self._kept_at: dict[Call, datetime | None] = {}

    def enter(self, call: Call, kept_at: datetime | None) -> None:
        """Enter a call, and when what was promised in it was done; None where it never was."""
        if call.at < self._end:
            self._kept_at[call] = kept_at

    def made(self) -> list[Call]:
        """List all calls, first things first."""
        return sorted(self._kept_at, key=lambda one: (one.at, one.contact_id))

    def wrongs(self) -> list[Wrong]:
        """List the promises that were not kept in time."""
        return [
            Wrong("broken_promise", call.contact_id, call.until, kept_at, call.order_id)
            for call, kept_at in self._kept_at.items()
            if call.until < self._end and (kept_at is None or kept_at > call.until)
        ]
