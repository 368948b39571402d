"""Digests by which a record or an event is known again, and what they say about a batch."""

from collections.abc import Mapping
from hashlib import blake2b

from domain.batch import Position, Raw, Slice
from domain.events import Fact


def identity(fact: Fact) -> bytes:
    """Hash (source, id) to the 16 bytes under which the event is known."""
    return blake2b(f"{fact.source}\0{fact.id}".encode(), digest_size=16).digest()


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
