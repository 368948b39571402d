"""Parcel: what is packed, labelled, scanned and voided, and what that means for each order in it."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from domain.detection import AboutFinding, Key, Stored, note
from domain.events import Stamp
from domain.facts import Facts
from domain.instant import Instant
from domain.orders.order import Content, OrderParcelChanged, Packed
from domain.parcels.codes import misread, read
from domain.parcels.events import (
    SETTLING,
    UNDOING,
    ParcelChange,
    ParcelEvent,
    ParcelLabelled,
    ParcelOrderChanged,
    ParcelOrderLinked,
    ParcelPacked,
    ParcelScanMoved,
    ParcelScanned,
    ParcelVoided,
)
from domain.severity import Stake


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """All of a parcel that any of its orders needs to know."""

    possessed: Stamp | None
    voided_at: Instant | None
    packings: tuple[Stamp, ...]
    labelled_at: Instant | None
    carrier: str | None
    fulfillment_ids: tuple[str, ...]
    """Named by labels and scans."""
    awaits: tuple[str, ...]
    """Those, and what the packing record names: whose orders it must hear of."""
    order_ids: tuple[str, ...]
    settled: Stamp | None
    undone: Stamp | None
    replaced_by: str | None
    mis_shipped: bool


_NOTHING: Final = Meaning(None, None, (), None, None, (), (), (), None, None, None, mis_shipped=False)
"""Of a parcel of which nothing has been heard."""


class Parcel:
    """All that is known of one parcel. Owned by whoever loaded it; ``evolve`` changes it in place."""

    __slots__ = (
        "_meaning",
        "coded",
        "derived",
        "facts",
        "findings",
        "fulfillment_ids",
        "id",
        "links",
        "moved",
        "order_ids",
        "orders",
        "version",
    )

    def __init__(self, identity: str) -> None:
        """Begin with a parcel of which nothing has been heard."""
        self.id = identity
        self.version = 0
        self.facts = Facts()
        self.coded = False
        """Whether a scan told a code that means something only at the carrier that others name."""
        self.moved: tuple[ParcelScanned, ...] = ()
        """Scans that turned out to be another parcel's; where they were may have been told of this one."""
        self.fulfillment_ids: set[str] = set()
        self.order_ids: set[str] = set()
        self.links: dict[str, set[str]] = {}
        """Fulfilment id to the orders it turned out to belong to."""
        self.orders: dict[str, ParcelOrderChanged] = {}
        """What each of its orders has said, as far as it has."""
        self.findings: dict[Key, Stored] = {}
        self._meaning: Meaning | None = _NOTHING
        self.derived: dict[str, Any] = {}
        """What other modules have worked out, under their names; a scan that does not change its meaning keeps it."""

    @property
    def meaning(self) -> Meaning:
        """Say what its orders need to know, worked out once until something may have changed it."""
        if self._meaning is None:
            self._meaning = _meaning(self)
        return self._meaning

    def mean_anew(self) -> None:
        """Have it worked out anew what its orders need to know, and all that others have worked out."""
        self._meaning = None
        self.derived.clear()

    @property
    def means_anew(self) -> bool:
        """Say whether that is still to be worked out."""
        return self._meaning is None

    @property
    def packed(self) -> ParcelPacked | None:
        """Give the packing record that counts: the last one."""
        packed = self.facts.of(ParcelPacked)
        return packed[-1] if packed else None

    @property
    def cancelled(self) -> Stamp | None:
        """Give the cancellation after which none of its orders wants anything of it; null while one still may."""
        last: Stamp | None = None
        for order_id in self.meaning.order_ids:
            told = self.orders.get(order_id)
            if told is None or told.cancelled is None:
                return None
            last = told.cancelled if last is None else max(last, told.cancelled)
        return last

    @property
    def stakes(self) -> tuple[Stake, ...]:
        """List what its orders bring to the weight of whatever goes wrong with it."""
        told = (self.orders.get(order_id) for order_id in self.meaning.order_ids)
        return tuple(one.stake for one in told if one is not None and one.stake is not None)

    def share(self, order_id: str) -> OrderParcelChanged:
        """Say what this parcel means for one order; for one it no longer names, that it carries nothing of it."""
        packed, meaning = self.packed, self.meaning
        contents: tuple[Content, ...] | None = None
        if packed is not None or order_id not in meaning.order_ids:
            held = () if packed is None else packed.contents
            contents = tuple(content for content in held if content.order_id == order_id)
        return OrderParcelChanged(
            parcel_id=self.id,
            version=self.version,
            possessed=meaning.possessed,
            voided_at=meaning.voided_at,
            packed=None if packed is None else packed.stamp,
            labelled_at=meaning.labelled_at,
            contents=contents,
            fulfillment_ids=meaning.fulfillment_ids if packed is None else packed.fulfillment_ids,
            carrier=meaning.carrier,
            settled=meaning.settled,
            undone=meaning.undone,
            replaced_by=meaning.replaced_by,
            listed=packed is not None and bool(packed.expected),
            last=packed is not None and packed.last,
            earlier=tuple(_packed(one, order_id, meaning.fulfillment_ids) for one in self.facts.of(ParcelPacked)[:-1]),
            mis_shipped=meaning.mis_shipped,
            named=() if packed is None else meaning.fulfillment_ids,
        )


def decide(parcel: Parcel, heard: ParcelChange) -> tuple[ParcelEvent, ...]:
    """Record what was heard, once; a feed is never refused."""
    if isinstance(heard, ParcelOrderChanged):
        return (heard,) if heard.says_more_than(parcel.orders.get(heard.order_id)) else ()
    if isinstance(heard, ParcelOrderLinked):
        return () if heard.order_id in parcel.links.get(heard.fulfillment_id, ()) else (heard,)
    if isinstance(heard, ParcelScanMoved):
        return (heard,)
    return () if parcel.facts.holds(heard) else (heard,)


def evolve(parcel: Parcel, event: ParcelEvent) -> Parcel:
    """Apply one event. Refuses nothing and reads no clock."""
    parcel.version += 1
    match event:
        case ParcelScanned():
            if not _hear_scan(parcel, event):
                return parcel
        case ParcelOrderChanged():
            parcel.orders[event.order_id] = event
            parcel.derived.clear()
            return parcel
        case AboutFinding():
            note(parcel.findings, event)
        case ParcelOrderLinked():
            parcel.links.setdefault(event.fulfillment_id, set()).add(event.order_id)
        case ParcelScanMoved():
            parcel.moved += tuple(parcel.facts.drop(ParcelScanned, event.source, event.id))
            _read_codes_again(parcel)
            _name_again(parcel)
        case ParcelPacked():
            parcel.facts.add(event)
            _name_again(parcel)
        case ParcelVoided():
            parcel.facts.add(event)
        case _:
            parcel.facts.add(event)
            parcel.fulfillment_ids.update(event.fulfillment_ids)
            parcel.order_ids.update(event.order_ids)
            _read_codes_again(parcel)
    parcel.mean_anew()
    return parcel


def _hear_scan(parcel: Parcel, scan: ParcelScanned) -> bool:
    """Keep a scan; says whether it may change the parcel's meaning."""
    if scan.code_means:
        parcel.coded = True
        scan = read(scan, parcel.facts)
    parcel.facts.add(scan)
    news = _says_news(parcel, scan)
    if news:
        parcel.fulfillment_ids.update(scan.fulfillment_ids)
        parcel.order_ids.update(scan.order_ids)
    return (scan.carrier is not None and _read_codes_again(parcel)) or news


def _read_codes_again(parcel: Parcel) -> bool:
    """Read codes by the carriers known by now; says whether one means something else than before."""
    wrong = misread(parcel.facts) if parcel.coded else []
    for scan in wrong:
        parcel.facts.drop(ParcelScanned, scan.source, scan.id)
        parcel.facts.add(scan)
    if wrong:
        _name_again(parcel)
    return bool(wrong)


def _says_news(parcel: Parcel, scan: ParcelScanned) -> bool:
    """Say whether a scan may change the parcel's meaning; most do not."""
    if not scan.understood or parcel.means_anew:
        return scan.understood
    possessed, settled = parcel.meaning.possessed, parcel.meaning.settled
    return not (
        (not scan.possesses or (possessed is not None and possessed < scan.stamp))
        and (scan.status not in SETTLING or (settled is not None and settled < scan.stamp))
        and scan.status not in UNDOING
        and (scan.carrier is None or scan.carrier == parcel.meaning.carrier or bool(parcel.facts.of(ParcelLabelled)))
        and parcel.fulfillment_ids.issuperset(scan.fulfillment_ids)
        and parcel.order_ids.issuperset(scan.order_ids)
    )


def _name_again(parcel: Parcel) -> None:
    """Work out anew what the parcel's remaining facts name."""
    scans = (scan for scan in parcel.facts.of(ParcelScanned) if scan.understood)
    named: list[ParcelLabelled | ParcelScanned] = [*parcel.facts.of(ParcelLabelled), *scans]
    parcel.fulfillment_ids = {one for fact in named for one in fact.fulfillment_ids}
    parcel.order_ids = {one for fact in named for one in fact.order_ids}
    if parcel.packed is not None:
        parcel.order_ids.update(content.order_id for content in parcel.packed.contents)


def _meaning(parcel: Parcel) -> Meaning:
    facts = parcel.facts
    scans, labels, packings = facts.of(ParcelScanned), facts.of(ParcelLabelled), facts.of(ParcelPacked)
    voided = facts.of(ParcelVoided)
    named = parcel.fulfillment_ids
    awaits = named.union(packings[-1].fulfillment_ids) if packings else named
    owners = [parcel.links[one] for one in awaits if one in parcel.links] if parcel.links else ()
    return Meaning(
        possessed=next((scan.stamp for scan in scans if scan.possesses), None),
        voided_at=voided[0].at if voided else None,
        packings=tuple([one.stamp for one in packings]),
        labelled_at=labels[0].at if labels else None,
        carrier=_carrier(labels) or _carrier([scan for scan in scans if scan.understood]),
        fulfillment_ids=tuple(sorted(named)),
        awaits=tuple(sorted(awaits)),
        order_ids=tuple(sorted(parcel.order_ids.union(*owners))),
        settled=_first(scans, SETTLING),
        undone=_first(scans, UNDOING),
        replaced_by=voided[0].replaced_by if voided else None,
        mis_shipped=any(key.kind == "mis_shipment" and not one.retracted for key, one in parcel.findings.items()),
    )


def _first(scans: Sequence[ParcelScanned], statuses: frozenset[str]) -> Stamp | None:
    for scan in scans:
        if scan.status in statuses:
            return scan.stamp
    return None


def _packed(packed: ParcelPacked, order_id: str, named: tuple[str, ...]) -> Packed:
    contents = tuple(content for content in packed.contents if content.order_id == order_id)
    return Packed(packed.stamp, contents, packed.fulfillment_ids or named, bool(packed.expected), packed.last)


def _carrier(facts: Sequence[ParcelLabelled | ParcelScanned]) -> str | None:
    """Give the carrier that was named last."""
    for fact in reversed(facts):
        if fact.carrier:
            return fact.carrier
    return None
