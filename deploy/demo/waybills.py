"""The books of the carriers: what became of every parcel, and what was therefore wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Final

from deploy.demo.midnights import Stay
from deploy.demo.scan import Scan
from deploy.demo.wrong import Wrong, earliest, written

_TO_BE_COLLECTED: Final = timedelta(hours=24)
_MAY_STAND: Final = timedelta(hours=72)
_COUNTS_AS_LOST: Final = timedelta(days=15)
_KEPT_FOR_PICK_UP: Final = timedelta(days=3)
_LAST: Final = frozenset({"delivered", "refused", "return_to_sender", "returned", "lost"})
_ARRIVED: Final = frozenset({"delivered", "refused", "return_to_sender", "returned", "damaged"})
_OVER: Final = frozenset({"delivered", "returned", "lost"})
_IN_VAIN: Final = frozenset({"delivery_failed", "refused"})


@dataclass(slots=True)
class Waybill:
    """One parcel's papers; `scans` are what the carrier told of it since it had it."""

    parcel_id: str
    carrier: str
    order_ids: tuple[str, ...]
    labelled_at: datetime
    scans: tuple[Scan, ...] = ()
    voided_at: datetime | None = None
    promised: dict[str, datetime] = field(default_factory=dict)
    cancelled: dict[str, datetime] = field(default_factory=dict)

    @property
    def arrived_at(self) -> datetime | None:
        """Return when nothing of it was owed to the customer any more."""
        return self._first(_ARRIVED)

    def wrongs(self) -> Iterator[Wrong]:
        """Say everything that was wrong with it, of which some may come due after the end."""
        yield from self._uncollected()
        for since, due, over in self._standing(_MAY_STAND):
            at = f"{self.parcel_id}@{written(since.at)}"
            yield self._wrong("stalled_parcel", due, over, key=at)
        for _, due, over in self._standing(_COUNTS_AS_LOST):
            yield self._wrong("presumed_lost", due, over)
        yield from self._reported_lost()
        yield from self._in_vain()
        yield from self._damaged()

    def stalls(self, end: datetime) -> Iterator[tuple[str, Stay]]:
        """List its stalls up to `end`, each with the facility where it lay."""
        for since, due, over in self._standing(_MAY_STAND):
            if due < end:
                yield since.facility_id, Stay(due, over, due)

    def held_up(self, end: datetime) -> list[Stay]:
        """List when its carrier held it past its promise or let it lie, each time once."""
        spells = sorted((stay for _, stay in self.stalls(end)), key=lambda one: one.since)
        overdue = self._overdue()
        if overdue is not None and overdue.since < end:
            spells = sorted([*spells, overdue], key=lambda one: one.since)
        found: list[Stay] = []
        for one in spells:
            last = found[-1] if found else None
            if last is not None and (last.until is None or one.since <= last.until):
                both = None if last.until is None or one.until is None else max(last.until, one.until)
                found[-1] = Stay(last.since, both, last.known_at)
            else:
                found.append(one)
        return found

    def _uncollected(self) -> Iterator[Wrong]:
        due = self.labelled_at + _TO_BE_COLLECTED
        over = earliest(self.scans[0].at if self.scans else None, self._stopped())
        if over is None or over > due:
            yield self._wrong("unconfirmed_handover", due, over)

    def _standing(self, longest: timedelta) -> Iterator[tuple[Scan, datetime, datetime | None]]:
        """Find where it lay for longer than that: since which scan, from when on that was too long, until when."""
        way = self._way()
        for scan, then in zip_longest(way, way[1:]):
            due = scan.at + longest
            over = earliest(None if then is None else then.at, self._stopped())
            if scan.status not in _LAST and (over is None or over > due):
                yield scan, due, over

    def _way(self) -> list[Scan]:
        way: list[Scan] = []
        for scan in self.scans:
            way.append(scan)
            if scan.status in _LAST:
                break
        return way

    def _reported_lost(self) -> Iterator[Wrong]:
        for scan, then in zip_longest(self.scans, self.scans[1:]):
            if scan.status == "lost":
                yield self._wrong("presumed_lost", scan.at, earliest(None if then is None else then.at, self.voided_at))

    def _in_vain(self) -> Iterator[Wrong]:
        dues = [scan.at for scan in self.scans if scan.status in _IN_VAIN]
        dues += [
            scan.at + _KEPT_FOR_PICK_UP
            for scan, then in zip_longest(self.scans, self.scans[1:])
            if scan.status == "ready_for_pickup" and (then is None or then.at > scan.at + _KEPT_FOR_PICK_UP)
        ]
        over = earliest(self._first(_OVER), self.voided_at)
        if dues and (over is None or over > min(dues)):
            yield self._wrong("delivery_failed", min(dues), over)

    def _damaged(self) -> Iterator[Wrong]:
        since = self._first({"damaged"})
        over = earliest(self._first({"returned", "lost"}), self.voided_at)
        if since is not None and (over is None or over > since):
            yield self._wrong("damaged_parcel", since, over)

    def _overdue(self) -> Stay | None:
        over = earliest(self._first(_LAST), self._stopped())
        wanted = [
            at for order, at in self.promised.items() if order not in self.cancelled or self.cancelled[order] > at
        ]
        if not self.scans or not wanted:
            return None
        since = max(self.scans[0].at, min(wanted))
        return Stay(since, over, since) if over is None or over > since else None

    def _first(self, statuses: Iterable[str]) -> datetime | None:
        return next((scan.at for scan in self.scans if scan.status in statuses), None)

    def _stopped(self) -> datetime | None:
        """Return when nobody waited for it any more: its label was void, or all of its orders were cancelled."""
        gone = max(self.cancelled.values()) if self.cancelled.keys() >= set(self.order_ids) else None
        return earliest(self.voided_at, gone)

    def _wrong(self, incident: str, due: datetime, over: datetime | None, key: str | None = None) -> Wrong:
        return Wrong(incident, key or self.parcel_id, due, over, self.order_ids[0], self.carrier)


class Waybills:
    """Keeps the papers of every parcel; facts later than the end of the season are never entered."""

    def __init__(self, end: datetime) -> None:
        """Close the books at `end`."""
        self._end = end
        self._papers: dict[str, Waybill] = {}

    def label(self, waybill: Waybill) -> None:
        """Enter a label."""
        if waybill.labelled_at <= self._end:
            self._papers[waybill.parcel_id] = waybill

    def void(self, parcel_id: str, at: datetime) -> None:
        """Enter that a label does not count any more."""
        if at <= self._end and parcel_id in self._papers:
            self._papers[parcel_id].voided_at = at

    def follow(self, parcel_id: str, scans: Iterable[Scan]) -> Waybill | None:
        """Enter the carrier's scans, and return the papers that say so; None where there never were any."""
        paper = self._papers.get(parcel_id)
        if paper is not None:
            paper.scans = tuple(scan for scan in scans if scan.at <= self._end)
        return paper

    def cancel(self, order_id: str, at: datetime) -> None:
        """Enter that nothing of an order is wanted any more."""
        for paper in self._papers.values() if at <= self._end else ():
            if order_id in paper.order_ids:
                paper.cancelled[order_id] = at

    def wrongs(self) -> list[Wrong]:
        """List all that went wrong with parcels until the end."""
        return [one for paper in self._papers.values() for one in paper.wrongs() if one.due_at < self._end]

    def stays(self) -> dict[str, list[Stay]]:
        """List what lay too long, by carrier and by facility."""
        found: defaultdict[str, list[Stay]] = defaultdict(list)
        for paper in self._papers.values():
            found[paper.carrier] += paper.held_up(self._end)
            for facility, stay in paper.stalls(self._end):
                found[facility].append(stay)
        return found
