"""Codes: what a carrier's own code means at the carrier that had the parcel, where the scan does not name it."""

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

import msgspec

from domain.facts import Facts
from domain.parcels.events import ParcelLabelled, ParcelScanned

_AT: Final = attrgetter("at")


def read(scan: ParcelScanned, facts: Facts) -> ParcelScanned:
    """Give a scan the status for which its code stands at the carrier that had the parcel then; null for none.

    >>> means = (("SF", "picked_up"), ("YTO", "lost"))
    >>> scan = ParcelScanned(at=5, source="/s", id="1", parcel_id="P", raw_code="50", code_means=means)
    >>> known = Facts()
    >>> read(scan, known).status is None
    True
    >>> known.add(ParcelLabelled(at=9, source="/s", id="2", parcel_id="P", carrier="SF", tracking_number="N"))
    >>> read(scan, known).status
    'picked_up'
    """
    status = dict(scan.code_means).get(_carrier(scan, facts) or "")
    return scan if status == scan.status else msgspec.structs.replace(scan, status=status)


def misread(facts: Facts) -> list[ParcelScanned]:
    """List the scans whose code means something else by the carriers known by now, as they are to be read."""
    coded = [scan for scan in facts.of(ParcelScanned) if scan.code_means]
    return [again for scan in coded if (again := read(scan, facts)) is not scan]


def _carrier(scan: ParcelScanned, facts: Facts) -> str | None:
    """Name the carrier of the label that counts at a scan; without labels, that of the scans that name one."""
    naming: Sequence[ParcelLabelled | ParcelScanned] = facts.of(ParcelLabelled)
    if not naming:
        naming = [one for one in facts.of(ParcelScanned) if one.carrier is not None and one.understood]
    # The last one by then, before the first one that: as a tracking number finds its label.
    return naming[max(bisect_right(naming, scan.at, key=_AT) - 1, 0)].carrier if naming else None
