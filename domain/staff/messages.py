"""Messages: what a customer is written, from templates that say no more than the facts allow."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from domain.incidents.events import Statement
from domain.instant import Instant, moment
from domain.staff.statements import CLAIMS, NEW_DATE, Date, OrderFacts, must_hold, names

Language = Literal["zh", "en"]
OTHER: Final = "other"
"""The template of kinds that have none of their own."""
_DAY: Final = re.compile(r"(?:(\d{4})[-/.年])?(?<![\d/.-])(\d{1,2})月(\d{1,2})日|(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is said in one language."""

    greeting: str
    closing: str
    day: str
    kinds: dict[str, str]
    order: dict[str, str]
    parcel: dict[str, str]
    dates: dict[str, str]
    phrases: dict[str, tuple[str, ...]]
    """What a text claims where it says one of these."""


class Draft(NamedTuple):
    """A message and what it claims."""

    text: str
    statements: tuple[Statement, ...]


@cache
def wording(language: Language) -> Wording:
    """Give what is said in a language."""
    text = files("domain").joinpath("wording", f"{language}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Wording)


def draft(
    kind: str, language: Language, facts: OrderFacts, *, now: Instant, claims: Sequence[Statement] | None = None
) -> Draft:
    """Write to the customer of an order about an incident of a kind.

    Args:
        kind: of the incident.
        language: to write in.
        facts: what is true of the order.
        now: a date that has passed is not offered.
        claims: what to say; all that is true and of use, where it is left out.

    Raises:
        Overclaimed: the claims say more than the facts.
    """
    words = wording(language)
    statements = tuple(allowed(facts, now)) if claims is None else tuple(claims)
    must_hold(statements, {facts.order_id: facts})
    said = [_sentence(words, one, facts) for one in statements]
    nothing = [] if said or facts.parcels else [words.order["nothing"]]
    parts = (words.greeting, words.kinds.get(kind, words.kinds[OTHER]), *said, *nothing, words.closing)
    return Draft("\n".join(parts).replace("{order}", facts.order_id), statements)


def allowed(facts: OrderFacts, now: Instant) -> Iterator[Statement]:
    """List what may be said of an order: the most of the whole, or else of each parcel, and the dates ahead."""
    whole = [claim for claim in CLAIMS if claim in facts.claims]
    if whole:
        yield Statement(order_id=facts.order_id, claim=whole[-1])
    for parcel in facts.parcels:
        most = [claim for claim in CLAIMS if claim in parcel.claims][-1]
        if not whole or CLAIMS.index(most) > CLAIMS.index(whole[-1]):
            yield Statement(order_id=facts.order_id, claim=most, value=parcel.tracking_number or parcel.parcel_id)
    if CLAIMS[-1] in facts.claims:
        return
    ahead = (_local(one.at, facts).isoformat() for one in facts.dates if one.at > now)
    for day in dict.fromkeys(ahead):
        yield Statement(order_id=facts.order_id, claim=NEW_DATE, value=day)


def claimed(text: str, facts: OrderFacts, now: Instant) -> list[Statement]:
    """List what a text that somebody wrote claims of the whole order, in any language that we have."""
    said = text.casefold()
    found: dict[str, None] = {}
    phrases = [(phrase, claim) for words in _all() for claim, several in words.phrases.items() for phrase in several]
    for phrase, claim in sorted(phrases, key=lambda one: -len(one[0])):
        if phrase in said:
            found[claim] = None
            said = said.replace(phrase, " ")
    dates = [Statement(order_id=facts.order_id, claim=NEW_DATE, value=day) for day in _days(text, facts, now)]
    return [*(Statement(order_id=facts.order_id, claim=claim) for claim in found), *dates]


def _all() -> tuple[Wording, ...]:
    return wording("zh"), wording("en")


def _sentence(words: Wording, statement: Statement, facts: OrderFacts) -> str:
    if statement.claim == NEW_DATE:
        meant = next(one for one in facts.dates if names(statement.value, one.at, facts.zone))
        return words.dates[meant.what].replace("{date}", _day(words, meant, facts))
    if statement.value is None:
        return words.order[statement.claim]
    return words.parcel[statement.claim].replace("{parcel}", statement.value)


def _day(words: Wording, meant: Date, facts: OrderFacts) -> str:
    local = _local(meant.at, facts)
    return words.day.format(year=local.year, month=local.month, day=local.day)


def _local(at: Instant, facts: OrderFacts) -> date:
    return moment(at).astimezone(ZoneInfo(facts.zone)).date()


def _days(text: str, facts: OrderFacts, now: Instant) -> Iterator[str]:
    """Read the days that a text names; without a year it is this one. What is no day is claimed as it stands."""
    for match in _DAY.finditer(text):
        year, month, day = match[1] or match[4] or _local(now, facts).year, match[2] or match[5], match[3] or match[6]
        try:
            yield date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            yield match[0]
