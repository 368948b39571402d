"""Translation: from a record to a fact of the domain, once, at the edge."""

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec
import orjson

from consumers import lengths, money, rules
from consumers.carrier_codes import CarrierCodes, by_code
from consumers.cloudevents import Envelope, point, read
from domain.catalogue import Heartbeat, PriceChanged, SkuBindingChanged
from domain.complaints import complaint
from domain.errors import Unreadable
from domain.events import Fact
from domain.history.batch import Foreign, Incoming, Raw
from domain.instant import DAY, Instant, iso
from domain.orders import order
from domain.parcels import events as parcel_events

ORDERS: Final = "orders.events.v1"
LOGISTICS: Final = "logistics.events.v1"
COMPLAINTS: Final = "complaints.events.v1"
TOPICS: Final = (ORDERS, LOGISTICS, COMPLAINTS)

FACTS: Final[tuple[type[Fact], ...]] = (
    *order.FACTS,
    *parcel_events.FACTS,
    *complaint.FACTS,
    PriceChanged,
    SkuBindingChanged,
    Heartbeat,
)
TYPES: Final[dict[str, type[Fact]]] = {fact.TOPIC: fact for fact in FACTS}
FAMILIES: Final = frozenset(name.split(".")[0] for name in TYPES)
MAX_NAME: Final = 256
"""Characters in a source or a type."""
AHEAD: Final = DAY
"""How far ahead of the clock a time may lie."""

WRITTEN: Final = frozenset({"code_means"})
"""Members of facts that are worked out here; what a producer puts there is ignored, as whatever is unknown."""

_TIMES = ("deliver_by", "ship_by", "starts_at", "estimated_delivery")
_TIMES_OF = {kind: tuple(name for name in _TIMES if name in kind.__struct_fields__) for kind in FACTS}
_NOT_EMPTY = {order.OrderPlaced: "lines", parcel_events.ParcelPacked: "contents"}
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_PERSONAL = ("name", "phone", "email")
_LONG_AGO: Final[Instant] = point("2000-01-01T00:00:00Z")
_LISTS = ("lines", "contents", "expected", "items")
_LISTS_OF = {kind: tuple(name for name in _LISTS if name in kind.__struct_fields__) for kind in FACTS}


class Translator:
    """Reads records against one clock, one policy's time zones and one table of carrier codes."""

    def __init__(self, zones: Mapping[str, str], codes: CarrierCodes | None = None) -> None:
        """Take times without offset only from these sources, in their zones; normalise codes by this table."""
        self._zones = zones
        self._codes = codes or {}
        self._meanings = by_code(self._codes)

    def incoming(self, offset: int, raw: Raw, now: Instant) -> Incoming:
        """Read one record; never raises: what cannot be read says so."""
        try:
            envelope = read(raw)
            _check_names(envelope)
            if envelope.type not in TYPES and envelope.type.split(".")[0] not in FAMILIES:
                at = self._foreign_time(envelope, now)
                return Incoming(offset, Foreign(envelope.type, envelope.source, at, envelope.id), b"", raw)
            at = self._time(envelope, now)
            data = envelope.data()
            dropped = _drop_personal(data)
            fact = self._fact(envelope, data, at, f"{raw.topic}/{raw.partition}/{offset}")
        except Unreadable as unreadable:
            return Incoming(offset, unreadable, b"", raw)
        except RecursionError:
            return Incoming(offset, Unreadable("too_deep", "nested too deep to read"), b"", raw)
        digest = blake2b(
            orjson.dumps([envelope.type, at, envelope.subject, data], option=orjson.OPT_SORT_KEYS),
            digest_size=8,
        ).digest()
        return Incoming(offset, fact, digest, raw, (*dropped, *_oddities(fact)))

    def _foreign_time(self, envelope: Envelope, now: Instant) -> Instant | None:
        """Read when something happened that only shares the topic: how it writes times is not ours to judge."""
        try:
            at = point(envelope.time, self._zones.get(envelope.source))
        except ValueError:
            return None
        return _not_ahead(at, now)

    def _time(self, envelope: Envelope, now: Instant) -> Instant:
        try:
            at = point(envelope.time, self._zones.get(envelope.source))
        except ValueError as error:
            raise Unreadable("bad_envelope", str(error)) from error
        return _not_ahead(at, now)

    def _fact(self, envelope: Envelope, data: dict[str, Any], at: Instant, via: str) -> Fact:
        kind = TYPES.get(envelope.type)
        if kind is None:
            raise Unreadable("unknown_type", f"{envelope.type!r} is not known to this version")
        if kind is PriceChanged and data.get("price") is None:
            raise Unreadable("bad_data", "Object missing required field `price`")
        try:
            content = _without_nulls(data, _LISTS_OF[kind])
            for name in _TIMES_OF[kind]:
                if name in content:
                    content[name] = self._promise(name, content[name], envelope.source)
            money.read(kind, content)
            for name in WRITTEN:
                content.pop(name, None)
            content.update(at=at, source=envelope.source, id=envelope.id, via=via)
            fact = msgspec.convert(content, kind)
            rules.check(fact)
        except (msgspec.ValidationError, ValueError) as error:
            raise Unreadable("bad_data", str(error)) from error
        _check_whole(fact)
        lengths.check(fact)
        return self._normalised(fact) if isinstance(fact, parcel_events.ParcelScanned) else fact

    def _normalised(self, scan: parcel_events.ParcelScanned) -> parcel_events.ParcelScanned:
        """Give a scan without status the one its carrier's code stands for; an unknown code stays as it is.

        Where the scan names no carrier its parcel's is not known yet: it gets what the code stands for at each.
        """
        if scan.status is not None or scan.raw_code is None:
            return scan
        if scan.carrier is None:
            means = self._meanings.get(scan.raw_code)
            return scan if means is None else msgspec.structs.replace(scan, code_means=means)
        status = self._codes.get((scan.carrier, scan.raw_code))
        return scan if status is None else msgspec.structs.replace(scan, status=status)

    def _promise(self, name: str, text: Any, source: str) -> Instant:
        """Read a date that is promised; a day alone is its first midnight, where policy gives the source a zone."""
        zone = self._zones.get(source)
        if zone is not None and isinstance(text, str) and _DAY.fullmatch(text):
            text = f"{text}T00:00:00"
        try:
            return point(text, zone)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error


def _not_ahead(at: Instant, now: Instant) -> Instant:
    if at > now + AHEAD:
        raise Unreadable("future", f"{iso(at)} is more than a day ahead of {iso(now)}")
    return at


def _check_names(envelope: Envelope) -> None:
    try:
        rules.identifier(envelope.id)
        rules.recurring(envelope.source, MAX_NAME)
        rules.recurring(envelope.type, MAX_NAME)
    except ValueError as error:
        raise Unreadable("bad_envelope", str(error)) from error
    lengths.check_source(envelope.source)


def _without_nulls(data: dict[str, Any], lists: Iterable[str] = ()) -> dict[str, Any]:
    """Read null as absent, in the payload and in the members of these lists."""
    content = {name: value for name, value in data.items() if value is not None} if None in data.values() else {**data}
    for name in lists:
        members = content.get(name)
        if isinstance(members, list):
            content[name] = [_without_nulls(one) if isinstance(one, dict) else one for one in members]
    return content


def _check_whole(fact: Fact) -> None:
    """Check what no single field shows."""
    if isinstance(fact, parcel_events.ParcelScanned) and fact.parcel_id is None:
        if fact.carrier is None or fact.tracking_number is None:
            raise Unreadable("bad_data", "a scan needs parcel_id, or carrier and tracking_number")
    elif (part := _NOT_EMPTY.get(type(fact))) is not None and not getattr(fact, part):
        raise Unreadable("bad_data", f"{part} is empty")


def _drop_personal(data: dict[str, Any]) -> tuple[str, ...]:
    """Remove names, phone numbers and e-mail before anything is stored; they are counted."""
    customer = data.get("customer")
    if not isinstance(customer, dict):
        return ()
    del data["customer"]
    return tuple(f"personal_{name}_dropped" for name in _PERSONAL if customer.get(name) is not None)


def _says_nothing(scan: parcel_events.ParcelScanned) -> bool:
    """Say whether a scan has a code that the table explains for no carrier that might be meant."""
    return scan.status is None and scan.raw_code is not None and not scan.code_means


def _oddities(fact: Fact) -> tuple[str, ...]:
    """Name what is impossible in a fact; it is counted per source and kept as it is."""
    found = ["time_long_ago"] if fact.at < _LONG_AGO else []
    if isinstance(fact, parcel_events.ParcelScanned) and _says_nothing(fact):
        found.append("unknown_carrier_code")
    ship_by = getattr(fact, "ship_by", None)
    if ship_by is not None and ship_by < fact.at:
        found.append("ship_by_in_the_past")
    return tuple(found)
