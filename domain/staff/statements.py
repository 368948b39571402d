"""Statements: what staff may tell a customer about an order, because the log holds the facts for it.

``warehouse_shipped`` (仓库已发货) is true from a label on, ``shipped`` (已发货) only once a carrier holds the goods,
``delivered`` (已签收) only by a delivered scan, and ``new_date`` only of a date that customer or platform agreed to or
a carrier estimates and has not taken back at once. Each is said of one parcel, or of the whole order when nothing of
it is left out.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Final, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

import msgspec

from domain.errors import IllegalStep
from domain.events import Stamp
from domain.incidents.events import Statement
from domain.instant import FOREVER, Duration, Instant, instant, moment
from domain.orders.delivery import Delivery
from domain.orders.order import Order, OrderParcelChanged, OrderPlaced, PromiseChanged
from domain.parcels.estimates import standing
from domain.parcels.events import TERMINAL, ParcelLabelled, ParcelScanned
from domain.parcels.parcel import Parcel

Claim = Literal["warehouse_shipped", "shipped", "delivered"]
NO_TIME: Final = Duration(0)
CLAIMS: Final[tuple[Claim, ...]] = get_args(Claim)
"""What can be said of goods, each of these more than the one before."""
NEW_DATE: Final = "new_date"
_WAY_ENDS: Final = TERMINAL - {"lost"}
"""What was lost may still be found and delivered; what came back to its sender is not delivered by that."""


class Date(NamedTuple):
    """A date that may be named to the customer."""

    at: Instant
    what: Literal["ship_by", "deliver_by", "estimated_delivery"]
    by: str
    """``customer`` or ``platform`` who agreed to it, or ``carrier`` whose estimate it is."""


class ParcelFacts(NamedTuple):
    """What is true of one parcel of an order, and since when."""

    parcel_id: str
    tracking_number: str | None
    claims: dict[Claim, Instant]


class OrderFacts(NamedTuple):
    """What is true of an order and of each of its parcels."""

    order_id: str
    claims: dict[Claim, Instant]
    """Of the whole order: nothing that is still wanted is left out."""
    dates: tuple[Date, ...]
    parcels: tuple[ParcelFacts, ...]
    zone: str
    """Where days begin and end for whoever names one."""


class Overclaimed(IllegalStep):
    """Somebody wants to say, or has said, more than the facts hold; ``statement`` is the first such claim."""

    def __init__(self, statement: Statement, why: str) -> None:
        """Keep what was claimed."""
        super().__init__("claim_untrue", why)
        self.statement = statement


def order_facts(
    order: Order, parcels: Mapping[str, Parcel], zone: str, *, at: Instant = FOREVER, hold: Duration = NO_TIME
) -> OrderFacts:
    """Say what is true of an order; ``parcels`` are those that its copies name, as far as they are known.

    Of a carrier's estimates the one counts that has stood for ``hold`` as of ``at``.
    """
    told = {name: claims_of(copy, parcels.get(name)) for name, copy in sorted(order.parcels.items())}
    return OrderFacts(
        order_id=order.id,
        claims={claim: since for claim in CLAIMS if (since := _whole(order, told, claim)) is not None},
        dates=tuple(_dates(order, parcels, at, hold)),
        parcels=tuple(ParcelFacts(name, _number(parcels.get(name)), claims) for name, claims in told.items() if claims),
        zone=zone,
    )


def claims_of(copy: OrderParcelChanged, parcel: Parcel | None) -> dict[Claim, Instant]:
    """Say what is true of a parcel for an order; of a voided one only that it was delivered before."""
    if copy.contents == ():
        return {}
    delivered = None if parcel is None else _delivered(parcel)
    if copy.voided_at is not None and (delivered is None or delivered >= copy.voided_at):
        return {}
    shipped = None if copy.possessed is None else copy.possessed.at
    labelled = min((at for at in (copy.labelled_at, shipped) if at is not None), default=None)
    known = zip(CLAIMS, (labelled, shipped, delivered), strict=True)
    return {claim: since for claim, since in known if since is not None}


def check(statements: Iterable[Statement], facts: Mapping[str, OrderFacts]) -> Statement | None:
    """Name the first statement that says more than the facts of its order; none where all are true."""
    return next((one for one in statements if not holds(one, facts.get(one.order_id))), None)


def must_hold(statements: Iterable[Statement], facts: Mapping[str, OrderFacts]) -> None:
    """Refuse what says more than the facts.

    Raises:
        Overclaimed: one of them does.
    """
    offending = check(statements, facts)
    if offending is not None:
        raise Overclaimed(offending, _why(offending, facts.get(offending.order_id)))


def holds(statement: Statement, facts: OrderFacts | None) -> bool:
    """Say whether a statement is true; one that names a parcel or its number is about that parcel alone."""
    if facts is None:
        return False
    if statement.claim == NEW_DATE:
        return any(names(statement.value, one.at, facts.zone) for one in facts.dates)
    if statement.claim not in CLAIMS:
        return False
    claim: Claim = statement.claim
    if statement.value is None:
        return claim in facts.claims
    meant = (one for one in facts.parcels if statement.value in (one.parcel_id, one.tracking_number))
    return any(claim in one.claims for one in meant)


def _why(statement: Statement, facts: OrderFacts | None) -> str:
    said = f"{statement.claim} of order {statement.order_id}"
    if facts is None:
        return f"{said}: the log knows no such order."
    if statement.claim == NEW_DATE:
        return f"{said}: the log holds no such date that customer or platform agreed to or a carrier estimates."
    if statement.claim not in CLAIMS:
        return f"{said}: no facts can show this; claims are {', '.join((*CLAIMS, NEW_DATE))}."
    true = ", ".join(facts.claims) or "nothing"
    return f"{said}{'' if statement.value is None else ' by this parcel'}: the facts allow {true} of the whole order."


def names(value: str | None, at: Instant, zone: str) -> bool:
    """Say whether a text names an instant, or the day on which it lies."""
    try:
        if value is not None and len(value) == len("2026-03-04"):
            return date.fromisoformat(value) == moment(at).astimezone(ZoneInfo(zone)).date()
        named = datetime.fromisoformat(value or "")
    except ValueError:
        return False
    return named.tzinfo is not None and instant(named) == at


def _delivered(parcel: Parcel) -> Instant | None:
    """Say when it came to the customer; a delivered scan on the way back to the sender is none."""
    ends = (scan for scan in parcel.facts.of(ParcelScanned) if scan.status in _WAY_ENDS)
    first = next(ends, None)
    return first.at if first is not None and first.status == "delivered" else None


def _whole(order: Order, told: Mapping[str, Mapping[Claim, Instant]], claim: Claim) -> Instant | None:
    """Say since when a claim holds of all that is still wanted of an order."""
    live = [name for name in told if order.parcels[name].voided_at is None and order.parcels[name].contents != ()]
    holding = {name: claims[claim] for name, claims in told.items() if claim in claims}
    if not holding or any(name not in holding for name in live):
        return None
    if order.placed is not None and not _complete(order, order.placed, holding):
        return None
    return max(holding.values())


def _complete(order: Order, placed: OrderPlaced, holding: Mapping[str, Instant]) -> bool:
    """Say whether nothing is left once these parcels count as arrived."""
    arrived = Order(order.id)
    arrived.facts, arrived.from_facts = order.facts, order.from_facts
    arrived.parcels = {
        name: msgspec.structs.replace(order.parcels[name], settled=Stamp(at, "", ""), voided_at=None, undone=None)
        for name, at in holding.items()
    }
    return Delivery(arrived, placed).complete(FOREVER)


def _dates(order: Order, parcels: Mapping[str, Parcel], at: Instant, hold: Duration) -> Iterator[Date]:
    """Give the dates in force: the last agreed one of each kind, and each parcel's last estimate that stood."""
    agreed: dict[str, Date] = {}
    for change in order.facts.of(PromiseChanged):
        if change.agreed_by == "merchant":
            continue
        if change.ship_by is not None:
            agreed[f"ship_by {change.fulfillment_id}"] = Date(change.ship_by, "ship_by", change.agreed_by)
        if change.deliver_by is not None:
            agreed["deliver_by"] = Date(change.deliver_by, "deliver_by", change.agreed_by)
    yield from agreed.values()
    for name in sorted(order.parcels):
        parcel, copy = parcels.get(name), order.parcels[name]
        if parcel is None or copy.voided_at is not None or copy.contents == () or _delivered(parcel) is not None:
            continue
        estimate = standing(parcel.facts.of(ParcelScanned), at, hold)
        if estimate is not None:
            yield Date(estimate, "estimated_delivery", "carrier")


def _number(parcel: Parcel | None) -> str | None:
    labels = () if parcel is None else parcel.facts.of(ParcelLabelled)
    return labels[-1].tracking_number if labels else None
