"""Records: what leaves for Kafka, as CloudEvents in binary mode and as dead letters."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from domain.history.batch import Quarantined

CONNECTOR: Final = "order-incident-tracker"
REASON: Final = "__connect.errors."
SPECVERSION: Final = "1.0"
JSON: Final = "application/json"
_OVERHEAD: Final = 100
"""Bytes that a record costs beside what it holds, at most; a header, a tenth of that."""


class Record(NamedTuple):
    """A record for a topic; a null value would be a tombstone."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def size(self) -> int:
        """Say how many bytes it takes, at most."""
        headers = sum(len(name.encode()) + len(value or b"") + _OVERHEAD // 10 for name, value in self.headers)
        return _OVERHEAD + len(self.key or b"") + len(self.value or b"") + headers


class Place(NamedTuple):
    """Where a change stands: the life of a log, and a position in it."""

    epoch: str
    position: int

    @property
    def id(self) -> str:
        """Name what stands there; the same however often it leaves, and whatever was put in around it."""
        return f"{self.epoch}-{self.position}"


def type_of(kind: str) -> str:
    """Name what happened to an incident as ``ce_type`` does."""
    return f"incident.{kind}.v1"


def event(
    topic: str,
    kind: str,
    place: Place,
    incident: str,
    data: Mapping[str, Any],
    *,
    mark: str = "",
    at: str | None = None,
) -> Record:
    """Write what happened to an incident; ``mark`` tells apart two events of one place."""
    attributes = {
        "ce_specversion": SPECVERSION,
        "ce_id": f"{place.id}{mark}",
        "ce_source": f"/order-incidents/{place.epoch}",
        "ce_type": type_of(kind),
        "ce_subject": incident,
        # Sorts as text; says which of two is newer where one was sent again.
        "ce_sequence": f"{place.position:020d}",
        **({} if at is None else {"ce_time": at}),
        "content-type": JSON,
    }
    headers = tuple((name, value.encode()) for name, value in attributes.items())
    return Record(topic, incident.encode(), orjson.dumps(data), headers)


def dead_letter(topic: str, one: Quarantined) -> Record:
    """Write a message that could not be taken in: as it came, and why it is here."""
    why = {
        "topic": one.raw.topic,
        "partition": str(one.raw.partition),
        "offset": str(one.offset),
        "connector.name": CONNECTOR,
        "task.id": "0",
        "stage": "TRANSFORMATION",
        "class.name": CONNECTOR,
        "exception.class.name": one.code,
        "exception.message": one.detail,
    }
    reasons = ((REASON + name, value.encode()) for name, value in why.items())
    return Record(topic, one.raw.key, one.raw.value, (*one.raw.headers, *reasons))
