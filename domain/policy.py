"""Policy: every threshold of every rule as one validated, hashed value."""

import difflib
import hashlib
import json
import math
import tomllib
from collections.abc import Iterator
from typing import Any, Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from domain.instant import Duration

KINDS: Final = (
    "late_shipment",
    "unconfirmed_handover",
    "stalled_parcel",
    "late_delivery",
    "delivery_failed",
    "presumed_lost",
    "mis_shipment",
    "stock_out",
    "warehouse_backlog",
    "carrier_backlog",
    "mis_shipment_cluster",
    "product_defect",
    "price_difference",
    "complaint_overdue",
    "broken_promise",
    "feed_silent",
)
"""Every kind of finding that the contract names."""


class PolicyInvalid(ValueError):
    """A policy file cannot be used; the text says where and what to write instead."""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


def _span(text: str) -> Duration:
    return Duration.parse(text)


class LateShipment(_Table, frozen=True):
    """Clocks that run until the carrier has the goods."""

    warn_before: Duration = _span("4h")
    promise: Literal["agreed", "original", "latest"] = "agreed"
    """Which promise counts: one that customer or platform agreed to, the first one, or whoever moved it last."""
    approval: Literal["implied", "required"] = "implied"
    """Whether an order without ``order.approved`` counts as approved when placed, or is never late."""


class UnconfirmedHandover(_Table, frozen=True):
    """Labelled, but no carrier has it."""

    after: Duration = _span("24h")


class StalledLane(_Table, frozen=True):
    """A lane with a threshold of its own."""

    after: Duration


class StalledParcel(_Table, frozen=True):
    """In possession without movement; lanes are named ``CARRIER:from-to``."""

    after: Duration = _span("72h")
    lanes: dict[str, StalledLane] = {}


class LateDelivery(_Table, frozen=True):
    """The delivery promise."""

    warn_before: Duration = _span("24h")
    date_promises: Literal["instant", "end_of_day"] = "instant"


class DeliveryFailed(_Table, frozen=True):
    """How long a parcel may wait to be picked up."""

    pickup_wait: Duration = _span("3d")


class PresumedLost(_Table, frozen=True):
    """A carrier's loss window."""

    after: Duration = _span("15d")


class MisShipment(_Table, frozen=True):
    """When what is not packed counts as missing."""

    missing_after: Duration = _span("48h")


class ComplaintOverdue(_Table, frozen=True):
    """How soon staff must answer and resolve, by complexity."""

    first_response: Duration = _span("1h")
    general: Duration = _span("24h")
    complex: Duration = _span("24h")


class Backlog(_Table, frozen=True):
    """When many late things become one big one: at least ``minimum``, and ``factor`` times the 28-day median."""

    minimum: int = 12
    factor: float = 2.0


class Cluster(_Table, frozen=True):
    """Members before a batch fault opens."""

    minimum: int = 3
    window: Duration = _span("72h")


class SilentSource(_Table, frozen=True):
    """A source with a silence of its own."""

    after: Duration


class FeedSilence(_Table, frozen=True):
    """How long a feed may say nothing."""

    after: Duration = _span("2h")
    sources: dict[str, SilentSource] = {}


class PriceProtection(_Table, frozen=True):
    """How long after a purchase a lower price is owed."""

    window: Duration = _span("15d")


class Kinds(_Table, frozen=True):
    """Which kinds are reported; the others are still computed where another needs them."""

    enabled: tuple[str, ...] = KINDS


class CarrierCodes(_Table, frozen=True):
    """Where carriers' own codes are explained: a CSV of carrier, code, status."""

    file: str | None = None


class Severity(_Table, frozen=True):
    """What makes a finding weigh more."""

    high_value: float = 1000.0
    """Value of the order, in its own currency."""
    vip_tiers: tuple[str, ...] = ("vip", "gold", "platinum")


class Policy(_Table, frozen=True):
    """All thresholds; every table and key may be absent and then has its default."""

    allowed_lateness: Duration = _span("6h")
    """How late an event may arrive in event-time runs before time goes on without it."""
    timezone: str = "Asia/Shanghai"
    """The zone of days and midnights where nothing nearer has one."""
    late_shipment: LateShipment = LateShipment()
    unconfirmed_handover: UnconfirmedHandover = UnconfirmedHandover()
    stalled_parcel: StalledParcel = StalledParcel()
    late_delivery: LateDelivery = LateDelivery()
    delivery_failed: DeliveryFailed = DeliveryFailed()
    presumed_lost: PresumedLost = PresumedLost()
    mis_shipment: MisShipment = MisShipment()
    complaint_overdue: ComplaintOverdue = ComplaintOverdue()
    warehouse_backlog: Backlog = Backlog()
    carrier_backlog: Backlog = Backlog()
    cluster: Cluster = Cluster()
    feed_silence: FeedSilence = FeedSilence()
    price_protection: PriceProtection = PriceProtection()
    kinds: Kinds = Kinds()
    carrier_codes: CarrierCodes = CarrierCodes()
    calendars: dict[str, Any] = {}
    """Business calendars per warehouse, carrier, destination and staff."""
    feeds: dict[str, list[str]] = {}
    """Carrier or warehouse to the sources that speak of it."""
    zones: dict[str, str] = {}
    """Source to the time zone of its times that carry no offset; sources not named here must send one."""
    severity: Severity = Severity()
    hash: str = ""
    """SHA-256 of the canonical content of the file; set by ``load``."""


def load(text: str) -> Policy:
    r"""Read a policy file.

    >>> load('[stalled_parcel]\nafter = "48h"').stalled_parcel.after == Duration.parse("48h")
    True

    Raises:
        PolicyInvalid: it is not TOML, has an unknown key or kind (the nearest known one is named), or a bad value.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyInvalid(f"not TOML: {error}") from error
    if "hash" in content:
        raise PolicyInvalid("unknown key 'hash'")
    _refuse_unknown(content, Policy, "")
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    try:
        policy = msgspec.convert(
            {**content, "hash": hashlib.sha256(canonical.encode()).hexdigest()}, Policy, dec_hook=_duration
        )
    except (msgspec.ValidationError, ValueError) as error:
        raise PolicyInvalid(str(error)) from error
    for name, number in _numbers(content):
        if not math.isfinite(number):
            raise PolicyInvalid(f"{name}: {number} is no number to compare with")
    for kind in policy.kinds.enabled:
        if kind not in KINDS:
            raise PolicyInvalid(f"kinds.enabled: unknown kind {kind!r}{_nearest(kind, KINDS)}")
    for where, zone in (("timezone", policy.timezone), *((f"zones.{k}", v) for k, v in policy.zones.items())):
        _zone(where, zone)
    return policy


def _numbers(content: dict[str, Any], where: str = "") -> Iterator[tuple[str, float]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _numbers(value, f"{where}{key}.")
        elif isinstance(value, float):
            yield where + key, value


def _duration(wanted: type, value: Any) -> Any:
    if wanted is Duration and isinstance(value, str):
        return Duration.parse(value)
    raise ValueError(f'expected a duration such as "72h", got {value!r}')


def _zone(where: str, name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise PolicyInvalid(f"{where}: unknown time zone {name!r}") from error


def _refuse_unknown(content: dict[str, Any], table: type[msgspec.Struct], where: str) -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(table)}
    for key, value in content.items():
        if key not in fields:
            raise PolicyInvalid(f"unknown key '{where}{key}'{_nearest(key, list(fields))}")
        inner = fields[key]
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            _refuse_unknown(value, inner, f"{where}{key}.")
        elif isinstance(value, dict) and (named := get_args(inner)) and issubclass(named[-1], msgspec.Struct):
            for name, one in value.items():
                if isinstance(one, dict):
                    _refuse_unknown(one, named[-1], f"{where}{key}.{name}.")


def _nearest(word: str, known: tuple[str, ...] | list[str]) -> str:
    near = difflib.get_close_matches(word, [one for one in known if one != "hash"], n=1, cutoff=0.4)
    return f"; did you mean '{near[0]}'?" if near else ""


DEFAULT: Final = load("")
"""What an empty file says."""
