"""CloudEvents 1.0 over Kafka: from a record's bytes to an envelope, strictly and within bounds.

The mode is chosen by content-type alone. Sources of the rules: CloudEvents 1.0 and its Kafka binding.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import orjson

from domain.errors import Unreadable
from domain.history.batch import Raw
from domain.instant import DAY, SECOND, Instant, instant

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 64
MAX_HEADERS: Final = 64
MAX_HEADER_BYTES: Final = 16 << 10
BOM: Final = b"\xef\xbb\xbf"

_STRUCTURED = "application/cloudevents"
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d(?:\.\d+)?)([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)?",
    re.ASCII,
)
_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_INTEGER = b"0" * 19
_JSON_TYPE = re.compile(r"(?i)(?:application|text)/(?:[\w.+-]+\+)?json\b.*")


class Envelope(msgspec.Struct, gc=False):
    """What every event says of itself, and its payload as it came."""

    id: str
    source: str
    type: str
    time: Any
    subject: str | None
    attributes: dict[str, Any]
    payload: bytes | None
    """The record's value in binary mode."""

    def data(self) -> dict[str, Any]:
        """Read the payload; no payload is an empty one.

        Raises:
            Unreadable: it is not JSON, or no object.
        """
        data = _data(self.attributes) if self.payload is None else parse(self.payload or b"null")
        if data is None:
            return {}
        if not isinstance(data, dict):
            raise Unreadable("bad_data", "data is no object")
        return data


def read(raw: Raw) -> Envelope:
    """Read a record in structured, binary or plain JSON form.

    Raises:
        Unreadable: with a code that says which rule it breaks.
    """
    if raw.value is not None and len(raw.value) > MAX_BYTES:
        raise Unreadable("too_large", f"{len(raw.value)} bytes, at most {MAX_BYTES} are read")
    headers = _headers(raw.headers) if raw.headers else {}
    content_type = headers.get("content-type", "")
    if "ce_specversion" in headers and not content_type.lower().startswith(_STRUCTURED):
        attributes = {name[3:]: value for name, value in headers.items() if name.startswith("ce_")}
        return _envelope(attributes, raw.value or b"")  # an event without data is all in its headers
    if raw.value is None:
        raise Unreadable("tombstone", "a record without a value is no event")
    body = parse(raw.value)
    if not isinstance(body, dict):
        raise Unreadable("not_an_event", "the JSON is no object")
    return _envelope(body, None)


def parse(value: bytes) -> Any:
    """Parse JSON strictly: UTF-8, no NaN, 64-bit integers, at most 64 deep, no NUL; the last of equal keys counts.

    A byte order mark before it is left out, as RFC 8259 allows: some editors write one.

    Raises:
        Unreadable: it is not that.
    """
    value = value.removeprefix(BOM)
    try:
        content = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Unreadable("not_json", str(error)) from error
    if value.count(b"{") + value.count(b"[") > MAX_DEPTH and _depth(content) > MAX_DEPTH:
        raise Unreadable("too_deep", f"nested deeper than {MAX_DEPTH}")
    if b"\\u0000" in value and "\0" in orjson.dumps(content).decode().replace("\\\\", "").replace("\\u0000", "\0"):
        raise Unreadable("nul", "text with a NUL character")
    if _LONG_INTEGER in value.translate(_AS_ZEROS):
        _check_integers(value)
    return content


def point(text: Any, zone: str | None = None) -> Instant:
    """Read RFC 3339 with an offset; without one only where policy gives the source a zone.

    Raises:
        ValueError: it is not that, or no day of the calendar.
    """
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(f"{text!r} is no RFC 3339 time")
    if text[17:19] == "60":
        return _leap_second(text, zone)
    if text[-1] == "Z" and text[10] == "T":
        return instant(datetime.fromisoformat(text))
    day, clock, offset = match.groups()
    if offset is None:
        if zone is None:
            raise ValueError(f"{text!r} has no offset")
        return instant(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo(zone)))
    return instant(datetime.fromisoformat(f"{day}T{clock}{offset.upper()}"))


def _leap_second(text: str, zone: str | None) -> Instant:
    """Read a leap second, which ends a day of UTC, as the second after it: instants know no other."""
    following = point(f"{text[:17]}59{text[19:]}", zone) + SECOND
    if following % DAY >= SECOND:
        raise ValueError(f"{text!r} is no time: a leap second stands at the end of a day of UTC")
    return following


@lru_cache(maxsize=256)  # most producers give every record the same ones
def _headers(given: tuple[tuple[str, bytes | None], ...]) -> Mapping[str, str]:
    size = sum(len(name) + len(value or b"") for name, value in given)
    if len(given) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        raise Unreadable("headers", f"{len(given)} headers of {size} bytes are too many")
    ours = ((name.lower(), value) for name, value in given if value is not None)
    try:
        # Other headers are other people's: trace ids and the like are bytes.
        return {name: value.decode() for name, value in ours if name == "content-type" or name.startswith("ce_")}
    except UnicodeDecodeError as error:
        raise Unreadable("headers", str(error)) from error


def _envelope(attributes: dict[str, Any], payload: bytes | None) -> Envelope:
    if attributes.get("specversion") != "1.0":
        raise Unreadable("not_an_event", f"specversion is {attributes.get('specversion')!r}, not '1.0'")
    identity, source, kind = _named(attributes, "id"), _named(attributes, "source"), _named(attributes, "type")
    subject = attributes.get("subject")
    if subject is not None and not isinstance(subject, str):
        raise Unreadable("not_an_event", "subject is no text")
    return Envelope(identity, source, kind, attributes.get("time"), subject, attributes, payload)


def _named(attributes: dict[str, Any], name: str) -> str:
    value = attributes.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable("not_an_event", f"{name} is missing or no text")
    return value


def _data(attributes: dict[str, Any]) -> Any:
    content_type = attributes.get("datacontenttype")
    if content_type is not None and not (isinstance(content_type, str) and _JSON_TYPE.fullmatch(content_type)):
        raise Unreadable("bad_data", f"data is {content_type!r}, not JSON")
    encoded = attributes.get("data_base64")
    if encoded is None:
        return attributes.get("data")
    try:
        return parse(base64.b64decode(encoded, validate=True))
    except (binascii.Error, TypeError, ValueError) as error:
        raise Unreadable("bad_data", f"data_base64: {error}") from error


def _depth(content: Any) -> int:
    """Count the levels of nesting, one level at a time; stops where it is too many."""
    depth, level = 0, [content]
    while level and depth <= MAX_DEPTH:
        depth += 1
        inner = (one for held in level for one in (held.values() if isinstance(held, dict) else held))
        level = [one for one in inner if isinstance(one, dict | list)]
    return depth


def _check_integers(value: bytes) -> None:
    def within(digits: str) -> int:
        if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:  # noqa: PLR2004  # 64 bits have 19 digits
            raise Unreadable("number", f"integer of {len(digits)} digits does not fit 64 bits")
        return 0

    json.loads(value, parse_int=within)
