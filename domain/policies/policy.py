"""Policy: every threshold of every rule as one validated, hashed value, and the versions of it that one file holds."""

import hashlib
import json
import tomllib
from typing import Any, Final

import msgspec

from domain.calendars.calendar import Calendar, Calendars
from domain.instant import Duration, Instant
from domain.policies.check import PolicyInvalid, check, instants, refuse_unknown
from domain.policies.maintenance import Maintenance
from domain.policies.staffing import Incidents
from domain.policies.thresholds import (
    KINDS,
    Backlog,
    CarrierCodes,
    Cluster,
    Compensation,
    ComplaintOverdue,
    Counting,
    DeliveryFailed,
    FeedSilence,
    Kinds,
    LateDelivery,
    LateShipment,
    LossWindow,
    MisShipment,
    PresumedLost,
    PriceProtection,
    Rates,
    Severity,
    SilentSource,
    StalledLane,
    StalledParcel,
    Thresholds,
    UnconfirmedHandover,
)

__all__ = [
    "DEFAULT",
    "KINDS",
    "Backlog",
    "Calendar",
    "Calendars",
    "CarrierCodes",
    "Cluster",
    "Compensation",
    "ComplaintOverdue",
    "Counting",
    "DeliveryFailed",
    "FeedSilence",
    "Incidents",
    "Kinds",
    "LateDelivery",
    "LateShipment",
    "LossWindow",
    "Maintenance",
    "MisShipment",
    "Policy",
    "PolicyInvalid",
    "PresumedLost",
    "PriceProtection",
    "Rates",
    "Severity",
    "SilentSource",
    "StalledLane",
    "StalledParcel",
    "UnconfirmedHandover",
    "load",
    "load_versions",
]

_VERSIONS: Final = "version"
"""The tables of a file that hold its later versions."""


class Policy(Thresholds, frozen=True):
    """All thresholds; every table and key may be absent and then has its default."""

    hash: str = ""
    """SHA-256 of the canonical content of the file; set by ``load``."""


def load(text: str) -> Policy:
    r"""Read a policy file; of one that holds several versions, the first.

    >>> load('[stalled_parcel]\nafter = "48h"').stalled_parcel.after == Duration.parse("48h")
    True

    Raises:
        PolicyInvalid: it is not TOML, has an unknown key or kind (the nearest known one is named), or a bad value.
    """
    return load_versions(text)[0][1]


def load_versions(text: str) -> list[tuple[Instant | None, Policy]]:
    r"""Read all versions of a policy file, earliest first, each with the instant from which it judges.

    A ``[[version]]`` needs a ``valid_from`` and says only what it changes in the version before it: tables are merged
    key by key, anything else is replaced. Each is hashed as if a file of its own said all of it.

    >>> from domain.instant import DAY
    >>> changed = '[[version]]\nvalid_from = "2026-12-01T00:00:00+08:00"\n[version.presumed_lost]\nafter = "10d"'
    >>> [(since, policy.presumed_lost.after // DAY) for since, policy in load_versions(changed)]
    [(None, 15), (1796054400000000, 10)]

    Raises:
        PolicyInvalid: as ``load``, or the versions are not in the order of their times.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyInvalid(f"not TOML: {error}") from error
    changes = content.pop(_VERSIONS, [])
    if not isinstance(changes, list) or not all(isinstance(one, dict) for one in changes):
        raise PolicyInvalid("version: later versions are tables headed [[version]]")
    found = [_policy(content)]
    for number, change in enumerate(changes, 1):
        try:
            refuse_unknown(change, Thresholds, "")
            content = _merged(content, change)
            found.append(_policy(content))
            _in_order(change, found[-2].valid_from, found[-1].valid_from)
        except PolicyInvalid as error:
            raise PolicyInvalid(f"version {number}: {error}") from error
    return [(policy.valid_from, policy) for policy in found]


def _policy(content: dict[str, Any]) -> Policy:
    refuse_unknown(content, Thresholds, "")
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    try:
        policy = msgspec.convert(
            {**instants(content), "hash": hashlib.sha256(canonical.encode()).hexdigest()}, Policy, dec_hook=_duration
        )
    except PolicyInvalid:
        raise
    except (msgspec.ValidationError, ValueError) as error:
        raise PolicyInvalid(str(error)) from error
    check(policy, content)
    return msgspec.structs.replace(policy, calendars=policy.calendars.in_zone(policy.timezone))


def _merged(content: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Lay a change over what it changes; both stay as they are."""
    laid = dict(content)
    for key, value in change.items():
        under = content.get(key)
        laid[key] = _merged(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return laid


def _in_order(change: dict[str, Any], before: Instant | None, since: Instant | None) -> None:
    if "valid_from" not in change:
        raise PolicyInvalid("valid_from is missing; say from when it judges")
    if before is not None and since is not None and since <= before:
        raise PolicyInvalid("valid_from: is not later than that of the version before it")


def _duration(wanted: type, value: Any) -> Any:
    if wanted is Duration and isinstance(value, str):
        return Duration.parse(value)
    raise ValueError(f'expected a duration such as "72h", got {value!r}')


DEFAULT: Final = load("")
"""What an empty file says."""
