"""Planted defects: each breaks one safeguard of the product, in a child's memory only.

A harness that does not see them proves nothing by seeing nothing.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from eventsourcing.persistence import IntegrityError, OperationalError

from consumers import freshness, ticker
from deploy.store import sqlite_connection, sqlite_recorder
from deploy.store.sqlite_recorder import SqliteLogRecorder
from domain.batch import TickFired
from domain.errors import Fenced
from domain.log import Advance, Beside, Recorded
from domain.streams import Streams, Work, stream
from domain.tracker import Tracker
from tests.chaos.phases import gap
from tests.chaos.source import FileSource

_SEEN: Final = "INSERT OR IGNORE INTO seen VALUES (?,?,?)"


def plant(name: str) -> None:
    """Break what the mutant of this name breaks."""
    if name:
        MUTANTS[name]()


def _split(first: Callable[[Beside], Beside], then: Callable[[Beside], Beside], *, events_first: bool = True) -> None:
    """Store what belongs to one transaction in two."""
    insert = SqliteLogRecorder.insert_events

    def in_two(self: Any, stored: Sequence[Any], *, beside: Beside) -> Any:
        ids = insert(self, stored if events_first else [], beside=first(beside))
        _widen(then(beside))
        later = insert(self, [] if events_first else stored, beside=then(beside))
        return ids or later

    SqliteLogRecorder.insert_events = in_two


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

    sqlite_recorder.advance_position = advance
    Tracker._advance = close
    Tracker._is_taken = is_taken


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

    FileSource._rebalance = join
    FileSource.poll = polling
    FileSource.mirror = lambda _self, _positions: None


def no_seek_when_fenced() -> None:
    """Go on behind a batch that was dropped."""
    FileSource.seek = lambda _self, _starts: None


def seen_after_commit() -> None:
    """Remember event ids in a second transaction."""
    _split(_without("seen"), _only("seen"))


def quarantine_after_commit() -> None:
    """Keep unreadable messages in a second transaction."""
    _split(_without("quarantine"), _only("quarantine"))


def deadlines_after_commit() -> None:
    """Arm deadlines in a second transaction."""
    _split(_without("arm"), _only("arm"))


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

    SqliteLogRecorder.insert_events = in_halves


def deadline_deleted_first() -> None:
    """Take deadlines off the list before they are looked at."""
    fire = Tracker._look_at

    def tick(self: Any, until: int, limit: int = 500) -> int:
        names = [name for _, name in self.log.store.due(until, limit)]
        if names:
            with self.log.store.datastore.transaction(commit=True) as cursor:
                cursor.executemany("DELETE FROM deadlines WHERE subject = ?", [(name,) for name in names])
            gap()
        return int(fire(self, lambda: names, until))

    Tracker.tick = tick


def stale_cache() -> None:
    """Keep states that went ahead of a transaction that failed."""
    Work.__exit__ = lambda self, *_: self._streams.trim(self.used)
    Streams.forget_all = lambda _self: None


def deferred_begin() -> None:
    """Begin write transactions without the lock, as the library does."""

    def begin(self: Any) -> Any:
        cursor = self.connection.cursor()
        cursor.execute("BEGIN")
        return cursor

    sqlite_connection._ImmediateTransaction.__enter__ = begin


def clash_taken_for_success() -> None:
    """Tell a clash from a batch that is in by the type of the exception alone."""

    def is_taken(self: Any, _batch: Any, _clash: Exception) -> bool:
        self._streams.forget_all()
        self.positions()
        return True

    Tracker._is_taken = is_taken


def ticker_without_versions() -> None:
    """Let the ticker append behind whatever a stream ends with, judging by what it remembers."""

    def look_at(self: Any, subjects: Callable[[], list[str]], until: int) -> int:
        names = subjects()
        if not names:
            return 0
        with self._work() as work:
            beside = Beside()
            work.load(names)
            for name in names:
                work.stream(name).armed = None
            self._look(work, dict.fromkeys(names, ()), until, beside)
            with self.log.store.writing():
                last = self.log.store.versions([*names, "ticks"])
                events = []
                for one in [*work.pending, Recorded("ticks", 0, TickFired(until=until, subjects=len(names)))]:
                    last[one.originator_id] = last.get(one.originator_id, 0) + 1
                    events.append(one._replace(originator_version=last[one.originator_id]))
                self.log.append(events, beside)
        return len(names)

    Tracker._look_at = look_at


def ticker_without_reading_again() -> None:
    """Let the ticker judge by what it remembers, without the lock; a clash is tried again later."""

    def look_at(self: Any, subjects: Callable[[], list[str]], until: int) -> int:
        names = subjects()
        if not names:
            return 0
        with self._lock, self._work() as work:
            beside = Beside()
            work.load(names)
            for name in names:
                work.stream(name).armed = None
            self._look(work, dict.fromkeys(names, ()), until, beside)
            try:
                self._append(work, beside, "ticks", TickFired(until=until, subjects=len(names)))
            except IntegrityError as error:
                raise OperationalError(error) from error
        return len(names)

    Tracker._look_at = look_at


def ticker_in_its_own_stream() -> None:
    """Let the ticker write findings beside the order instead of into it."""
    append = Tracker._append

    def beside_it(self: Any, work: Any, beside: Any, name: str, closing: Any) -> None:
        places = [f"late-{one.originator_id}" for one in work.pending]
        last = self.log.store.versions(places) if places else {}
        for at, (one, place) in enumerate(zip(work.pending, places, strict=True)):
            last[place] = last.get(place, 0) + 1
            work.pending[at] = Recorded(place, last[place], one.body)
        append(self, work, beside, name, closing)
        self._streams.forget_all()

    Tracker._append = beside_it


def tick_by_wall_clock() -> None:
    """Fire deadlines by the clock, whatever has not been read yet."""
    ticker.live = lambda now, _read: now


def frontier_before_reading() -> None:
    """Say that a partition has been read up to an end that was only asked for."""
    freshness.Freshness.read = lambda self, positions, _elapsed: {
        name: self._marks.pop(name).at for name in list(self._marks) if name in positions
    }


def dedup_within_a_batch() -> None:
    """Know event ids again within one batch only."""
    SqliteLogRecorder.seen = lambda _self, _keys: {}
    store = sqlite_recorder.store_beside

    def storing(c: Any, beside: Beside) -> None:
        c.executemany(_SEEN, beside.seen)
        store(c, _without("seen")(beside))

    sqlite_recorder.store_beside = storing


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
