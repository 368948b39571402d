"""Accepting: whether a client would rather have the feed as a stream or as pages, by its ``Accept`` (RFC 9110)."""

from collections.abc import Iterator, Sequence
from email.message import Message
from typing import Annotated, Final, NamedTuple
from urllib.request import parse_http_list

from fastapi import Depends, Header

_STREAM: Final = "text/event-stream"
_PAGE: Final = "application/json"


class Liking(NamedTuple):
    """How much a media type is liked, and how closely it was named: by its name, its family, or as anything."""

    quality: float = 0.0
    closely: int = 0


def prefers_stream(accept: Sequence[str]) -> bool:
    """Say whether a stream is liked better than a page; where both are liked as much, what was named more closely.

    Who likes neither, or likes them the same, gets a page, which ends.

    >>> [prefers_stream([one]) for one in ("TEXT/Event-Stream", "text/event-stream, */*", "text/*, */*;q=0.1")]
    [True, True, True]
    >>> [prefers_stream([one]) for one in ("*/*", "application/json, text/event-stream;q=0.5", "text/event-stream;q=0")]
    [False, False, False]
    """
    ranges = [*_ranges(accept)]
    return _liking(ranges, _STREAM) > _liking(ranges, _PAGE)


def _liking(ranges: list[tuple[str, float]], media_type: str) -> Liking:
    """Take the liking of the range that names a type most closely, and of several such the best."""
    family = media_type.partition("/")[0]
    closeness = {"*/*": 1, f"{family}/*": 2, media_type: 3}
    found = [Liking(quality, closeness[name]) for name, quality in ranges if name in closeness]
    closest = max((one.closely for one in found), default=0)
    best = max((one for one in found if one.closely == closest), default=Liking())
    return best if best.quality > 0 else Liking()


def _ranges(accept: Sequence[str]) -> Iterator[tuple[str, float]]:
    for text in parse_http_list(",".join(accept)):
        one = Message()
        one["content-type"] = text
        quality = _quality(str(one.get_param("q", "1")))
        if quality is not None:
            yield text.partition(";")[0].strip().lower(), quality


def _quality(text: str) -> float | None:
    """Read a weight; null for what is none, so that its range counts for nothing."""
    try:
        quality = float(text)
    except ValueError:
        return None
    return quality if 0 <= quality <= 1 else None


def _wants_stream(accept: Annotated[Sequence[str], Header()] = ()) -> bool:
    return prefers_stream(accept)


WantsStream = Annotated[bool, Depends(_wants_stream)]
