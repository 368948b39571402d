"""Thin wrappers that say in which phase a child is, and make it dwell where the harness aims."""

import time
from typing import Any, Final

from eventsourcing.persistence import OperationalError

from deploy.store import sqlite_connection, sqlite_recorder
from domain.tracker import Tracker
from tests.chaos.control import Control, Phase
from tests.chaos.source import FileSource

PAGES: Final = 48
"""Pages of write-ahead log after which a commit moves them into the file; a run never fills as many as usual."""


def replace(owner: Any, name: str, by: Any) -> None:
    """Put something else in the place of a method or function, in this process only."""
    setattr(owner, name, by)


class Teller:
    """Tells the harness what this process is doing, and dwells where it is aimed at."""

    def __init__(self, control: Control, slot: int) -> None:
        self._control = control
        self._slot = slot
        self._up = False
        self._before = Phase.STARTING
        self._wrote = False

    def reach(self, phase: Phase) -> None:
        """Enter a phase; until the first poll or tick the process is still starting."""
        self._up = self._up or phase in {Phase.POLL, Phase.WAIT, Phase.TICK}
        if self._up:
            self._control.mark(self._slot, phase)
            if self._control.aim(self._slot) == phase:
                time.sleep(self._control.dwell())

    def begin(self, backend: int = 0) -> None:
        """Enter a transaction, which a server keeps in this process of its own."""
        self._control.set_backend(self._slot, backend)
        self._before, self._wrote = self._control.phase(self._slot), False
        self.reach(Phase.BEGUN)

    def write(self) -> None:
        """Have rows written that are not committed."""
        self._wrote = True
        self.reach(Phase.WRITTEN)

    def commit(self) -> None:
        """Leave a transaction; one without events is no more than a step of what went on before."""
        if self._wrote:
            self.reach(Phase.COMMITTED)
        else:
            self._control.mark(self._slot, self._before)

    def leave(self, *, broken: bool = False) -> None:
        """Leave a transaction of which nothing was stored; it was broken off if the server went away."""
        if broken:
            self._control.count_broken(self._slot)
        self._control.mark(self._slot, self._before)

    def answer(self, *, made: bool) -> None:
        """Count a commit whose answer was lost, by what had become of it."""
        self._control.count_broken(self._slot)
        self._control.count_answer(self._slot, made=made)

    def fail(self) -> None:
        """Count an error of the store."""
        self._control.count_error(self._slot)

    def clash(self) -> None:
        """Count a clash with another writer."""
        self._control.count_clash(self._slot)


_telling: list[Teller] = []


def gap() -> None:
    """Say that something is committed, and let the harness kill here; for planted defects."""
    for teller in _telling:
        teller.reach(Phase.COMMITTED)


def install(control: Control, slot: int) -> Teller:
    """Wrap polling and ticking of this process; its transactions are wrapped by whoever knows its store."""
    teller = Teller(control, slot)
    _telling.append(teller)
    _wrap_poll(teller)
    _wrap_tick(teller)
    _count_clashes(teller)
    return teller


def checkpoint_often() -> None:
    """Move pages from the write-ahead log into the file every few transactions, so that kills fall there, too."""
    create = sqlite_connection._Pool._create_connection

    def creating(self: Any) -> Any:
        connection = create(self)
        connection.cursor().execute(f"PRAGMA wal_autocheckpoint={PAGES}")
        return connection

    replace(sqlite_connection._Pool, "_create_connection", creating)


def wrap_sqlite(teller: Teller) -> None:
    """Wrap every write transaction on SQLite."""
    transaction, recorder = sqlite_connection._ImmediateTransaction, sqlite_recorder.SqliteLogRecorder
    begin, end, insert = transaction.__enter__, transaction.__exit__, recorder._insert_events

    def begun(self: Any) -> Any:
        try:
            cursor = begin(self)
        except OperationalError:
            teller.fail()
            raise
        if self.commit:
            teller.begin()
        return cursor

    def written(self: Any, *arguments: Any, **options: Any) -> Any:
        ids = insert(self, *arguments, **options)
        teller.write()
        return ids

    def ended(self: Any, *failure: Any) -> None:
        try:
            end(self, *failure)
        except OperationalError:
            teller.fail()
            raise
        if self.commit:
            teller.commit()

    replace(transaction, "__enter__", begun)
    replace(transaction, "__exit__", ended)
    replace(recorder, "_insert_events", written)


def _wrap_poll(teller: Teller) -> None:
    poll = FileSource.poll

    def polling(self: Any, timeout_ms: int, limit: int) -> Any:
        teller.reach(Phase.POLL)
        polled = poll(self, timeout_ms, limit)
        if polled:
            teller.reach(Phase.DECIDE)
        return polled

    replace(FileSource, "poll", polling)


def _wrap_tick(teller: Teller) -> None:
    tick = Tracker.tick

    def ticking(self: Any, *arguments: Any, **more: Any) -> int:
        teller.reach(Phase.TICK)
        try:
            return tick(self, *arguments, **more)
        finally:
            teller.reach(Phase.WAIT)

    replace(Tracker, "tick", ticking)


def _count_clashes(teller: Teller) -> None:
    is_taken = Tracker._is_taken

    def judging(self: Any, *arguments: Any) -> bool:
        teller.clash()
        return is_taken(self, *arguments)

    replace(Tracker, "_is_taken", judging)
