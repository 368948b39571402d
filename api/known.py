"""Known: what was known at a time, for who asks a history ``as_of`` then."""

from typing import Annotated, Final

from fastapi import Query
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from api.bounds import TOKEN
from api.problems import Problem
from api.reading import Reader
from api.tokens import Token
from domain.instant import Instant, instant
from projections.recorded import Until

_TIME: Final = TypeAdapter(AwareDatetime)
_WHY: Final = "It is an instant with its offset, such as 2026-03-01T14:05:00Z, or the token of a position."

KnownAt = Annotated[
    str | None,
    Query(
        max_length=TOKEN,
        description="What was known then: at an instant (RFC 3339 with its offset), or at the position of a token; "
        "without it, what is known now.",
    ),
]


def until(as_of: str | None, reader: Reader, position: int) -> Until:
    """Say up to where a history is asked for, no further than to a position.

    Raises:
        Problem: it is neither an instant nor a position, or one of another log.
    """
    if as_of is None:
        return Until(position)
    at = _instant(as_of)
    if at is not None:
        return Until(position, at)
    return Until(min(position, _position(as_of, reader)))


def _instant(text: str) -> Instant | None:
    try:
        return instant(_TIME.validate_strings(text, strict=True))
    except ValidationError:
        return None


def _position(text: str, reader: Reader) -> int:
    try:
        token = Token.read(text)
    except Problem as problem:
        raise Problem("invalid_request", errors=[{"where": "query.as_of", "why": _WHY}]) from problem
    if not reader.knows(token, reader.feed_checkpoint()):
        raise Problem("unknown_position")
    return token.position
