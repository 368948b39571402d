"""``/v1/metrics/summary``: how the service team's work went, in numbers, and what no rule saw coming."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from api.contract import summary as contract
from api.problems import Problem
from api.reading import CaughtUp, Snapshot
from domain.instant import DAY, HOUR, Instant, instant, iso
from domain.policies.policy import Rates
from projections import rates, summary
from projections.sayings import policy_at
from projections.summary import Span

router = APIRouter(prefix="/v1", tags=["metrics"])
_LISTED: Final = 50
_RATED: Final = 100
_USUAL: Final = 7 * DAY
_LONGEST: Final = 92 * DAY
_Since = Annotated[AwareDatetime | None, Query(description="From this time on; a week before `until` without it.")]
_Until = Annotated[AwareDatetime | None, Query(description="Before this time; now, without it.")]


@router.get("/metrics/summary", operation_id="summarise")
async def summarise(reader: CaughtUp, since: _Since = None, until: _Until = None) -> contract.Summary:
    """Summarise the incidents that came due and the complaints that were opened in a span."""
    with reader.snapshot() as snapshot:
        end = snapshot.now if until is None else _instant(until)
        span = Span(end - _USUAL if since is None else _instant(since), end)
        if not 0 <= span.until - span.since <= _LONGEST:
            raise Problem("invalid_request", "`since` must lie before `until`, by 92 days at most.")
        policy = policy_at(reader.log, snapshot.now)
        zone = policy.timezone
        found = summary.summary(snapshot.rows, span, zone)
        latest = found.blind[::-1][:_LISTED]
        rated = _rates(snapshot, policy.rates, span.until)
        return contract.Summary(
            since=iso(span.since),
            until=iso(span.until),
            zone=zone,
            whole=_counted(found.whole),
            by={name: {key: _counted(one) for key, one in some.items()} for name, some in found.by.items()},
            false_alarms=[
                contract.FalseAlarms(**one._asdict(), rate=one.dismissed / one.incidents) for one in found.false_alarms
            ],
            foreseen=_foreseen(found.foreseen),
            foreseen_by={
                name: {key: _foreseen(one) for key, one in some.items()} for name, some in found.foreseen_by.items()
            },
            blind_spots=[_blind(one, snapshot) for one in summary.blind_spots(reader.log, latest)],
            more_blind_spots=len(found.blind) - len(latest),
            paid=found.paid,
            rates=rated[:_RATED],
            more_rates=max(0, len(rated) - _RATED),
            as_of=reader.as_of(snapshot),
        )


def _counted(one: summary.Counted) -> contract.Counted:
    held = one.incidents - one.dismissed
    return contract.Counted(
        incidents=one.incidents,
        resolved=one.resolved,
        dismissed=one.dismissed,
        escalated=one.escalated,
        resolution_rate=one.resolved / held if held else None,
        first_response_hours=_hours(one.first_response),
        handling_hours=_hours(one.handling),
        contacted_before_complaint=one.contacted_first / one.contacted_or_complained
        if one.contacted_or_complained
        else None,
        lead_hours=_hours(one.lead),
    )


def _foreseen(one: summary.Foreseen) -> contract.Foreseen:
    return contract.Foreseen(complaints=one.complaints, foreseen=one.foreseen, lead_hours=_hours(one.lead))


def _blind(one: summary.BlindSpot, snapshot: Snapshot) -> contract.BlindSpot:
    return contract.BlindSpot(
        complaint_id=one.complaint_id,
        order_id=one.order_id,
        category=one.category,
        channel=one.channel,
        opened_at=iso(one.opened_at),
        position=snapshot.token(one.position),
        could_have_at=None if one.could_have_at is None else snapshot.token(one.could_have_at),
    )


def _rates(snapshot: Snapshot, limits: Rates, until: Instant) -> list[contract.Rate]:
    late = _rated(snapshot, "late_shipment", Span(until - limits.late_shipment_window, until), limits)
    tracked = _rated(snapshot, "valid_tracking", Span(until - limits.valid_tracking_window, until), limits)
    return sorted([*late, *tracked], key=lambda one: (one.by != "all", not one.broken, -one.counted))


def _rated(
    snapshot: Snapshot, rate: Literal["late_shipment", "valid_tracking"], span: Span, limits: Rates
) -> Iterator[contract.Rate]:
    is_late = rate == "late_shipment"
    limit = limits.late_shipment if is_late else limits.valid_tracking
    for one in rates.shares(snapshot.rows, "shipment" if is_late else "parcel", *span):
        due, labelled = (one.counted, 0) if is_late else (0, one.counted)
        yield contract.Rate(
            rate=rate,
            by=one.by,
            name=one.name,
            since=iso(span.since),
            counted=one.counted,
            hits=one.hits,
            share=round(one.hits / one.counted, 6),
            limit=limit,
            broken=bool(limits.broken(late=one.hits, due=due, scanned=one.hits, labelled=labelled)),
        )


def _hours(span: int | None) -> float | None:
    return None if span is None else round(span / HOUR, 3)


def _instant(at: datetime) -> Instant:
    return instant(at)
