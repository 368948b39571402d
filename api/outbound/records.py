"""Records: what leaves for Kafka, as CloudEvents in binary mode and as dead letters."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from domain.batch import Quarantined

CONNECTOR: Final = "order-incident-tracker"
_SPECVERSION: Final = b"1.0"
_JSON: Final = b"application/json"
_REASON: Final = "__connect.errors."
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
        "specversion": _SPECVERSION,
        "id": f"{place.id}{mark}".encode(),
        "source": f"/order-incidents/{place.epoch}".encode(),
        "type": f"incident.{kind}.v1".encode(),
        "subject": incident.encode(),
        # Sorts as text; says which of two is newer where one was sent again.
        "sequence": b"%020d" % place.position,
        **({} if at is None else {"time": at.encode()}),
    }
    headers = (*((f"ce_{name}", value) for name, value in attributes.items()), ("content-type", _JSON))
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
    reasons = ((_REASON + name, value.encode()) for name, value in why.items())
    # The client sends nothing that has neither key nor value, and such a message must not stop what comes after it.
    key = b"" if one.raw.key is None and one.raw.value is None else one.raw.key
    return Record(topic, key, one.raw.value, (*one.raw.headers, *reasons))
