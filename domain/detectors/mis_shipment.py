"""What was packed is not what should be in the box.

Definition: the kind's row of the detection rules; readings in docs/adr/0010.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.instant import Instant, iso
from domain.orders.order import Content
from domain.orders.shortage import blamed
from domain.parcels.events import ParcelOrderChanged, ParcelPacked, ParcelVoided
from domain.parcels.parcel import Parcel
from domain.policies.policy import Policy
from domain.severity import weigh

SUBJECT = "parcel id"
DUE_AT = "when it was packed"
CLEARED_BY = "a corrected parcel, its voiding, or the resolution of the complaint about it"
Items = Counter[tuple[str, str]]
"""Order id (empty where any order may be meant) and SKU, to pieces."""


class _Wrong(NamedTuple):
    """A stretch in which something is too much or too little in a box."""

    packed: Stamp
    ended_by: Stamp | None
    knowable_at: Instant
    extra: Items
    missing: Items
    proof: tuple[Stamp, ...]
    supplied_by: str | None = None

    @property
    def due(self) -> Instant:
        """Give the first instant at which it held and could be known."""
        return max(self.packed.at, self.knowable_at)

    def joined(self, other: "_Wrong") -> "_Wrong":
        """Make one stretch of two that overlap: it is over when both are."""
        open_ended = self.ended_by is None or other.ended_by is None
        later = None if open_ended else max(self, other, key=lambda one: one.ended_by or one.packed)
        return self._replace(
            ended_by=None if later is None else later.ended_by,
            supplied_by=None if later is None else later.supplied_by,
            knowable_at=min(self.knowable_at, other.knowable_at),
            extra=self.extra | other.extra,
            # What one packing left out of several fulfilments adds up; what two packings left out may be the same.
            missing=self.missing + other.missing if self.packed == other.packed else self.missing | other.missing,
            proof=(*self.proof, *other.proof),
        )


class MisShipment:
    """Compares every box with its packing list, or with what its orders still lacked."""

    kind = "mis_shipment"

    def look(self, state: Parcel, until: Instant, policy: Policy) -> Look:
        """Find what was packed wrongly before ``until``; see ``findings`` and ``look_again``."""
        if state.packed is None or not state.meaning.order_ids:
            return Look((), None)
        stretches = _found(state, policy)
        known = _joined(one for one in stretches if one.due < until)
        later = (one.due for one in stretches if one.due >= until)
        return Look(tuple(_finding(state, one, policy) for one in known), min(later, default=None))


DETECTOR = MisShipment()


def findings(parcel: Parcel, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find every stretch in which a parcel was packed wrongly, as far as it could be known before ``until``.

    >>> from domain.parcels.parcel import evolve
    >>> from domain.policies.policy import DEFAULT
    >>> packed = ParcelPacked(
    ...     at=0, source="/wms", id="1", parcel_id="P",
    ...     contents=(Content("A", "TEA", 1),), expected=(Content("A", "COFFEE", 1),),
    ... )
    >>> [wrong.rule for wrong in findings(evolve(Parcel("P"), packed), 1, DEFAULT)]
    ['wrong_item']
    """
    return DETECTOR.look(parcel, until, policy).findings


def look_again(parcel: Parcel, until: Instant, policy: Policy) -> Instant | None:
    """Return the next instant from ``until`` on at which something not packed counts as missing."""
    return DETECTOR.look(parcel, until, policy).again


def _joined(stretches: Iterable[_Wrong]) -> list[_Wrong]:
    joined: list[_Wrong] = []
    for one in sorted(stretches, key=lambda wrong: wrong.packed):
        before = joined[-1] if joined else None
        if before is not None and (before.ended_by is None or one.packed.at < before.ended_by.at):
            joined[-1] = before.joined(one)
        else:
            joined.append(one)
    return joined


def _found(parcel: Parcel, policy: Policy) -> list[_Wrong]:
    """List the stretches that lasted, worked out once; where a carrier has the box changes nothing of what is in it."""
    known: dict[int, tuple[Policy, list[_Wrong]]] = parcel.derived.setdefault("mis_shipment", {})
    found = known.get(id(policy))
    if found is None:
        lasting = [one for one in _stretches(parcel, policy) if one.ended_by is None or one.ended_by.at > one.packed.at]
        # The policy is kept with them, so that no other one takes its id.
        found = known[id(policy)] = policy, lasting
    return found[1]


def _stretches(parcel: Parcel, policy: Policy) -> Iterator[_Wrong]:
    told = [parcel.orders.get(order_id) for order_id in parcel.meaning.order_ids]
    # An order that is not known cannot say what it lacks.
    orders = [one for one in told if one is not None and one.stake is not None]
    known = len(orders) == len(told)
    stop = next(iter(parcel.facts.of(ParcelVoided)), None)
    packings = [one for one in parcel.facts.of(ParcelPacked) if stop is None or one.at < stop.at]
    for place, packed in enumerate(packings):
        ends = [] if stop is None else [stop.stamp]
        ends += [end for one in told if one is not None for end in one.corrected if end.at > packed.at]
        over = min(ends, default=None)
        extra, missing = _differences(packed, orders, known=known)
        if extra or missing:
            right = (one.stamp for one in packings[place + 1 :] if not any(_differences(one, orders, known=known)))
            proof = (packed.stamp, *(() if packed.expected else _said(packed, orders, {sku for _, sku in extra})))
            yield _Wrong(packed.stamp, _first(over, next(right, None)), packed.at, extra, missing, proof)
        if known and not packed.expected:
            yield from _left_out(packed, orders, over, policy)


def _differences(packed: ParcelPacked, orders: list[ParcelOrderChanged], *, known: bool) -> tuple[Items, Items]:
    """Give what is too much and too little by the packing record alone."""
    if packed.expected:
        contents, expected = _items(packed.contents), _items(packed.expected)
        return contents - expected, expected - contents
    return (_unwanted(packed, orders) if known else Counter()), Counter()


def _unwanted(packed: ParcelPacked, orders: list[ParcelOrderChanged]) -> Items:
    """Give what none of the orders still lacked: by line, so that what was agreed on instead is right, else by SKU."""
    told = [
        (one.order_id, line)
        for one in orders
        for lack in one.lacking
        if lack.packed == packed.stamp
        for line in lack.lines
    ]
    lacking = {(order_id, line_id): quantity for order_id, (line_id, _, quantity) in told}
    skus = {(order_id, line_id): sku for order_id, (line_id, sku, _) in told}
    left: list[tuple[str, int]] = []
    for content in packed.contents:
        line = (content.order_id, content.line_id or "")
        taken = min(content.quantity, lacking.get(line, 0))
        if taken:
            lacking[line] -= taken
        left.append((content.sku, content.quantity - taken))
    unwanted: Items = Counter()
    for sku, quantity in left:
        over = quantity
        for line in (line for line, is_of in skus.items() if is_of == sku):
            taken = min(over, lacking[line])
            lacking[line] -= taken
            over -= taken
        unwanted["", sku] += over
    return +unwanted


def _said(packed: ParcelPacked, orders: list[ParcelOrderChanged], skus: set[str]) -> Iterator[Stamp]:
    """Name what says how much of some SKUs the orders of a box still lacked."""
    for lack in (lack for one in orders for lack in one.lacking if lack.packed == packed.stamp):
        yield from (stamp for sku, stamp in lack.by if not sku or sku in skus)


def _left_out(
    packed: ParcelPacked, orders: list[ParcelOrderChanged], over: Stamp | None, policy: Policy
) -> Iterator[_Wrong]:
    """Give what fulfilments still lack after a packing, from when on it counts as missing."""
    for order in orders:
        for missing in (one for one in order.missing if one.packed == packed.stamp):
            told = (*order.missing, *order.missing_before)
            of_it = (one for one in told if one.fulfillment_id == missing.fulfillment_id)
            knowable_at = blamed(of_it, policy.mis_shipment.missing_after).get(packed.stamp)
            if knowable_at is None:
                continue
            items: Items = Counter({(order.order_id, sku): quantity for sku, quantity in missing.items})
            handed_over = () if packed.last or missing.handed_over is None else (missing.handed_over,)
            proof = (packed.stamp, *missing.by, *handed_over)
            supply = missing.supplied_after(knowable_at)
            ended_by = _first(over, None if supply is None else supply.by)
            by = supply.parcel_id if supply is not None and ended_by == supply.by else None
            yield _Wrong(packed.stamp, ended_by, knowable_at, Counter(), items, proof, by)


def _first(one: Stamp | None, other: Stamp | None) -> Stamp | None:
    return min((end for end in (one, other) if end is not None), default=None)


def _items(contents: tuple[Content, ...]) -> Items:
    counted: Items = Counter()
    for one in contents:
        counted[one.order_id, one.sku] += one.quantity
    return counted


def _finding(parcel: Parcel, one: _Wrong, policy: Policy) -> Finding:
    severity, parts = weigh(parcel.stakes, policy)
    detail: dict[str, object] = {"severity": parts, "cleared_by": CLEARED_BY}
    wrong = "wrong_item" if one.missing else "extra_item"
    for name, items in ((wrong, one.extra), ("missing_item", one.missing)):
        if items:
            detail[name] = [_shown(key, quantity) for key, quantity in sorted(items.items())]
    if one.knowable_at > one.packed.at:
        detail["knowable_at"] = iso(one.knowable_at)
    packed = next(packed for packed in parcel.facts.of(ParcelPacked) if packed.stamp == one.packed)
    if packed.binding_version is not None:
        detail["binding_version"] = packed.binding_version
    if one.supplied_by is not None:
        detail["supplied_by"] = one.supplied_by
    if one.ended_by is not None and one.ended_by.source:
        detail["ended_by"] = one.ended_by.ref
    skus = {sku for _, sku in (*one.extra, *one.missing)}
    concerned = {content.order_id for record in parcel.facts.of(ParcelPacked) for content in record.expected}
    return Finding(
        kind=MisShipment.kind,
        subject=parcel.id,
        since=one.packed.at,
        due_at=one.packed.at,
        ended_at=None if one.ended_by is None else one.ended_by.at,
        order_ids=tuple(sorted(concerned.union(parcel.meaning.order_ids))),
        parcel_id=parcel.id,
        warehouse_id=packed.warehouse_id,
        carrier=parcel.meaning.carrier,
        sku=skus.pop() if len(skus) == 1 else None,
        severity=severity,
        rule=wrong if one.extra else "missing_item",
        policy=policy.hash,
        proof=refs(one.proof),
        detail=detail,
    )


def _shown(key: tuple[str, str], quantity: int) -> dict[str, object]:
    order_id, sku = key
    return {"sku": sku, "quantity": quantity, **({"order_id": order_id} if order_id else {})}
