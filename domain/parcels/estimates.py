"""Estimates: which of the dates that a carrier names counts: one that it did not take back at once."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from domain.instant import FOREVER, Duration, Instant
from domain.parcels.events import ParcelScanned


class _Stretch(NamedTuple):
    """A stretch in which a carrier named the same date."""

    estimate: Instant
    since: Instant
    until: Instant


def standing(scans: Iterable[ParcelScanned], at: Instant, hold: Duration) -> Instant | None:
    """Give the last estimate that had stood for long enough at an instant; ``scans`` in the order of the world.

    >>> from domain.instant import HOUR
    >>> said = [(0, 50), (5, 60), (6, 70), (7, 60)]
    >>> scans = [
    ...     ParcelScanned(at=n * HOUR, source="/c", id=str(n), estimated_delivery=day * HOUR) for n, day in said
    ... ]
    >>> [standing(scans, n * HOUR, Duration(2 * HOUR)) for n in (1, 2, 8, 9)] == [None, 50 * HOUR, 50 * HOUR, 60 * HOUR]
    True
    """
    held = [one.estimate for one in _stretches(scans) if min(one.until, at) - one.since >= hold]
    return held[-1] if held else None


def settling(scans: Iterable[ParcelScanned], hold: Duration) -> list[Instant]:
    """List the instants at which another estimate may come to count, earliest first."""
    return [one.since + hold for one in _stretches(scans)]


def _stretches(scans: Iterable[ParcelScanned]) -> Iterator[_Stretch]:
    known: _Stretch | None = None
    for scan in scans:
        if scan.estimated_delivery is None or (known is not None and known.estimate == scan.estimated_delivery):
            continue
        if known is not None:
            yield known._replace(until=scan.at)
        known = _Stretch(scan.estimated_delivery, scan.at, FOREVER)
    if known is not None:
        yield known
