"""Summary: how soon staff answer and settle, who heard first, and what no rule saw coming.

Each time has two readings that are never mixed: detection is when the rules could say so (``known_up_to`` of the first
finding), a complaint and a contact are when they happened.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from statistics import median
from typing import Any, Final, NamedTuple

from domain.calendars.midnight import local_date
from domain.history.log import LogRecorder, Row, decode
from domain.instant import HOUR, Duration, Instant
from domain.naming import stream
from domain.orders.order import FulfillmentRequested, OrderParcelChanged, OrderPlaced, PromiseChanged
from projections import payments
from projections.view import Rows

DIMENSIONS: Final = ("kind", "warehouse", "carrier", "channel", "day")
"""By what the numbers are split; an incident's channel is that of its order's sale."""
_QUARTER: Final = HOUR // 4
"""No day of any zone begins within a quarter of an hour."""
_COMPLAINTS_OWN: Final = ("complaint_overdue",)
"""Kinds that are about complaints, and so foresee none."""
_FORESEES: Final[dict[str, frozenset[str]]] = {
    "late": frozenset({"late_shipment", "unconfirmed_handover", "late_delivery", "stalled_parcel", "stock_out"}),
    "not_received": frozenset(
        {"late_delivery", "stalled_parcel", "presumed_lost", "damaged_parcel", "delivery_failed"}
    ),
    "damaged": frozenset({"product_defect", "damaged_parcel"}),
    "defective": frozenset({"product_defect"}),
    "price_difference": frozenset({"price_difference"}),
    **dict.fromkeys(
        ("wrong_item", "missing_item", "extra_item"), frozenset({"mis_shipment", "mis_shipment_cluster", "stock_out"})
    ),
}
"""Which kinds a category of complaint could have been foreseen by; any kind where it says nothing."""


class Counted(NamedTuple):
    """The numbers of some incidents."""

    incidents: int
    resolved: int
    """Settled by staff, or ended by the world."""
    dismissed: int
    escalated: int
    first_response: Duration | None
    """The median time from detection to the first thing that staff did."""
    handling: Duration | None
    """The median time from detection until it was settled."""
    contacted_first: int
    """Of those that the customer was reached or complained about: reached before any complaint."""
    contacted_or_complained: int
    lead: Duration | None
    """The median time from detection to the first complaint, where that came later."""


class FalseAlarms(NamedTuple):
    """How often staff called a rule's findings wrong."""

    kind: str
    rule: str
    incidents: int
    dismissed: int


class Foreseen(NamedTuple):
    """How complaints and findings came one after the other."""

    complaints: int
    foreseen: int
    lead: Duration | None
    """The median time from detection to the complaint."""


class BlindSpot(NamedTuple):
    """A complaint that no finding came before."""

    complaint_id: str
    order_id: str | None
    category: str | None
    channel: str | None
    opened_at: Instant
    position: int
    """Of the complaint in the log."""
    could_have_at: int | None
    """The first position that held a fact of the order which such a complaint is about; null where there is none."""


class Span(NamedTuple):
    """From when to when incidents came due, and complaints were opened."""

    since: Instant
    until: Instant


class _Handled(NamedTuple):
    id: str
    kind: str
    rule: str
    warehouse: str | None
    carrier: str | None
    channel: str | None
    due_at: Instant
    known_at: Instant
    status: str | None
    first_at: Instant | None
    contacted_at: Instant | None
    settled_at: Instant | None
    """When staff resolved it or the world ended it; what was called wrong was never settled."""
    complained_at: Instant | None
    level: int | None


_HANDLED: Final = """
    SELECT i.id, i.kind, i.rule, i.warehouse, i.carrier,
        (SELECT s.sales_channel FROM incident_orders AS o JOIN stakes AS s USING (order_id) WHERE o.id = i.id
            ORDER BY order_id LIMIT 1),
        i.due_at, i.known_at, w.status, w.first_at, w.contacted_at,
        CASE w.status WHEN 'dismissed' THEN NULL
            WHEN 'resolved' THEN CASE WHEN i.ended_at < w.settled_at THEN i.ended_at ELSE w.settled_at END
            ELSE i.ended_at END,
        (SELECT MIN(c.opened_at) FROM incident_orders AS o JOIN complaints AS c USING (order_id) WHERE o.id = i.id),
        w.level
    FROM incidents AS i LEFT JOIN workflow AS w ON w.id = i.id
    WHERE i.due_at >= ? AND i.due_at < ? AND i.state != 'retracted'
        AND i.due_at >= COALESCE((SELECT MIN(at) FROM live_since), i.due_at)"""

_COMPLAINTS: Final = """
    SELECT complaint_id, order_id, category, channel, opened_at, opened_position FROM complaints
    WHERE opened_at >= ? AND opened_at < ? AND opened_at >= COALESCE((SELECT MIN(at) FROM live_since), opened_at)
    ORDER BY opened_at, complaint_id"""

_BEFORE: Final = """
    SELECT i.kind, i.known_at, i.stream FROM incident_orders AS o JOIN incidents AS i USING (id)
    WHERE o.order_id = ? AND i.state != 'retracted' AND i.known_at <= ?"""


class Summary(NamedTuple):
    """What came of the incidents and complaints of a span."""

    whole: Counted
    by: dict[str, dict[str, Counted]]
    """By dimension, then by value; what has no value is left out."""
    false_alarms: list[FalseAlarms]
    foreseen: Foreseen
    foreseen_by: dict[str, dict[str, Foreseen]]
    """By category, channel and day of the complaint."""
    blind: list[tuple[Any, ...]]
    paid: dict[str, str]
    """By currency, what orders were paid in the span."""


def summary(rows: Rows, span: Span, zone: str) -> Summary:
    """Count the incidents that came due and the complaints that were opened in a span; days are those of a zone."""
    handled = [_Handled._make(tuple(row)) for row in rows.execute(_HANDLED, span)]
    complained = [tuple(row) for row in rows.execute(_COMPLAINTS, span)]
    heard = [(row, _lead(rows, row[1], row[2], row[4])) for row in complained]
    keys: dict[str, Callable[[_Handled], str | None]] = {
        "kind": lambda one: one.kind,
        "warehouse": lambda one: one.warehouse,
        "carrier": lambda one: one.carrier,
        "channel": lambda one: one.channel,
        "day": lambda one: _day(one.due_at // _QUARTER, zone),
    }
    told: dict[str, Callable[[Any], str | None]] = {
        "category": lambda one: one[0][2],
        "channel": lambda one: one[0][3],
        "day": lambda one: _day(one[0][4] // _QUARTER, zone),
    }
    return Summary(
        whole=_count(handled),
        by={name: {key: _count(some) for key, some in _split(handled, keys[name])} for name in DIMENSIONS},
        false_alarms=_false_alarms(handled),
        foreseen=_foresee([lead for _, lead in heard]),
        foreseen_by={
            name: {key: _foresee([lead for _, lead in some]) for key, some in _split(heard, of)}
            for name, of in told.items()
        },
        blind=[row for row, lead in heard if lead is None],
        paid={currency: f"{total:f}" for currency, total in payments.paid(rows, *span).items()},
    )


def blind_spots(log: LogRecorder, complaints: Iterable[Sequence[Any]]) -> list[BlindSpot]:
    """Say of complaints that no finding came before when one could have."""
    found = []
    for complaint_id, order_id, category, channel, opened_at, position in complaints:
        at = None if order_id is None else _first_fact(log, order_id, category, position)
        found.append(BlindSpot(complaint_id, order_id, category, channel, opened_at, position, at))
    return found


def _lead(rows: Rows, order_id: str | None, category: str | None, opened_at: Instant) -> Duration | None:
    """Say how long before a complaint the first finding that foresaw it was known; null where none did."""
    kinds = _FORESEES.get(category or "")
    found = rows.execute(_BEFORE, (order_id, opened_at)).fetchall()
    known = [
        row[1]
        for row in found
        # What a complaint itself reports has not foreseen it.
        if row[0] not in _COMPLAINTS_OWN and not row[2].startswith("complaint-") and (kinds is None or row[0] in kinds)
    ]
    return Duration(opened_at - min(known)) if known else None


def _first_fact(log: LogRecorder, order_id: str, category: str | None, before: int) -> int | None:
    rows = log.select_streams([stream("order", order_id)], before)
    return next((row.position for row in rows if _concerns(row, category)), None)


def _concerns(row: Row, category: str | None) -> bool:
    """Say whether an event of an order is one that a category of complaint is about."""
    event = decode(row.topic, row.state)
    if isinstance(event, OrderPlaced):
        promises = event.ship_by is not None or event.deliver_by is not None
        return promises if category == "late" else category in {None, "other", "price_difference"}
    if category == "late":
        return isinstance(event, FulfillmentRequested | PromiseChanged)
    if not isinstance(event, OrderParcelChanged):
        return False
    if category in {"wrong_item", "missing_item", "extra_item"}:
        return event.packed is not None
    return category in {"not_received", "damaged", "defective"} and event.possessed is not None


@lru_cache(maxsize=100_000)
def _day(quarter: int, zone: str) -> str:
    return local_date(quarter * _QUARTER, zone).isoformat()


def _split(some: Iterable[Any], of: Callable[[Any], str | None]) -> list[tuple[str, list[Any]]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for one in some:
        key = of(one)
        if key is not None:
            found[key].append(one)
    return sorted(found.items())


def _count(some: Sequence[_Handled]) -> Counted:
    told = [one for one in some if one.contacted_at is not None or one.complained_at is not None]
    return Counted(
        incidents=len(some),
        resolved=sum(one.settled_at is not None for one in some),
        dismissed=sum(one.status == "dismissed" for one in some),
        escalated=sum(bool(one.level) for one in some),
        first_response=_median(one.first_at - one.known_at for one in some if one.first_at is not None),
        handling=_median(one.settled_at - one.known_at for one in some if one.settled_at is not None),
        contacted_first=sum(_contacted_first(one) for one in told),
        contacted_or_complained=len(told),
        lead=_median(
            one.complained_at - one.known_at
            for one in some
            if one.complained_at is not None and one.complained_at >= one.known_at
        ),
    )


def _contacted_first(one: _Handled) -> bool:
    return one.contacted_at is not None and (one.complained_at is None or one.contacted_at < one.complained_at)


def _false_alarms(some: Iterable[_Handled]) -> list[FalseAlarms]:
    all_of = Counter((one.kind, one.rule) for one in some)
    wrong = Counter((one.kind, one.rule) for one in some if one.status == "dismissed")
    return [FalseAlarms(*key, count, wrong[key]) for key, count in sorted(all_of.items())]


def _foresee(leads: Sequence[Duration | None]) -> Foreseen:
    known = [lead for lead in leads if lead is not None]
    return Foreseen(len(leads), len(known), _median(known))


def _median(spans: Iterable[int]) -> Duration | None:
    # What staff did, or what ended it, may lie before we heard of it: that took no time.
    known = [max(0, span) for span in spans]
    return Duration(median(known)) if known else None
