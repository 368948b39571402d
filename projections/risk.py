"""Risk: what is about to be late, while there is still time to do something.

What must ship soon and is not packed, what the queue of its warehouse will not come to in time, and what is to be
delivered soon.
"""

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby, islice
from typing import Any, Final, Literal, NamedTuple

from domain.instant import Instant
from domain.judging.adoption import Adopted
from domain.policies.policy import DEFAULT
from projections import queue
from projections.queue import Span
from projections.tallies import Place
from projections.view import Rows

Kind = Literal["late_shipment", "late_delivery"]
Cause = Literal["warn_before", "queue"]
KINDS: Final[tuple[Kind, ...]] = ("late_shipment", "late_delivery")
_SHIPMENTS: Final = (
    "SELECT deadline, order_id, fulfillment_id, warehouse, warn_at FROM fulfillments WHERE warn_at IS NOT NULL "
)
_DELIVERIES: Final = "SELECT deadline, order_id, '', NULL, warn_at FROM deliveries "


class After(NamedTuple):
    """The last entry of the page before."""

    deadline: Instant
    order_id: str
    fulfillment_id: str


class AtRisk(NamedTuple):
    """Something that may become late; ordered by what is the most urgent."""

    deadline: Instant
    order_id: str
    fulfillment_id: str
    """Empty for the delivery of a whole order."""
    warehouse: str | None
    warn_at: Instant
    because: tuple[Cause, ...]

    @property
    def kind(self) -> Kind:
        """Name what it would become."""
        return "late_shipment" if self.fulfillment_id else "late_delivery"


class Warned(NamedTuple):
    """The longest time before a deadline at which any policy warns of it."""

    shipment: int
    delivery: int

    @classmethod
    def by(cls, policies: Iterable[Adopted]) -> "Warned":
        """Read it from all that judge, and from the defaults, which judge where nothing was adopted."""
        known = [DEFAULT, *(one.policy for one in policies)]
        return cls(
            max(one.late_shipment.warn_before for one in known), max(one.late_delivery.warn_before for one in known)
        )


def listed(
    rows: Rows, now: Instant, warned: Warned, limit: int, *, after: After | None = None, kinds: Iterable[Kind] = KINDS
) -> list[AtRisk]:
    """List what is at risk and not late yet, the most urgent first."""
    # The one lower bound of every search, so that no index is walked from further ahead than need be.
    start, wanted = max(After(now, "", ""), after or After(now, "", "")), frozenset(kinds)
    found: list[Iterable[AtRisk]] = []
    if "late_shipment" in wanted:
        found = [_soon(rows, now, warned, start), *_queued(rows, now, start)]
    if "late_delivery" in wanted:
        found.append(_to_deliver(rows, now, warned, start))
    return list(islice(_once(merge(*found)), limit))


def of_order(rows: Rows, order_id: str, now: Instant) -> dict[str, tuple[Cause, ...]]:
    """Say of the fulfilments of an order, and under ``""`` of its delivery, why they are at risk."""
    own = rows.execute(
        "SELECT fulfillment_id, warehouse, deadline, warn_at FROM fulfillments "
        "WHERE order_id = ? AND warn_at IS NOT NULL AND deadline >= ?",
        (order_id, now),
    ).fetchall()
    found: dict[str, tuple[Cause, ...]] = {}
    for name, warehouse, deadline, warn_at in own:
        spans = [] if warehouse is None else late_spans(rows, Place("warehouse", warehouse), now)
        queued = any(span.after < deadline <= span.until for span in spans)
        if because := _causes(soon=warn_at <= now, queued=queued):
            found[name] = because
    due = rows.execute("SELECT deadline, warn_at FROM deliveries WHERE order_id = ?", (order_id,)).fetchone()
    if due is not None and due[1] <= now <= due[0]:
        found[""] = ("warn_before",)
    return found


def count_soon(rows: Rows, now: Instant, warned: Warned) -> int:
    """Count the fulfilments that must ship soon and are not packed."""
    found = rows.execute(
        "SELECT COUNT(*) FROM fulfillments WHERE warn_at IS NOT NULL AND warn_at <= ? AND deadline BETWEEN ? AND ?",
        (now, now, now + warned.shipment),
    )
    return int(found.fetchone()[0])


def late_spans(rows: Rows, place: Place, now: Instant) -> list[Span]:
    """Give the stretches whose promises a warehouse does not come to in time."""
    return queue.late_spans(rows, place, now, queue.pace(rows, place, now))


def _soon(rows: Rows, now: Instant, warned: Warned, start: After) -> Iterator[AtRisk]:
    found = rows.execute(
        f"{_SHIPMENTS} AND deadline <= ? AND warn_at <= ? "
        "AND (deadline, order_id, fulfillment_id) > (?, ?, ?) ORDER BY deadline, order_id, fulfillment_id",
        (now + warned.shipment, now, *start),
    )
    return (_at_risk(row, "warn_before") for row in found)


def _queued(rows: Rows, now: Instant, start: After) -> Iterator[Iterator[AtRisk]]:
    places = rows.execute("SELECT place FROM places WHERE what = 'warehouse' AND open > 0 ORDER BY place").fetchall()
    for (name,) in map(tuple, places):
        for span in late_spans(rows, Place("warehouse", name), now):
            if span.until >= start.deadline:
                yield _in_span(rows, name, span.until, max(start, After(span.after + 1, "", "")))


def _in_span(rows: Rows, warehouse: str, until: Instant, start: After) -> Iterator[AtRisk]:
    found = rows.execute(
        f"{_SHIPMENTS} AND warehouse = ? AND deadline <= ? "
        "AND (deadline, order_id, fulfillment_id) > (?, ?, ?) ORDER BY deadline, order_id, fulfillment_id",
        (warehouse, until, *start),
    )
    return (_at_risk(row, "queue") for row in found)


def _to_deliver(rows: Rows, now: Instant, warned: Warned, start: After) -> Iterator[AtRisk]:
    found = rows.execute(
        f"{_DELIVERIES} WHERE deadline <= ? AND warn_at <= ? AND (deadline, order_id, '') > (?, ?, ?) "
        "ORDER BY deadline, order_id",
        (now + warned.delivery, now, *start),
    )
    return (_at_risk(row, "warn_before") for row in found)


def _at_risk(row: Any, cause: Cause) -> AtRisk:
    deadline, order_id, fulfillment_id, warehouse, warn_at = row
    return AtRisk(deadline, order_id, fulfillment_id, warehouse, warn_at, (cause,))


def _once(found: Iterable[AtRisk]) -> Iterator[AtRisk]:
    """Put together what is said of one thing for several reasons."""
    for _, same in groupby(found, key=lambda one: one[:3]):
        several = list(same)
        said = {cause for one in several for cause in one.because}
        yield several[0]._replace(because=_causes(soon="warn_before" in said, queued="queue" in said))


def _causes(*, soon: bool, queued: bool) -> tuple[Cause, ...]:
    causes: list[tuple[Cause, bool]] = [("warn_before", soon), ("queue", queued)]
    return tuple(cause for cause, holds in causes if holds)
