"""A broker's topics as files: records are appended, then indexed; a record that is indexed has been acked."""

import json
import struct
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

ENTRY: Final = struct.Struct("<qi")
"""Where a record's bytes begin and how many there are; -1 is an offset without a record, as transactions leave."""
HEAD: Final = struct.Struct("<iiq")
"""Bytes of key, bytes of value (-1: none), broker's time stamp in microseconds."""
PARTITIONS: Final = {"orders.events.v1": 2, "logistics.events.v1": 3, "complaints.events.v1": 1}


class Place(NamedTuple):
    """A partition."""

    topic: str
    number: int

    @property
    def name(self) -> str:
        """Name it as the log does: cluster, topic identity, number."""
        return f"chaos/{self.topic}/{self.number}"


PLACES: Final = tuple(Place(topic, number) for topic, count in PARTITIONS.items() for number in range(count))


class Sent(NamedTuple):
    """A message on its way to the broker."""

    heard: int
    """The instant of the clock at which the broker acks it."""
    topic: str
    key: str
    value: bytes | None
    sort: str
    """``event``, ``foreign``, or ``quarantine:CODE`` for what must end there."""
    story: int
    shift: int = 0
    """Partitions beside the one that its key belongs to, for producers that repeat themselves elsewhere."""

    @property
    def place(self) -> Place:
        """Choose the partition by key."""
        return Place(self.topic, (crc32(self.key.encode()) + self.shift) % PARTITIONS[self.topic])


class Broker:
    """Takes messages, and writes down in the ledger what it has acked."""

    def __init__(self, stage: Path, places: Sequence[Place] = PLACES) -> None:
        """Make the partitions."""
        self._files = {place: (_open(stage, place, "log"), _open(stage, place, "index")) for place in places}
        self._ledger = (stage / "ledger.jsonl").open("a", encoding="utf-8")
        self.ends = dict.fromkeys(places, 0)

    def skip(self, place: Place) -> None:
        """Use up an offset without a record, as a commit marker does."""
        self._files[place][1].write(ENTRY.pack(0, -1))
        self.ends[place] += 1

    def send(self, sent: Sent) -> int:
        """Append a message and return its offset: the ack."""
        place, key, value = sent.place, sent.key.encode(), sent.value
        log, index = self._files[place]
        at = log.tell()
        size = -1 if value is None else len(value)
        log.write(HEAD.pack(len(key), size, sent.heard) + key + (value or b""))
        index.write(ENTRY.pack(at, log.tell() - at))
        offset = self.ends[place]
        self.ends[place] = offset + 1
        line = {
            "partition": place.name,
            "via": f"{place.topic}/{place.number}/{offset}",
            "offset": offset,
            "heard": sent.heard,
            "sort": sent.sort,
            "story": sent.story,
            "value": None if value is None else b64encode(value).decode(),
            "hash": sha256(value or b"").hexdigest(),
        }
        self._ledger.write(json.dumps(line) + "\n")
        return offset

    def close(self) -> None:
        """Finish the ledger."""
        self._ledger.close()
        for log, index in self._files.values():
            log.close()
            index.close()


def _open(stage: Path, place: Place, kind: str):
    return (stage / f"{place.topic}-{place.number}.{kind}").open("ab", buffering=0)
