"""Sayings: what may be said of orders, as it leaves, and the refusal of what may not."""

from collections.abc import Iterable

from api.contract.orders import Sayable, SayableDate, SayableParcel
from api.reading import Reader, Snapshot
from domain.incidents.events import Statement
from domain.instant import iso
from domain.staff.statements import OrderFacts, must_hold
from projections.sayings import facts_at


def sayable(facts: OrderFacts, token: str) -> Sayable:
    """Write what may be said of an order as it leaves."""
    return Sayable(
        order_id=facts.order_id,
        claims={claim: iso(at) for claim, at in facts.claims.items()},
        dates=[SayableDate(at=iso(one.at), what=one.what, by=one.by) for one in facts.dates],
        parcels=[
            SayableParcel(
                parcel_id=one.parcel_id,
                tracking_number=one.tracking_number,
                claims={claim: iso(at) for claim, at in one.claims.items()},
            )
            for one in facts.parcels
        ],
        true_at=token,
    )


def may_say(reader: Reader, snapshot: Snapshot, order_ids: Iterable[str]) -> list[Sayable]:
    """Say what may be said of orders at the position that every view has come to."""
    at = snapshot.position
    return [sayable(one, str(at)) for one in facts_at(reader.log, order_ids, at.position, snapshot.now).values()]


def must_be_true(reader: Reader, statements: Iterable[Statement], position: int) -> None:
    """Refuse statements that say more than the facts at a position of the log; 0 stands for its end.

    Raises:
        Overclaimed: one of them does.
    """
    said = tuple(statements)
    if said:
        up_to = position or reader.log.last_position()
        orders = [one.order_id for one in said]
        must_hold(said, facts_at(reader.log, orders, up_to, reader.clock.now()))
