"""Naming: every stream has one name, made of natural keys."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import quote

_PLAIN: Final = re.compile(r"[A-Za-z0-9_.~-]+").fullmatch
"""Keys that are their own percent-encoding."""


@lru_cache(maxsize=1 << 15)  # each event of a subject names it several times
def stream(kind: str, *parts: str) -> str:
    """Name a stream: natural keys, percent-encoded; no two keys share a name.

    >>> stream("tracking", "sf-express", "SF 1")
    'tracking-sf%2Dexpress-SF%201'
    """
    if len(parts) == 1 and _PLAIN(parts[0]):
        return f"{kind}-{parts[0]}"
    *inner, last = [quote(part, safe="") for part in parts]
    return "-".join((kind, *(part.replace("-", "%2D") for part in inner), last))
