"""Ids that were seen before: new ones are added at the end, and an index of where they stand follows at a distance.

An id is a hash, so whatever is sorted by ids is changed all over by every batch: a page for each message. So the index
lags behind, and catches up with all ids that begin with one byte at a time: several on every page. What it lacks, each
process that takes messages in reads as it comes, and holds in memory. Only who has the log's lock adds ids or indexes
them, and whoever adds ids looks them up under that lock.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from eventsourcing.persistence import IntegrityError

from deploy.store.rows import Rows
from deploy.store.statements import Statements
from domain.instant import Instant

SLICES: Final = 256
LAG: Final = 1 << 17
"""Ids by which a slice of the index may lag behind; a process holds half as many in memory."""
_START: Final = 8
"""Bytes of an id that the index holds; whether it is the whole id is looked up where it stands."""

_NEWER: Final = "SELECT place, key FROM seen_ids WHERE place > ? ORDER BY place LIMIT ?"
_FROM: Final = "SELECT place, at FROM seen_ids WHERE place >= ? ORDER BY place LIMIT ?"
_ALL: Final = (1 << 63) - 1
_MOVE_UP: Final = "UPDATE seen_slices SET up_to = ? WHERE slice = ?"
_UP_TO: Final = "SELECT slice, up_to FROM seen_slices"
_FORGET_PLACES: Final = "DELETE FROM seen_places WHERE start BETWEEN ? AND ? AND place < ?"


class Recent:
    """The ids that the index may lack, slice by slice, as far as this process has read what is committed."""

    def __init__(self) -> None:
        """Begin knowing nothing."""
        self.lock = threading.Lock()
        self.last = 0
        """The place of the last one that was read."""
        self.up_to = [-LAG] * SLICES
        """Up to which place each slice is indexed, at the least."""
        self.places: list[dict[bytes, int]] = [{} for _ in range(SLICES)]
        self.unseen: tuple[int, set[bytes]] = 0, set()
        """The ids that were looked up last and not found, and up to which place that holds."""

    @property
    def lags(self) -> bool:
        """Say whether the index lags too far behind, as far as is known here."""
        return self.last - min(self.up_to) > LAG

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add (place, id), in order."""
        for place, key in rows:
            self.last = place
            if place > self.up_to[key[0]]:
                self.places[key[0]][key] = place

    def beyond(self) -> "Recent":
        """Begin where this ends, for what may be undone."""
        other = Recent()
        other.last, other.up_to = self.last, [*self.up_to]
        return other

    def since(self, number: int, place: int) -> Iterator[tuple[bytes, int]]:
        """Give the entries of the index for the ids of a slice behind a place."""
        return ((key[:_START], one) for key, one in self.places[number].items() if one > place)

    def drop(self, up_to: Iterable[Sequence[int]]) -> None:
        """Drop what is indexed by now: (slice, up to which place)."""
        for number, place in up_to:
            if place > self.up_to[number]:
                self.up_to[number] = place
                held = self.places[number]
                self.places[number] = {key: one for key, one in held.items() if one > place}


class Remembering(Statements):
    """The part of a recorder that knows which messages were taken in; see ``domain.history.log.LogRecorder``."""

    _recent: Recent

    def seen(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Give the digests of the event keys that are known."""
        if not keys:
            return {}
        # The recent ones first: ids only ever go from there to the index.
        last, places, others = self._recent_places(keys)
        starts = [key[:_START] for key in others]
        places += [row[0] for row in self._among("SELECT place FROM seen_places WHERE start {among}", starts)]
        wanted = set(keys)
        stored = self._among("SELECT key, digest FROM seen_ids WHERE place {among}", places)
        found = {key: digest for key, digest in stored if key in wanted}
        self._recent.unseen = last, wanted.difference(found)
        return found

    def forget_seen(self, before: Instant, now: Instant, limit: int) -> int:
        """Purge one slice of old event keys, from the front: what came before an old one is older than that."""
        first = self._all(_FROM, (0, limit))
        old = [place for place, at in first if at < before]
        if not old and any(at > now for _, at in first) and self._are_old_behind(first[-1][0], before, limit):
            # All that stand at the front came by a clock ahead of time.
            old = [first[-1][0]]
        if not old:
            return 0
        return self._change(
            "DELETE FROM seen_ids WHERE place BETWEEN ? AND ? AND (at < ? OR at > ?)",
            (first[0][0], old[-1], before, now),
        )

    def _are_old_behind(self, place: int, before: Instant, limit: int) -> bool:
        """Look for old ids behind a place, a slice at twice the distance each time: as many as are in the way show."""
        leap = 1
        while behind := self._all(_FROM, (place + leap, limit)):
            if any(at < before for _, at in behind):
                return True
            leap += max(leap, limit)
        return False

    def _see(self, seen: Sequence[tuple[bytes, bytes, Instant]]) -> Iterator[Rows]:
        """Give the rows by which ids are noted as seen, and by which the index catches up.

        Raises:
            IntegrityError: one of them was seen before.
        """
        if not seen:
            return
        keys = {key for key, _, _ in seen}
        if len(keys) < len(seen) or self._is_any_seen(keys):
            raise IntegrityError("one of these messages has been seen before")
        yield Rows("seen_ids", "key BLOB, digest BLOB, at INTEGER", [*seen])
        if self._recent.lags:
            # Twice as fast as ids come: none are left behind.
            yield from self._index(1 + 2 * SLICES * len(keys) // LAG)

    def _is_any_seen(self, keys: set[bytes]) -> bool:
        """Look once more, under the log's lock; mostly at what others have added since these were looked up."""
        last, unseen = self._recent.unseen
        if not unseen.issuperset(keys):
            return bool(self.seen([*keys]))
        return not keys.isdisjoint(row[1] for row in self._all(_NEWER, (last, _ALL)))

    def _index(self, slices: int) -> Iterator[Rows]:
        """Give the rows by which the slices furthest behind catch up, as far as this process has read."""
        recent = self._recent
        up_to = {row[0]: row[1] for row in self._all(_UP_TO)}
        with recent.lock:
            last = recent.last
            behind = [one for one in sorted(up_to, key=up_to.__getitem__)[:slices] if last - up_to[one] > LAG]
            new = {one: sorted(recent.since(one, up_to[one])) for one in behind}
        [(oldest,)] = self._all("SELECT MIN(place) FROM seen_ids")
        for one, entries in new.items():
            if oldest > 1:
                self._change(_FORGET_PLACES, (bytes([one]), bytes([one]) + b"\xff" * _START, oldest))
            yield Rows("seen_places", "start BLOB, place INTEGER", entries, "ON CONFLICT DO NOTHING")
            self._change(_MOVE_UP, (last, one))

    def _recent_places(self, keys: Sequence[bytes]) -> tuple[int, list[int], list[bytes]]:
        """Give up to where was read, where those ids stand that are recent, and the other ids."""
        recent = self._recent
        found: list[int] = []
        others: list[bytes] = []
        with recent.lock:
            # Of what this thread may have written and not committed yet, nothing is kept.
            newest = recent.beyond() if self._has_appended() else recent
            self._read_on(newest)
            for key in keys:
                place = newest.places[key[0]].get(key) or recent.places[key[0]].get(key)
                if place is None:
                    others.append(key)
                else:
                    found.append(place)
            return recent.last, found, others

    def _read_on(self, recent: Recent) -> None:
        """Read what is new."""
        while True:
            if recent.lags or not recent.last:
                recent.drop(self._all(_UP_TO))
            # In portions: whoever was idle for long has much to read, of which most is in the index by now.
            portion = self._all(_NEWER, (max(recent.last, min(recent.up_to)), LAG))
            recent.add(portion)
            if len(portion) < LAG:
                return
