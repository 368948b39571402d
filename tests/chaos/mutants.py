"""Planted defects: each breaks one safeguard of the product, in a child's memory only.

A harness that does not see them proves nothing by seeing nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from consumers import freshness
from deploy.store import sqlite_connection, sqlite_recorder
from deploy.store.sqlite_recorder import SqliteLogRecorder
from domain.errors import Fenced
from domain.history.log import Advance, Beside, Recorded
from domain.history.streams import Streams, Work
from domain.naming import stream
from domain.tracker import Tracker
from tests.chaos.phases import gap, replace
from tests.chaos.source import FileSource
from tests.chaos.ticker_mutants import (
    deadline_deleted_first,
    tick_by_wall_clock,
    ticker_in_its_own_stream,
    ticker_without_reading_again,
    ticker_without_versions,
)


def _split(first: Callable[[Beside], Beside], then: Callable[[Beside], Beside], *, events_first: bool = True) -> None:
    """Store what belongs to one transaction in two."""
    insert = SqliteLogRecorder.insert_events

    def in_two(self: Any, stored: Sequence[Any], *, beside: Beside) -> Any:
        ids = insert(self, stored if events_first else [], beside=first(beside))
        _widen(then(beside))
        later = insert(self, [] if events_first else stored, beside=then(beside))
        return ids or later

    replace(SqliteLogRecorder, "insert_events", in_two)


def _widen(beside: Beside) -> None:
    """Stay where a kill would show, if anything is still to be stored."""
    if beside != Beside():
        gap()


def _without(name: str) -> Callable[[Beside], Beside]:
    return lambda beside: Beside(**{one: getattr(beside, one) for one in beside.__struct_fields__ if one != name})


def _only(name: str) -> Callable[[Beside], Beside]:
    return lambda beside: Beside(**{name: getattr(beside, name)})


def library_tracking() -> None:
    """Accept any position that is greater than the stored one, as the library does."""

    def advance(c: Any, one: Advance) -> None:
        new = one.position
        c.execute("UPDATE positions SET next = ? WHERE partition = ? AND next < ?", (new.next, new.partition, new.next))
        if c.sqlite_cursor.rowcount != 1:
            raise Fenced(new.partition)

    replace(sqlite_recorder, "advance_position", advance)
    forget_expected()


def forget_expected() -> None:
    """Let the tracker close its batches without saying where it expects a partition to stand."""

    def close(self: Any, part: Any, tally: Any, received_at: int, beside: Beside) -> Recorded:
        name = stream("batches", part.partition)
        version = self.log.store.versions([name]).get(name, 0) + 1
        known = self._positions[part.partition]._replace(batches=version - 1)
        position = tally.position(part, known)
        beside.advance.append(Advance(part.expected, position))
        return Recorded(name, version, tally.event(part, position, received_at))

    def is_taken(self: Any, batch: Any, _clash: Exception) -> bool:
        self._streams.forget_all()
        stands = self.positions()
        return all(stands[part.partition].next >= part.next for part in batch.slices)

    replace(Tracker, "_advance", close)
    replace(Tracker, "_is_taken", is_taken)


def no_seek() -> None:
    """Read on from what the group committed, which the client does by itself while a batch is still in hand."""
    poll = FileSource.poll

    def join(self: Any) -> None:
        owned = self._owned()
        if owned != self._given:
            self._given = owned
            committed = self._stage / "committed.json"
            self._at = dict.fromkeys(owned, 0) | (json.loads(committed.read_text()) if committed.exists() else {})
            self.assignments += 1

    def polling(self: Any, timeout_ms: int, limit: int) -> Any:
        polled = poll(self, timeout_ms, limit)
        if polled:
            _write(self._stage / "committed.json", json.dumps(self._at))
        return polled

    replace(FileSource, "_rebalance", join)
    replace(FileSource, "poll", polling)
    replace(FileSource, "mirror", lambda _self, _positions: None)


def no_seek_when_fenced() -> None:
    """Go on behind a batch that was dropped."""
    replace(FileSource, "seek", lambda _self, _starts: None)


def seen_after_commit() -> None:
    """Remember event ids in a second transaction."""
    _split(_without("seen"), _only("seen"))


def quarantine_after_commit() -> None:
    """Keep unreadable messages in a second transaction."""
    _split(_without("quarantine"), _only("quarantine"))


def deadlines_after_commit() -> None:
    """Arm deadlines in a second transaction."""
    _split(_without("deadlines"), _only("deadlines"))


def position_first() -> None:
    """Move positions on before the events are stored."""
    _split(_only("advance"), _without("advance"), events_first=False)


def events_in_halves() -> None:
    """Store a batch in two transactions."""
    insert = SqliteLogRecorder.insert_events

    def in_halves(self: Any, stored: Sequence[Any], *, beside: Beside) -> Any:
        half = len(stored) // 2
        ids = insert(self, stored[:half], beside=Beside())
        _widen(beside)
        return insert(self, stored[half:], beside=beside) or ids

    replace(SqliteLogRecorder, "insert_events", in_halves)


def stale_cache() -> None:
    """Keep states that went ahead of a transaction that failed, and never ask the store whether they are its own."""
    replace(Work, "__exit__", lambda self, *_: self._streams.trim(self.used))
    replace(Work, "stale", lambda _self, _versions: set())
    replace(Streams, "forget_all", lambda _self: None)
    replace(Streams, "share", lambda _self: None)


def clash_decided_in_part() -> None:
    """After a clash read anew what others wrote, and leave what had been decided on it as it was."""
    replace(Work, "entangled", lambda _self, names, messages: (set(names), set(messages)))


def deferred_begin() -> None:
    """Begin write transactions without the lock, as the library does."""

    def begin(self: Any) -> Any:
        cursor = self.connection.cursor()
        cursor.execute("BEGIN")
        return cursor

    replace(sqlite_connection._ImmediateTransaction, "__enter__", begin)


def clash_taken_for_success() -> None:
    """Tell a clash from a batch that is in by the type of the exception alone."""

    def is_taken(self: Any, _batch: Any, _clash: Exception) -> bool:
        self._streams.forget_all()
        self.positions()
        return True

    replace(Tracker, "_is_taken", is_taken)


def frontier_before_reading() -> None:
    """Say that a partition has been read up to an end that was only asked for."""

    def read(self: Any, positions: Mapping[str, int]) -> dict[str, int]:
        return {name: self._marks.pop(name).at for name in list(self._marks) if name in positions}

    replace(freshness.Freshness, "read", read)


def dedup_within_a_batch() -> None:
    """Know event ids again within one batch only."""
    replace(SqliteLogRecorder, "seen", lambda _self, _keys: {})
    replace(SqliteLogRecorder, "_is_any_seen", lambda _self, _keys: False)


def _write(path: Any, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


MUTANTS: Final[dict[str, Callable[[], None]]] = {
    one.__name__: one
    for one in (
        library_tracking,
        no_seek,
        no_seek_when_fenced,
        seen_after_commit,
        quarantine_after_commit,
        deadlines_after_commit,
        position_first,
        events_in_halves,
        deadline_deleted_first,
        stale_cache,
        clash_decided_in_part,
        deferred_begin,
        clash_taken_for_success,
        ticker_without_versions,
        ticker_without_reading_again,
        ticker_in_its_own_stream,
        tick_by_wall_clock,
        frontier_before_reading,
        dedup_within_a_batch,
    )
}
