"""A broker's topics as files: records are appended, then indexed; a record that is indexed has been acked."""

import json
import struct
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from domain.history.batch import Raw

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
        self.behind_last = {place.name: 0 for place in places}
        """Behind the last record; an end may lie further, behind offsets without one."""

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
        self.ends[place] = self.behind_last[place.name] = offset + 1
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


class Topics:
    """What everybody else sees of the broker: records that are acked."""

    def __init__(self, stage: Path) -> None:
        """Look at the partitions of a stage."""
        self._stage = stage

    def end(self, place: Place) -> int:
        """Give the offset behind the last one in use."""
        return _path(self._stage, place, "index").stat().st_size // ENTRY.size

    def read(self, place: Place, at: int, limit: int) -> tuple[list[tuple[int, Raw]], int]:
        """Read records from an offset on; also says up to where there were none but these."""
        records: list[tuple[int, Raw]] = []
        if self.end(place) <= at:
            return records, at
        with _path(self._stage, place, "index").open("rb") as index:
            index.seek(at * ENTRY.size)
            entries = index.read(ENTRY.size * limit)
        with _path(self._stage, place, "log").open("rb") as log:
            for begin, size in ENTRY.iter_unpack(entries[: len(entries) // ENTRY.size * ENTRY.size]):
                if size >= 0:
                    log.seek(begin)
                    records.append((at, _raw(place, log.read(size))))
                at += 1
        return records, at


def _raw(place: Place, frame: bytes) -> Raw:
    key, value, stamped = HEAD.unpack_from(frame)
    body = frame[HEAD.size :]
    return Raw(place.topic, place.number, body[:key], None if value < 0 else body[key:], (), stamped)


def _path(stage: Path, place: Place, kind: str) -> Path:
    return stage / f"{place.topic}-{place.number}.{kind}"


def _open(stage: Path, place: Place, kind: str) -> FileIO:
    return FileIO(_path(stage, place, kind), "ab")
