"""Shortage: what an order or a fulfilment of it lacked at a packing, and from when on that packing is to blame."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from domain.events import Stamp
from domain.instant import Duration, Instant


class Lacking(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What an order lacked when a parcel was packed, where no packing list says what should be in it."""

    packed: Stamp
    """Which packing record of the parcel."""
    lines: tuple[tuple[str, str, int], ...]
    """Line id, SKU and quantity."""
    by: tuple[tuple[str, Stamp], ...] = ()
    """What says so: the placing, under no SKU, and what had left less to be packed of a SKU in the box."""


class Span(NamedTuple):
    """A stretch of time, without its end; without one, it has none."""

    start: Instant
    end: Instant | None = None

    def holds(self, at: Instant) -> bool:
        """Say whether an instant is in it."""
        return self.start <= at and (self.end is None or self.end > at)


class Supply(NamedTuple):
    """What made a fulfilment complete after all, until a parcel of it was voided."""

    by: Stamp
    parcel_id: str | None = None
    """The parcel that did, if one did."""
    until: Instant | None = None


class Missing(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a fulfilment still lacked once a parcel was packed."""

    packed: Stamp
    """Which packing record of the parcel."""
    fulfillment_id: str
    items: tuple[tuple[str, int], ...]
    """SKU and quantity."""
    by: tuple[Stamp, ...] = ()
    """What asked for it: the placing, and the fulfilment's request if there is one."""
    handed_over: Stamp | None = None
    """The fulfilment's first hand-over."""
    last: bool = False
    """The packer said that nothing follows."""
    followed: tuple[Span, ...] = ()
    """From when to when there were further parcels of the fulfilment."""
    voided_at: Instant | None = None
    """When the parcel was voided."""
    supplied: tuple[Supply, ...] = ()

    def knowable_at(self, after: Duration) -> Instant | None:
        """Say from when on it is missing, ``after`` the first hand-over, whoever is to blame; null if it never is."""
        if not self.last and self.handed_over is None:
            return None
        at: Instant | None = self.packed.at
        if not self.last and self.handed_over is not None:
            at = max(self.packed.at, self.handed_over.at + after)
        complete = (Span(one.by.at, one.until) for one in self.supplied)
        # A further parcel counts until it is voided: after that it is as if there had been none.
        for span in sorted((*complete, *(() if self.last else self.followed)), key=lambda one: one.start):
            if at is not None and span.holds(at):
                at = span.end
        return None if at is None or (self.voided_at is not None and self.voided_at <= at) else at

    def supplied_after(self, at: Instant) -> Supply | None:
        """Give what made it complete after an instant at which it was not."""
        return next((one for one in self.supplied if one.by.at > at), None)


def blamed(shortages: Iterable[Missing], after: Duration) -> dict[Stamp, Instant]:
    """Say which of the packings that left one fulfilment short are to blame, and from when on.

    Once a packing is to blame, those that come after are not, unless the packer says that nothing follows.
    """
    found: dict[Stamp, Instant] = {}
    spans: list[Span] = []
    for one in sorted(shortages, key=lambda short: short.packed):
        spared = not one.last and any(earlier.holds(one.packed.at) for earlier in spans)
        known = None if spared else one.knowable_at(after)
        if known is not None:
            found[one.packed] = known
            spans.append(Span(known, one.voided_at))
    return found
