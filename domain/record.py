"""Digests by which a record or an event is known again."""

from hashlib import blake2b

from domain.batch import Raw
from domain.events import Fact


def identity(fact: Fact) -> bytes:
    """Hash (source, id) to the 16 bytes under which the event is known."""
    return blake2b(f"{fact.source}\0{fact.id}".encode(), digest_size=16).digest()


def record_digest(raw: Raw) -> bytes:
    """Hash a record's key and value to 8 bytes, to know it again after a restart."""
    return blake2b((raw.key or b"") + b"\0" + (raw.value or b""), digest_size=8).digest()
