"""Queue: how old what lies at a place is, how fast it goes on, and which promise it will break first.

A place is thought to go through what lies there by promise, the earliest first, at the rate of its last whole hours.
"""

from itertools import pairwise
from statistics import median
from typing import Any, Final, NamedTuple

import msgspec

from domain.calendars.midnight import end_of_day
from domain.instant import DAY, HOUR, Instant
from domain.naming import stream
from projections import tallies
from projections.backlogs import place_of
from projections.tallies import QUARTER, Place
from projections.view import Rows

_DECODE = msgspec.json.Decoder(list[str]).decode
_BODY = msgspec.json.Decoder().decode
_WEEK: Final = 7 * DAY
_WEEKS: Final = 4
_COLUMNS: Final = {"entered": "entered", "promised": "promise"}
"""What is tallied by when, and the column that says so of each."""
_LOOKED_BACK: Final = 9 * DAY
"""Holds the last seven midnights, clock changes included."""


class Lying(NamedTuple):
    """A place with its totals."""

    place: Place
    open: int
    pieces: int
    held: int


class Thing(NamedTuple):
    """One thing in the queue, and what it is promised."""

    promise: Instant
    thing: str
    order_ids: list[str]


class Pace(NamedTuple):
    """How many went on in the last whole day of hours, and in the same hours of the weeks before."""

    since: Instant
    until: Instant
    done: int
    weeks: list[int]
    """The last one first; none from before anything had ever gone on there."""

    @property
    def per_hour(self) -> float:
        """Give the present rate."""
        return self.done / (DAY / HOUR)

    @property
    def usual_per_hour(self) -> float | None:
        """Give the rate at which it goes on in other weeks."""
        return median(self.weeks) / (DAY / HOUR) if self.weeks else None

    def time_for(self, count: int) -> float | None:
        """Say how long so many take, in microseconds; null where nothing goes on."""
        return count * DAY / self.done if self.done else None


class Span(NamedTuple):
    """A stretch of time, without its beginning."""

    after: Instant
    until: Instant


class Piled(NamedTuple):
    """An open backlog incident."""

    id: str
    severity: str
    since: Instant
    detail: dict[str, Any]
    members: int
    """How many incidents it speaks for."""


def lying(rows: Rows, limit: int, after: Place | None = None) -> list[Lying]:
    """List the places with something to do, or with an open backlog, by what they are and by name."""
    start = after or Place("", "")
    found = rows.execute(
        "SELECT what, place, open, pieces, held FROM places WHERE (what, place) > (?, ?) ORDER BY what, place LIMIT ?",
        (*start, limit),
    )
    known = {Place(row[0], row[1]): Lying(Place(row[0], row[1]), *row[2:]) for row in found}
    piled = (place for place in crowded(rows) if place > start)
    together = {place: Lying(place, 0, 0, 0) for place in piled} | known
    return [together[place] for place in sorted(together)[:limit]]


def one(rows: Rows, place: Place) -> Lying | None:
    """Give one place with something to do, or with an open backlog."""
    row = rows.execute("SELECT open, pieces, held FROM places WHERE what = ? AND place = ?", place).fetchone()
    if row is not None:
        return Lying(place, *row)
    return None if piled_up(rows, place) is None else Lying(place, 0, 0, 0)


def crowded(rows: Rows) -> dict[Place, str]:
    """Name the incident of every place with an open backlog."""
    found = rows.execute(
        "SELECT stream, id FROM incidents WHERE kind IN ('warehouse_backlog', 'carrier_backlog') AND state = 'open'"
    )
    return {place_of(row[0]): row[1] for row in found}


def open_at(rows: Rows, place: Place, at: Instant) -> int:
    """Count what could be worked on at an instant; an order that is to be begun later is not open yet."""
    return _up_to(rows, place, "entered", at)


def late_at(rows: Rows, place: Place, at: Instant) -> int:
    """Count the open things whose promise has passed; on the dot is in time."""
    return _up_to(rows, place, "promised", at - 1)


def ages(rows: Rows, place: Place, now: Instant, bounds: tuple[int, ...]) -> list[int]:
    """Count the open things by age: younger than each bound, and last those that are older than all."""
    older = [open_at(rows, place, now), *(open_at(rows, place, now - bound) for bound in bounds), 0]
    return [each - following for each, following in pairwise(older)]


def pace(rows: Rows, place: Place, now: Instant) -> Pace:
    """Say how fast things go on."""
    until = now // HOUR * HOUR
    begun = tallies.first(rows, place, "left")
    counts = [
        tallies.between(rows, place, "left", end - DAY, end)
        for end in (until - week * _WEEK for week in range(_WEEKS + 1))
        if end == until or (begun is not None and begun <= end - DAY)
    ]
    return Pace(until - DAY, until, counts[0], counts[1:])


def late_spans(rows: Rows, place: Place, now: Instant, pace: Pace) -> list[Span]:
    """Give the stretches whose promises are not come to in time at the present rate; none where nothing goes on.

    Known to the quarter of an hour: what is promised within the same one is judged as a whole.
    """
    if not pace.done:
        return []
    before = tallies.between(rows, place, "promised", None, now)
    found: list[Span] = []
    goes_on = False
    for end, count in tallies.ahead(rows, place, now):
        before += count
        late = before * DAY > (end - now) * pace.done
        if late:
            found.append(Span(found.pop().after if goes_on else end - QUARTER, end))
        goes_on = late
    return found


def next_promise(rows: Rows, place: Place, since: Instant) -> Thing | None:
    """Give the first promise of anything open that is for an instant or later."""
    row = rows.execute(
        "SELECT promise, thing, order_ids FROM queue WHERE what = ? AND place = ? AND standing = 'open' "
        "AND promise >= ? ORDER BY promise, thing LIMIT 1",
        (*place, since),
    ).fetchone()
    return None if row is None else Thing(row[0], row[1], _DECODE(row[2]))


def first_to_break(rows: Rows, place: Place, now: Instant, pace: Pace) -> Thing | None:
    """Give the first promise that cannot be kept at the present rate; where nothing goes on, the next one."""
    if not pace.done:
        return next_promise(rows, place, now)
    spans = late_spans(rows, place, now, pace)
    return next_promise(rows, place, max(now, spans[0].after + 1)) if spans else None


def counted(rows: Rows, place: Place, now: Instant) -> int:
    """Count what counts for the rule on backlogs at an instant, as it would at a midnight."""
    at = -(-now // QUARTER) * QUARTER
    day = at // DAY * DAY
    days = tallies.between(rows, place, "late_day", None, day)
    return days + tallies.between(rows, place, "late", day, at)


def last_midnights(now: Instant, zone: str, most: int) -> list[Instant]:
    """List the last midnights of a zone up to an instant, earliest first."""
    found = [end_of_day(now - _LOOKED_BACK, zone)]
    while (following := end_of_day(found[-1], zone)) <= now:
        found.append(following)
    return found[-most:]


def piled_up(rows: Rows, place: Place) -> Piled | None:
    """Give the open backlog incident of a place."""
    row = rows.execute(
        "SELECT id, severity, due_at, body, (SELECT COUNT(*) FROM incidents AS muted "
        "WHERE muted.muted_by = incidents.id) FROM incidents WHERE stream = ? AND state = 'open'",
        (stream("backlog", *place),),
    ).fetchone()
    if row is None:
        return None
    identity, severity, since, body, members = row
    return Piled(identity, severity, since, _BODY(body)["detail"], members)


def _up_to(rows: Rows, place: Place, axis: tallies.Axis, at: Instant) -> int:
    """Count exactly: whole slots from their tallies, the rest of the last one by its things."""
    whole = at // QUARTER * QUARTER
    column = _COLUMNS[axis]
    rest = rows.execute(
        "SELECT COUNT(*) FROM queue WHERE what = ? AND place = ? AND standing = 'open' "  # noqa: S608  # our own names
        f"AND {column} > ? AND {column} <= ?",
        (*place, whole, at),
    ).fetchone()[0]
    return tallies.between(rows, place, axis, None, whole) + int(rest)
