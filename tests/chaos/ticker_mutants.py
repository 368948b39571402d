"""Planted defects of the ticker; see ``mutants``."""

from collections.abc import Callable
from typing import Any

from eventsourcing.persistence import IntegrityError, OperationalError

from consumers import ticker
from domain.history.batch import TickFired
from domain.history.log import Beside, Recorded
from domain.history.streams import Work
from domain.intake.intake import Intake
from domain.tracker import Tracker
from tests.chaos.phases import gap, replace


def _touching(work: Work, names: list[str]) -> Intake:
    intake = Intake(work)
    intake.touched.update((name, set()) for name in names)
    return intake


def deadline_deleted_first() -> None:
    """Take deadlines off the list before they are looked at."""
    fire = Tracker._look_at

    def tick(self: Any, until: int, limit: int = 500, *, at: int | None = None) -> int:
        names = [name for _, name in self.log.store.due(until, limit)]
        if names:
            with self.log.store.datastore.transaction(commit=True) as cursor:
                cursor.executemany("DELETE FROM deadlines WHERE subject = ?", [(name,) for name in names])
            gap()
        return int(fire(self, lambda: names, until, at))

    replace(Tracker, "tick", tick)


def ticker_without_versions() -> None:
    """Let the ticker append behind whatever a stream ends with, judging by what it remembers."""

    def look_at(self: Any, subjects: Callable[[], list[str]], until: int, at: int | None) -> int:
        names = subjects()
        if not names:
            return 0
        with self._work() as work:
            beside = Beside()
            work.load(names)
            self._look(_touching(work, names), until, beside)
            with self.log.store.writing():
                last = self.log.store.versions([*names, "ticks"])
                events = []
                for one in [*work.pending, Recorded("ticks", 0, TickFired(until=until, subjects=len(names), at=at))]:
                    last[one.originator_id] = last.get(one.originator_id, 0) + 1
                    events.append(Recorded(one.originator_id, last[one.originator_id], one.body))
                self.log.append(events, beside)
        return len(names)

    replace(Tracker, "_look_at", look_at)


def ticker_without_reading_again() -> None:
    """Let the ticker judge by what it remembers, without the lock; a clash is tried again later."""

    def look_at(self: Any, subjects: Callable[[], list[str]], until: int, at: int | None) -> int:
        names = subjects()
        if not names:
            return 0
        with self._lock, self._work() as work:
            beside = Beside()
            work.load(names)
            self._look(_touching(work, names), until, beside)
            try:
                self._append(work, beside, "ticks", TickFired(until=until, subjects=len(names), at=at))
            except IntegrityError as error:
                raise OperationalError(error) from error
        return len(names)

    replace(Tracker, "_look_at", look_at)
    # Telling groups reads the subjects anew on the way, which would hide what this one remembers.
    replace(Tracker, "group", lambda *_, **__: 0)


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

    replace(Tracker, "_append", beside_it)


def tick_by_wall_clock() -> None:
    """Fire deadlines by the clock, whatever has not been read yet."""
    replace(ticker, "live", lambda now, _read: now)
