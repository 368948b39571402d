"""``/v1/backlogs``: what lies at each warehouse, carrier and facility, how fast it goes on, what breaks first."""

from collections.abc import Iterable
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Path, Query

from api.bounds import Cursor
from api.contract import backlogs as contract
from api.paging import Onward
from api.problems import Problem
from api.reading import CaughtUp, Limit, Snapshot
from api.tokens import cursor, read_cursor
from domain.instant import DAY, FOREVER, HOUR, Instant, iso
from domain.policies.policy import Policy
from projections import queue
from projections.queue import Lying, Pace, Thing
from projections.tallies import Place

router = APIRouter(prefix="/v1", tags=["backlogs"])
_BANDS: Final = (("under_1_day", 1), ("1_to_2_days", 2), ("2_to_4_days", 4), ("over_4_days", None))
_MIDNIGHTS: Final = 7
_SLICE: Final = 500
_What = Annotated[list[contract.What], Query(max_length=3)]
_Names = Annotated[list[Annotated[str, Query(min_length=1, max_length=200)]], Query(max_length=20)]


@router.get("/backlogs", operation_id="list_backlogs")
async def list_backlogs(
    reader: CaughtUp,
    onward: Onward,
    what: _What = [],  # noqa: B006  # FastAPI copies defaults
    warehouse: _Names = [],  # noqa: B006
    carrier: _Names = [],  # noqa: B006
    facility: _Names = [],  # noqa: B006
    incident: Annotated[bool | None, Query(description="Whether a backlog incident is open there.")] = None,
    limit: Limit = 50,
    cursor_: Cursor = None,
) -> contract.BacklogPage:
    """List every place with something to do, and every one with an open backlog, by what it is and by name."""
    named = {"warehouse": warehouse, "carrier": carrier, "facility": facility}
    wanted = _Wanted(set(what), {Place(kind, name) for kind, names in named.items() for name in names}, incident)
    after = None if cursor_ is None else Place(*cast(list[str], read_cursor(cursor_, (str, str))))
    with reader.snapshot() as snapshot:
        found = list(wanted.listed(snapshot, limit + 1, after))
        page, policy = found[:limit], snapshot.policy
        return contract.BacklogPage(
            backlogs=[_backlog(one, snapshot, policy) for one in page],
            counted_at=iso(_time(snapshot)),
            next=onward.on(cursor([*page[-1].place]) if len(found) > limit else None),
            as_of=reader.as_of(snapshot),
        )


@router.get("/backlogs/{what}/{name:path}", operation_id="get_backlog")
async def get_backlog(
    reader: CaughtUp, what: contract.What, name: Annotated[str, Path(max_length=200)]
) -> contract.BacklogDetail:
    """Show one place."""
    with reader.snapshot() as snapshot:
        found = queue.one(snapshot.rows, Place(what, name))
        if found is None:
            raise Problem("not_found", "Nothing lies there, and no backlog is open.")
        return contract.BacklogDetail(
            backlog=_backlog(found, snapshot, snapshot.policy),
            counted_at=iso(_time(snapshot)),
            as_of=reader.as_of(snapshot),
        )


class _Wanted:
    """Which places are asked for; an empty part asks for nothing."""

    def __init__(self, what: set[contract.What], places: set[Place], incident: bool | None) -> None:  # noqa: FBT001
        self._what, self._places, self._incident = what, places, incident

    def listed(self, snapshot: Snapshot, limit: int, after: Place | None) -> Iterable[Lying]:
        """Give the first so many of them after a place."""
        piled = queue.crowded(snapshot.rows)
        if self._places:
            known = (
                queue.one(snapshot.rows, place) for place in sorted(self._places) if after is None or place > after
            )
            found = [one for one in known if one is not None and self._matches(one, piled)]
            return found[:limit]
        return self._walked(snapshot, limit, after, piled)

    def _walked(self, snapshot: Snapshot, limit: int, after: Place | None, piled: dict[Place, str]) -> Iterable[Lying]:
        found: list[Lying] = []
        while len(found) < limit and (page := queue.lying(snapshot.rows, _SLICE, after)):
            found += [one for one in page if self._matches(one, piled)]
            after = page[-1].place
        return found[:limit]

    def _matches(self, one: Lying, piled: dict[Place, str]) -> bool:
        return (not self._what or one.place.what in self._what) and self._incident in {None, one.place in piled}


def _backlog(one: Lying, snapshot: Snapshot, policy: Policy) -> contract.Backlog:
    rows, now, place = snapshot.rows, _time(snapshot), one.place
    at_warehouse = place.what == "warehouse"
    pace, open_now = queue.pace(rows, place, now), queue.open_at(rows, place, now)
    zone = policy.zone(place.name) if at_warehouse else policy.timezone
    return contract.Backlog(
        what=cast(Any, place.what),
        name=place.name,
        unit="fulfillment" if at_warehouse else "parcel",
        open=open_now,
        pieces=one.pieces if at_warehouse else None,
        held=one.held,
        late=queue.late_at(rows, place, now),
        counted=queue.counted(rows, place, now),
        ages=_ages(snapshot, place),
        throughput=_throughput(pace),
        clears=_clearing(open_now, pace, now),
        next_promise=_promised(queue.next_promise(rows, place, now), place),
        first_to_break=_promised(queue.first_to_break(rows, place, now, pace), place),
        incident=_piled(queue.piled_up(rows, place)),
        midnights=[
            contract.Counted(at=iso(at), count=queue.counted(rows, place, at))
            for at in queue.last_midnights(now, zone, _MIDNIGHTS)
        ],
    )


def _ages(snapshot: Snapshot, place: Place) -> list[contract.Band]:
    bounds = tuple(days * DAY for _, days in _BANDS if days is not None)
    counts = queue.ages(snapshot.rows, place, _time(snapshot), bounds)
    return [
        contract.Band(band=cast(Any, name), hours=None if days is None else days * 24, count=count)
        for (name, days), count in zip(_BANDS, counts, strict=True)
    ]


def _throughput(pace: Pace) -> contract.Throughput:
    usual = pace.usual_per_hour
    return contract.Throughput(
        since=iso(pace.since),
        until=iso(pace.until),
        count=pace.done,
        per_hour=round(pace.per_hour, 3),
        usual_per_hour=None if usual is None else round(usual, 3),
        weeks=pace.weeks,
    )


def _clearing(count: int, pace: Pace, now: Instant) -> contract.Clearing:
    span = pace.time_for(count)
    if count == 0 or span is None:
        reason = "nothing_open" if count == 0 else "nothing_left_in_24_hours"
        return contract.Clearing(hours=None, at=None, reason=cast(Any, reason))
    # So slow that no calendar holds its end: the hours say enough.
    at = iso(now + round(span)) if now + span < FOREVER else None
    return contract.Clearing(hours=round(span / HOUR, 2), at=at, reason=None)


def _promised(one: Thing | None, place: Place) -> contract.Promised | None:
    if one is None:
        return None
    of_warehouse = place.what == "warehouse"
    return contract.Promised(
        at=iso(one.promise),
        order_ids=one.order_ids,
        fulfillment_id=one.thing if of_warehouse else None,
        parcel_id=None if of_warehouse else one.thing,
    )


def _piled(one: queue.Piled | None) -> contract.Piled | None:
    if one is None:
        return None
    told = {name: one.detail[name] for name in ("count", "counted_at", "peak", "peak_at")}
    return contract.Piled(
        id=one.id,
        severity=one.severity,
        since=iso(one.since),
        needed=one.detail["needed"][-1],
        members=one.members,
        **told,
    )


def _time(snapshot: Snapshot) -> Instant:
    """Give the instant that ages are reckoned at: what is known of, else the clock."""
    return snapshot.now if snapshot.known_up_to is None else snapshot.known_up_to
