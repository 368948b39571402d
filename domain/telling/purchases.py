"""Purchases: tells price cuts who bought what has become cheaper, and what became of them.

Readings of the ``price_difference`` row of the detection rules:

- A price falls when it is lower than the one before it, in the same sales channel; what nobody has named a price for
  before is compared with what its buyers paid.
- The same price said again is no other price. Said with ``mistaken``, it is a word on the one before it; so is a rise
  to just the price before the fall that is said to undo a mistake.
- Whether a price is a mistake is asked of staff as well as of the feed. What staff call one owes nobody anything from
  then on: who bought at that price bought cheaply, which is no trouble of theirs.
- Who was owed a difference for an earlier fall has, for a later one, bought at the price it had fallen to.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import unquote

import msgspec

from domain.catalogue import PriceChanged
from domain.detection import incident_id
from domain.events import Stamp
from domain.groups import price_cut
from domain.groups.cluster import parts, subject
from domain.groups.price_cut import PriceAnswered, PriceCut, PriceCutBuyerChanged
from domain.groups.pricing import Cut, concerns, cuts, lines, paid_before, skus, told_anew
from domain.history.streams import Dossier, decide_dossier
from domain.incidents.assurance import DESK
from domain.incidents.events import IncidentCompensated, IncidentPriceAnswered
from domain.instant import Duration
from domain.naming import stream
from domain.orders.order import Line, Order, OrderCancelled, OrderComplaintChanged, OrderPlaced
from domain.telling import usual
from domain.telling.defects import note_sold, sold
from domain.telling.exposed import reports
from domain.telling.telling import Heard, Telling

KIND: Final = "price_difference"
_OF_ORDERS: Final = (OrderPlaced, OrderCancelled, OrderComplaintChanged)
TOPICS: Final = tuple(one.TOPIC for one in (PriceChanged, *_OF_ORDERS, IncidentCompensated, IncidentPriceAnswered))
"""What may concern who is owed the difference to a lower price."""


def tell(telling: Telling, found: Sequence[Heard]) -> None:
    """Tell price cuts what these events of the log mean for them; telling twice is harmless."""
    prices = [one.event for one in found if isinstance(one.event, PriceChanged)]
    placings = [one.event for one in found if isinstance(one.event, OrderPlaced)]
    telling.work.load(stream("sku", sku) for sku in sorted(skus(placings) | {price.sku for price in prices}))
    for placed in placings:
        note_sold(telling, placed)
    for price in (*prices, *_answered(telling, found)):
        _tell_changes(telling, price)
    orders = {stream("order", placed.order_id) for placed in placings if _fell_since(telling, placed)}
    for name in sorted(orders | _owed(telling, found)):
        _tell_order(telling, telling.work.state(name))


def _window(telling: Telling) -> Duration:
    """Give the longest protection of any policy; each judges by its own."""
    return max(one.price_protection.window for one in telling.policies if KIND in one.kinds.enabled)


def _cuts(telling: Telling, sku: str) -> list[Cut]:
    facts = telling.work.state(stream("sku", sku)).facts
    known = cuts(facts.of(PriceChanged))
    answers = {one.change: one for one in facts.of(PriceAnswered)}
    return [one.answered(answers[one.change.id]) if one.change.id in answers else one for one in known]


def _answered(telling: Telling, found: Iterable[Heard]) -> Iterator[PriceChanged]:
    """Keep what staff said to the question whether prices are meant; give the changes that it was about."""
    for position, name, event in found:
        if isinstance(event, IncidentPriceAnswered):
            sku, change = parts(unquote(name.removeprefix(f"incident-{KIND}-")))
            dossier: Dossier = telling.work.state(stream("sku", sku))
            said = PriceAnswered(
                at=event.at,
                source=DESK,
                # Of two answers at one instant the one written later counts.
                id=f"price:{change}:{position:012}",
                change=change,
                mistake=event.mistake,
                by=event.by,
                why=event.why,
            )
            telling.work.record(stream("sku", sku), decide_dossier(dossier, said))
            yield from (one for one in dossier.facts.of(PriceChanged) if one.id == change)


def _fell_since(telling: Telling, placed: OrderPlaced) -> bool:
    """Say whether a price of what was bought is known to have changed soon after; that is news of the past."""
    until = placed.at + _window(telling)
    return any(placed.at < one.change.at <= until for sku in skus([placed]) for one in _cuts(telling, sku))


def _owed(telling: Telling, found: Iterable[Heard]) -> set[str]:
    """Name the orders with a share in a price cut of which something else was heard."""
    ours = {one.stream for one in found if isinstance(one.event, _OF_ORDERS)}
    orders = {name.removeprefix("owed ") for name in telling.related(f"owed {name}" for name in ours)}
    for one in found:
        if isinstance(one.event, IncidentCompensated) and one.stream.startswith(f"incident-{KIND}-"):
            orders.add(stream("order", one.event.order_id or parts(one.event.member)[0]))
    telling.work.load(sorted(orders))
    return orders


def _tell_changes(telling: Telling, price: PriceChanged) -> None:
    """Tell every price change that means something else since this one was heard."""
    known = _cuts(telling, price.sku)
    for place in range(told_anew(known, price), len(known)):
        at = known[place].change.at
        names = sold(telling, price.sku, at - _window(telling), at - 1) if known[place].owes else []
        names += [stream("order", one.order_id) for one in _state(telling, known[place]).buyers.values()]
        telling.work.load(names)
        _tell(telling, known[: place + 1], [telling.work.state(name) for name in dict.fromkeys(names)])


def _tell_order(telling: Telling, order: Order) -> None:
    """Tell every price cut that an order has a share in, or had."""
    had = telling.related([f"owed {stream('order', order.id)}"])
    changes = (telling.work.state(name).change for names in had.values() for name in names)
    bought = skus([] if order.placed is None else [order.placed]) | {one.sku for one in changes if one is not None}
    since, until = (0, -1) if order.placed is None else (order.placed.at, order.placed.at + _window(telling))
    for sku in sorted(bought):
        known = _cuts(telling, sku)
        for place, one in enumerate(known):
            if since < one.change.at <= until or _name(one) in {name for names in had.values() for name in names}:
                _tell(telling, known[: place + 1], [order])


def _tell(telling: Telling, known: Sequence[Cut], orders: Sequence[Order]) -> None:
    """Tell the last of these price changes who of these orders is owed something for it, and who no longer is."""
    name, state = _name(known[-1]), _state(telling, known[-1])
    paid = usual.paid(telling, incident_id(KIND, state.id))
    wanted = {one.buyer: one for order in orders for one in _buyers(telling, known, order, paid)}
    ours = {order.id for order in orders}
    gone = [one for one in state.buyers.values() if one.order_id in ours and one.buyer not in wanted]
    if wanted or state.version:
        telling.intake.hear(name, price_cut.decide(state, known[-1].says))
    for buyer in (*(msgspec.structs.replace(one, gone=True) for one in gone), *wanted.values()):
        telling.relate(f"owed {stream('order', buyer.order_id)}", name)
        telling.intake.hear(name, price_cut.decide(state, buyer))


def _name(cut: Cut) -> str:
    return stream("price_cut", subject(cut.change.sku, cut.change.id))


def _state(telling: Telling, cut: Cut) -> PriceCut:
    state: PriceCut = telling.work.state(_name(cut))
    return state


def _buyers(
    telling: Telling, known: Sequence[Cut], order: Order, paid: Mapping[str, Stamp]
) -> Iterator[PriceCutBuyerChanged]:
    cut, placed = known[-1], order.placed
    if placed is None or not cut.owes or not 0 < cut.change.at - placed.at <= _window(telling):
        return
    for line in lines(placed, cut.change.sku):
        price = paid_before(known, placed, line)
        if concerns(cut.change, placed, price):
            yield PriceCutBuyerChanged(
                buyer=subject(order.id, line.line_id),
                order_id=order.id,
                bought=placed.stamp,
                quantity=line.quantity,
                unit_price=price,
                currency=placed.currency,
                sales_channel=placed.sales_channel,
                settled=min(_settling(telling, order, line, cut, paid), default=None),
                stake=placed.stake,
            )


def _settling(telling: Telling, order: Order, line: Line, cut: Cut, paid: Mapping[str, Stamp]) -> Iterator[Stamp]:
    """Give whatever left nothing to be paid: a payment, a complaint about it that was resolved, or a cancellation."""
    cancelled = (one for one in order.facts.of(OrderCancelled) if not one.line_ids or line.line_id in one.line_ids)
    yield from (one.stamp for one in cancelled)
    yield from (paid[name] for name in (subject(order.id, line.line_id), order.id) if name in paid)
    for said in reports(order, [KIND]):
        opening = telling.work.state(stream("complaint", said.complaint_id)).opening
        named = set() if opening is None else {item.sku for item in opening.items}
        if said.resolved is not None and said.opened > cut.change.stamp and (not named or line.sku in named):
            yield said.resolved
