"""A fake of the Kafka source over the files of ``topics``: positions by seek only, one owner or a group of them."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from domain.history.batch import Raw
from domain.history.enrolment import Partition
from tests.chaos.topics import PLACES, Topics

PARTITIONS = {place.name: Partition(place.name, place.topic, place.number) for place in PLACES}
_PLACES = {place.name: place for place in PLACES}
Polled = dict[str, list[tuple[int, Raw]]]
Starts = Callable[[], Mapping[str, int]]


class FileSource:
    """Reads what the broker has acked; asks for its starts whenever the group gives it other partitions."""

    def __init__(self, stage: Path, starts: Starts, owned: Callable[[], frozenset[str]] | None = None) -> None:
        self._stage = stage
        self._topics = Topics(stage)
        self._starts = starts
        self._owned = owned or (lambda: frozenset(PARTITIONS))
        self._given: frozenset[str] | None = None
        self._at: dict[str, int] = {}
        self._held: set[str] = set()
        self.assignments = 0

    @property
    def assigned(self) -> frozenset[str]:
        return self._given or frozenset()

    @property
    def settled(self) -> bool:
        return self._given is not None

    def poll(self, timeout_ms: int, limit: int) -> Polled:
        until = time.monotonic() + timeout_ms / 1000
        while True:
            self._rebalance()
            found = {
                name: records for name in sorted(self.assigned - self._held) if (records := self._read(name, limit))
            }
            if found or time.monotonic() >= until:
                return self._share(found, limit)
            time.sleep(0.004)

    def ends(self, names: frozenset[str]) -> dict[str, int]:
        return {name: self._topics.end(_PLACES[name]) for name in names}

    def beginnings(self, names: frozenset[str]) -> dict[str, int]:
        return dict.fromkeys(names, 0)

    def reached(self, names: frozenset[str]) -> dict[str, int]:
        return {name: self._at[name] for name in names if name in self.assigned}

    def seek(self, starts: Mapping[str, int]) -> None:
        self._at.update((name, offset) for name, offset in starts.items() if name in self.assigned)

    def hold(self, names: set[str]) -> None:
        self._held.update(names)

    def release(self, names: set[str]) -> None:
        self._held.difference_update(names)

    def mirror(self, positions: Mapping[str, int]) -> None:
        (self._stage / "committed.json").write_text(json.dumps(dict(positions)))

    def close(self) -> None:
        self._given = frozenset()

    def _rebalance(self) -> None:
        owned = self._owned()
        if owned != self._given:
            self._given = owned
            starts = self._starts()
            self._at = {name: starts[name] for name in owned}
            self.assignments += 1

    def _read(self, name: str, limit: int) -> list[tuple[int, Raw]]:
        records, behind = self._topics.read(_PLACES[name], self._at[name], limit)
        if not records:
            self._at[name] = behind
        return records

    def _share(self, found: Polled, limit: int) -> Polled:
        share = max(1, limit // max(1, len(found)))
        polled = {name: records[:share] for name, records in found.items()}
        self._at.update((name, records[-1][0] + 1) for name, records in polled.items())
        return polled
