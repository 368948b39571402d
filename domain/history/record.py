"""Digests by which a record or an event is known again, and what they say about a batch."""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from domain.catalogue import Heartbeat
from domain.errors import Unreadable
from domain.events import Fact
from domain.history.batch import Incoming, Position, Raw, Slice
from domain.history.log import Beside
from domain.instant import Instant


def identity(fact: Fact) -> bytes:
    """Hash (source, id) to the 16 bytes under which the event is known."""
    return _key(fact.source, fact.id)


@lru_cache(maxsize=1 << 13)  # asked for once before a batch is decided on, and once while it is
def _key(source: str, identity: str) -> bytes:
    return blake2b(f"{source}\0{identity}".encode(), digest_size=16).digest()


def is_new(one: Incoming, at: Instant, beside: Beside, seen: dict[bytes, bytes]) -> bool:
    """Say whether an event was not taken in before, and note it as seen.

    Raises:
        Unreadable: it was, with another body.
    """
    fact, digest = one.content, one.digest
    if not isinstance(fact, Fact) or isinstance(fact, Heartbeat):
        return True
    key = identity(fact)
    known = seen.get(key)
    if known is None:
        seen[key] = digest
        beside.seen.append((key, digest, at))
    elif known != digest:
        raise Unreadable("id_conflict", f"{fact.stamp.ref} was taken in before with another body")
    return known is None


def record_digest(raw: Raw) -> bytes:
    """Hash a record's key and value to 8 bytes, to know it again after a restart."""
    return blake2b((raw.key or b"") + b"\0" + (raw.value or b""), digest_size=8).digest()


def stands_at(stands: Mapping[str, Position], part: Slice) -> bool:
    """Say whether a partition stands where this part of a batch begins."""
    known = stands.get(part.partition)
    return (None if known is None else known.next) == part.expected


def is_behind(stands: Mapping[str, Position], part: Slice) -> bool:
    """Say whether a partition stands right behind this part, with its very last record: it was taken in before."""
    known = stands.get(part.partition)
    return (
        known is not None
        and bool(part.records)
        and known.next == part.next
        and known.last_digest == record_digest(part.records[-1].raw)
    )
