"""Checks of a policy file beyond the shape of its tables; each refusal names the key and the nearest known word."""

import difflib
import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import combinations
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import holidays
import msgspec
from holidays.registry import COUNTRIES

from domain.calendars.calendar import Calendar
from domain.calendars.hours import minute, week
from domain.instant import Instant, instant
from domain.policies.staffing import Escalation, Grade
from domain.policies.thresholds import KINDS, WAITING, Thresholds

_LONGEST: Final = 366
"""Working days that nobody promises more than."""
_GRADES: Final = get_args(Grade)
_UNREST: Final = 3
"""The least number of beginnings and ends that are more than one trouble and its end."""
_AMOUNT: Final = re.compile(r"\d{1,12}(\.\d{1,6})?")


class PolicyInvalid(ValueError):
    """A policy file cannot be used; the text says where and what to write instead."""


def refuse_unknown(content: dict[str, Any], table: type[msgspec.Struct], where: str) -> None:
    """Refuse the first key that a table does not know, its inner tables included.

    Raises:
        PolicyInvalid: there is one.
    """
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(table)}
    for key, value in content.items():
        if key not in fields:
            raise PolicyInvalid(f"unknown key '{where}{key}'{_nearest(key, fields)}")
        inner = fields[key]
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            refuse_unknown(value, inner, f"{where}{key}.")
        elif isinstance(value, dict) and (named := get_args(inner)) and _is_table(named[-1]):
            for name, one in value.items():
                if isinstance(one, dict):
                    refuse_unknown(one, named[-1], f"{where}{key}.{name}.")
        elif isinstance(value, list) and (named := get_args(inner)) and _is_table(named[0]):
            for number, one in enumerate(value, 1):
                if isinstance(one, dict):
                    refuse_unknown(one, named[0], f"{where}{key}[{number}].")


def instants(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content with its times as instants; every other value stays.

    Raises:
        PolicyInvalid: a time is none, or has no offset.
    """
    read = dict(content)
    if "valid_from" in content:
        read["valid_from"] = _instant("valid_from", content["valid_from"])
    windows = content.get("maintenance")
    if isinstance(windows, dict):
        read["maintenance"] = {name: _window(name, one) for name, one in windows.items()}
    return read


def check(policy: Thresholds, content: dict[str, Any]) -> None:
    """Refuse values that no rule can work with.

    Raises:
        PolicyInvalid: there is one.
    """
    for fault in _faults(policy, content):
        raise PolicyInvalid(fault)


def _faults(policy: Thresholds, content: dict[str, Any]) -> Iterator[str]:
    for name, number in _numbers(content):
        if not math.isfinite(number):
            yield f"{name}: {number} is no number to compare with"
    for kind in policy.kinds.enabled:
        if kind not in KINDS:
            yield f"kinds.enabled: unknown kind {kind!r}{_nearest(kind, KINDS)}"
    for kind in policy.feed_silence.waits:
        if kind not in WAITING:
            yield f"feed_silence.waits: {kind!r} waits for no feed{_nearest(kind, WAITING)}"
    for where, zone in (("timezone", policy.timezone), *((f"zones.{k}", v) for k, v in policy.zones.items())):
        yield from _zone_faults(where, zone)
    for where, one in policy.calendars.named():
        yield from _calendar_faults(f"calendars.{where}", one)
    yield from _value_faults(policy)


def _value_faults(policy: Thresholds) -> Iterator[str]:
    for name in ("cap", "second_approval_above", "batch_approval_above"):
        amount = getattr(policy.compensation, name)
        if amount is not None and not _AMOUNT.fullmatch(amount):
            yield f'compensation.{name}: {amount!r} is no amount; write one as in "200.00"'
    shares = [("cluster.significance", policy.cluster.significance)]
    shares += [(f"rates.{name}", getattr(policy.rates, name)) for name in ("late_shipment", "valid_tracking")]
    for where, share in shares:
        if share is not None and not 0 < share < 1:
            yield f"{where}: {share} is no share between 0 and 1"
    yield from _staffing_faults(policy)
    days = policy.late_shipment.working_days
    if days is not None and not 0 <= days <= _LONGEST:
        yield f"late_shipment.working_days: {days} is not between 0 and {_LONGEST}"
    for name, window in policy.maintenance.items():
        if (window.warehouse is None) == (window.carrier is None):
            yield f"maintenance.{name}: name either a warehouse or a carrier"
        if window.until <= window.since:
            yield f"maintenance.{name}.until: is not later than since"


def _staffing_faults(policy: Thresholds) -> Iterator[str]:
    for number, step in enumerate(policy.incidents.escalation, 1):
        where = f"incidents.escalation[{number}]"
        for kind in step.kinds:
            if kind not in KINDS:
                yield f"{where}.kinds: unknown kind {kind!r}{_nearest(kind, KINDS)}"
        if not step.to.strip():
            yield f"{where}.to: name a person or a team"
        if step.level < 1:
            yield f"{where}.level: {step.level} is below the first level, 1"
    yield from _step_faults(policy.incidents.escalation)
    changes = policy.incidents.flapping.changes
    if changes != 0 and changes < _UNREST:
        yield f"incidents.flapping.changes: {changes} is neither 0, which takes each as news, nor at least {_UNREST}"


def _step_faults(steps: Sequence[Escalation]) -> Iterator[str]:
    """Find steps that another of the same level keeps from ever happening."""
    for (first, one), (second, other) in combinations(enumerate(steps, 1), 2):
        if one.level != other.level or (one.kinds and other.kinds and not {*one.kinds} & {*other.kinds}):
            continue
        if one.to != other.to:
            yield (
                f"incidents.escalation[{second}].level: {other.level} is also that of incidents.escalation[{first}], so"
                f" that only one of {one.to!r} and {other.to!r} would ever hear; give each a level of its own"
            )
        for (name, idle), (cause, quick) in (((second, other), (first, one)), ((first, one), (second, other))):
            if _forestalls(quick, idle):
                yield (
                    f"incidents.escalation[{name}].after: it never happens, for incidents.escalation[{cause}] of the"
                    " same level is never later; give it a level of its own"
                )


def _forestalls(quick: Escalation, idle: Escalation) -> bool:
    """Say whether one step has always happened by the time of another of its level."""
    return (
        quick.unless == idle.unless
        and quick.after <= idle.after
        and _GRADES.index(quick.severity) <= _GRADES.index(idle.severity)
        and (not quick.kinds or (bool(idle.kinds) and {*quick.kinds} >= {*idle.kinds}))
    )


def _calendar_faults(where: str, calendar: Calendar) -> Iterator[str]:
    if calendar.timezone:
        yield from _zone_faults(f"{where}.timezone", calendar.timezone)
    if calendar.country is not None:
        yield from _country_faults(where, calendar.country, calendar.subdivision)
    elif calendar.subdivision is not None:
        yield f"{where}.subdivision: has no country"
    try:
        week(calendar.hours)
    except ValueError as error:
        yield f"{where}.hours: {error}"
    try:
        if calendar.cut_off is not None:
            minute(calendar.cut_off)
    except ValueError as error:
        yield f"{where}.cut_off: {error}"
    for day in sorted({*calendar.open} & {*calendar.closed}):
        yield f"{where}: {day} is both open and closed"


def _country_faults(where: str, country: str, subdivision: str | None) -> Iterator[str]:
    known = holidays.list_supported_countries(include_aliases=True)
    if country not in known:
        named = {word.casefold(): codes[1] for codes in COUNTRIES.values() for word in codes}
        near = difflib.get_close_matches(country.casefold().replace(" ", ""), named, n=1, cutoff=0.5)
        yield f"{where}.country: unknown country {country!r}" + (f"; did you mean '{named[near[0]]}'?" if near else "")
    elif subdivision is not None and subdivision not in known[country]:
        yield f"{where}.subdivision: {country} has no {subdivision!r}{_nearest(subdivision, known[country])}"


def _zone_faults(where: str, name: str) -> Iterator[str]:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield f"{where}: unknown time zone {name!r}{_nearest(name, available_timezones())}"


def _window(name: str, window: Any) -> Any:
    if not isinstance(window, dict):
        return window
    times = {key: _instant(f"maintenance.{name}.{key}", window[key]) for key in ("since", "until") if key in window}
    return window | times


def _instant(where: str, value: Any) -> Instant:
    try:
        read = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        offset = read.utcoffset()
    except (TypeError, ValueError) as error:
        raise PolicyInvalid(f"{where}: {value!r} is no time; write one as in 2026-12-01T00:00:00+08:00") from error
    if offset is None:
        raise PolicyInvalid(f"{where}: {value} has no offset; write one as in 2026-12-01T00:00:00+08:00")
    return instant(read)


def _numbers(content: dict[str, Any], where: str = "") -> Iterable[tuple[str, float]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _numbers(value, f"{where}{key}.")
        elif isinstance(value, float):
            yield where + key, value


def _is_table(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _nearest(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, [one for one in known if one != "hash"], n=1, cutoff=0.4)
    return f"; did you mean '{near[0]}'?" if near else ""
