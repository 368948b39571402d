"""Movement: what a parcel's scans say of its way, read in the order of the world whatever order they came in."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from domain.calendars.calendar import Calendar, add_working
from domain.events import Stamp
from domain.instant import Duration, Instant
from domain.parcels.events import NO_POSSESSION, TERMINAL, ParcelLabelled, ParcelScanned, ParcelVoided
from domain.parcels.parcel import Parcel
from domain.policies.policy import Policy

HOLDS: Final = frozenset({"on_hold", "customs_hold"})
"""Somebody keeps the parcel on purpose: no clock that waits for movement runs."""
REPEATED: Final = HOLDS | {"delivery_delayed"}
"""What carriers say again every day of a parcel that lies where it lay."""


class Movement(NamedTuple):
    """All that moved a parcel at one instant."""

    first: ParcelScanned
    last: ParcelScanned
    """The one whose status counts."""

    @property
    def at(self) -> Instant:
        """Give the instant."""
        return self.last.at

    @property
    def status(self) -> str | None:
        """Give the status that the instant left."""
        return self.last.status


class Silence(NamedTuple):
    """A stretch in which a carrier had a parcel and told of no movement for longer than it may."""

    last: ParcelScanned
    """The last movement before."""
    due_at: Instant
    ended_by: Stamp | None


def moving(scans: Iterable[ParcelScanned]) -> Iterator[ParcelScanned]:
    """Give the scans that move a parcel, leaving out talk, and delays and holds said again at the same place."""
    latest: ParcelScanned | None = None
    for scan in scans:
        status = scan.status
        if status is None or status in NO_POSSESSION or (status in REPEATED and _says_again(scan, latest)):
            continue
        latest = scan
        yield scan


def _says_again(scan: ParcelScanned, latest: ParcelScanned | None) -> bool:
    return (
        latest is not None
        and scan.status == latest.status
        and scan.facility_id == latest.facility_id
        and scan.region == latest.region
    )


def movements(scans: Iterable[ParcelScanned]) -> list[Movement]:
    """List what moved a parcel, one entry an instant.

    >>> def scan(at: int, status: str) -> ParcelScanned:
    ...     return ParcelScanned(at=at, source="/sf", id=str(at), status=status, facility_id="HUB")
    >>> seen = [scan(1, "label_created"), scan(2, "picked_up"), scan(3, "customs_hold"), scan(4, "customs_hold")]
    >>> [(one.at, one.status) for one in movements(seen)]
    [(2, 'picked_up'), (3, 'customs_hold')]
    """
    found: list[Movement] = []
    for scan in moving(scans):
        if found and found[-1].at == scan.at:
            found[-1] = Movement(found[-1].first, scan)
        else:
            found.append(Movement(scan, scan))
    return found


def void(parcel: Parcel) -> Stamp | None:
    """Give the first voiding of the parcel's label; it stops all of its clocks."""
    voided = parcel.facts.of(ParcelVoided)
    return voided[0].stamp if voided else None


def stop(parcel: Parcel) -> Stamp | None:
    """Give the event after which nobody waits for the parcel: its voiding, or the cancellation of all its orders."""
    return earlier(void(parcel), parcel.cancelled)


def earlier(one: Stamp | None, other: Stamp | None) -> Stamp | None:
    """Give the first of two events that may not have happened."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def silences(parcel: Parcel, after: Duration, works: Calendar | None = None) -> Iterator[Silence]:
    """Find every stretch in a carrier's hands, on no hold and before the end of the way, longer than ``after``.

    Only the time that the carrier works is counted, or all where it has no calendar. A movement, voiding or
    cancellation on the dot is in time. The way ends with the first terminal status in the world, whatever the carrier
    says later.
    """
    last: ParcelScanned | None = None
    for scan in moving(parcel.facts.of(ParcelScanned)):
        if last is not None and last.at + after < scan.at and last.status not in HOLDS:
            yield from _silence(parcel, last, add_working(last.at, after, works), scan.stamp)
        if scan.status in TERMINAL:
            return
        last = scan
    if last is not None and last.status not in HOLDS:
        yield from _silence(parcel, last, add_working(last.at, after, works), None)


def _silence(parcel: Parcel, last: ParcelScanned, due_at: Instant, broken_by: Stamp | None) -> Iterator[Silence]:
    ended_by = earlier(broken_by, stop(parcel))
    if ended_by is None or due_at < ended_by.at:
        yield Silence(last, due_at, ended_by)


def feeds(parcel: Parcel, policy: Policy) -> tuple[str, ...]:
    """Name the feeds that would tell of the next scan: the carrier's, where the policy maps none the last to speak."""
    carrier = parcel.meaning.carrier
    mapped = None if carrier is None else policy.feeds.get(carrier)
    if mapped:
        return tuple(mapped)
    for heard in (parcel.facts.of(ParcelScanned), parcel.facts.of(ParcelLabelled)):
        if heard:
            return (heard[-1].source,)
    return ()
