"""Masking: what may be shown of a message that could not be read. Its values may be anybody's personal data."""

import re
from typing import Any, Final

import orjson

_OPEN: Final = frozenset({"specversion", "type", "source", "time", "datacontenttype", "dataschema"})
"""Members of the envelope that name no person."""
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,39}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:+\-]{1,80}")
_QUOTED: Final = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
_TERM: Final = re.compile(r"['\"][a-z_]+(\.[a-z_]+)*(\.v\d{1,3})?['\"]")
_DEPTH: Final = 8
_MEMBERS: Final = 50


def detail(text: str) -> str:
    """Hide what an explanation quotes from the message, unless it is the name of a type or a field."""
    return _QUOTED.sub(lambda found: found[0] if _TERM.fullmatch(found[0]) else "'***'", text)[:500]


def shape(value: bytes | None) -> Any:
    """Show a message's JSON with every value masked but the envelope's own; none where it is no JSON object."""
    try:
        content = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(content, dict):
        return None
    return {
        _name(name): each if name in _OPEN and isinstance(each, str) and _PLAIN.fullmatch(each) else _masked(each, 1)
        for name, each in list(content.items())[:_MEMBERS]
    }


def _masked(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        members = list(value.items())[:_MEMBERS]
        return "{…}" if depth >= _DEPTH else {_name(name): _masked(each, depth + 1) for name, each in members}
    if isinstance(value, list):
        return "[…]" if depth >= _DEPTH else [_masked(each, depth + 1) for each in value[:_MEMBERS]]
    if isinstance(value, str):
        return "***"
    return value if value is None or isinstance(value, bool) else 0


def _name(name: str) -> str:
    return name if _NAME.fullmatch(name) else "***"
