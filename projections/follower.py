"""The follower: takes every view from where it stands to where the log stands, each event once.

Rows and positions commit together. It looks often, and cheaply, whether the log has grown. An event that cannot be
applied is tried again and then parks its stream in that view: what comes after it waits behind it, other streams flow.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from eventsourcing.persistence import OperationalError

from domain.history.log import EVENTS, LogRecorder, UnknownTopic
from domain.instant import FOREVER
from projections import VIEWS, checkpoints, frontier
from projections.checkpoints import Overtaken
from projections.outage import Outage
from projections.parking import Lot
from projections.pauses import growing
from projections.subjects import Subjects
from projections.view import Checkpoint, Entry, Parked, Rows, View
from projections.views import AWAY, RowsRefused, ViewStore

BATCH: Final = 10_000
"""Events in one transaction, at most: whoever keeps up takes what there is, whoever is far behind writes once what was
touched several times among so many."""
LOOK: Final = 0.01
"""Seconds until the first look for more in the log; see ``projections.pauses``."""
IDLE: Final = 0.05
"""Seconds between two looks at a log in which nothing happens."""
GATHER: Final = 0.025
"""Seconds from the beginning of a batch to that of the next, at least: each costs as much as a hundred events more, so
what comes in a steady stream is gathered. What comes after silence is taken at once."""
ATTEMPTS: Final = 5
"""How often an event is tried before its stream is parked."""
_PAUSE: Final = 0.01
_STORE_WAITS: Final = 1.0
_HEARD: Final = 0.5
"""Seconds between two notes of a frontier that moved without an event."""
_TOPICS: Final = frozenset(event.TOPIC for event in EVENTS)
_STORE_ERRORS: Final = (*AWAY, OSError, MemoryError)

Streams = dict[str, list[Entry]]
_log = logging.getLogger(__name__)


class _Failed(Exception):
    """A view could not take in a stream's events."""


class Follower:
    """Runs views over one log. One thread at a time; a second follower of the same views does no harm.

    Whoever comes second in a race finds the checkpoint moved and drops what it did. What waits is read in the
    transaction that goes by it, because another follower may have parked or healed a stream meanwhile.
    """

    def __init__(
        self,
        store: ViewStore,
        log: LogRecorder,
        views: Sequence[View] = VIEWS,
        *,
        batch: int = BATCH,
        cache: int = 50_000,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        """Make or empty the views' tables as needed, and try what was parked once more."""
        self._store = store
        self._log = log
        self._views = {view.name: view for view in views}
        self._batch = batch
        self._on_commit = on_commit
        self._subjects = Subjects(log, cache)
        self._heard_at = -FOREVER / 1e9
        self._stands = 0
        self._epoch = log.epoch()
        self._interested: dict[str, list[str]] = {}
        for view in views:
            for topic in sorted(view.topics):
                self._interested.setdefault(topic, []).append(view.name)
        with store.writing() as rows:
            self.begun = checkpoints.prepare(rows, views, self._epoch, log.last_position())
        Lot(store, log, views).retry(self._subjects)

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop; waits while the views cannot be written, raises what must stop the process."""
        outage = Outage()
        while not stop.is_set():
            began = time.monotonic()
            try:
                more = self.step()
                _go_on(outage)
                if more == 0:
                    self._wait(stop)
                elif more < self._batch:
                    stop.wait(GATHER - (time.monotonic() - began))
            except (*AWAY, OperationalError) as error:
                # Locked for long by a switch or a backup, the disk is full, or a server is away: readers go on as they
                # can, and so shall we.
                outage.begin()
                _log.warning("the views wait: %s", error)
                stop.wait(_STORE_WAITS)

    def catch_up(self, up_to: int = FOREVER) -> int:
        """Follow to the end of the log, or to a position, and no further; returns how many events there were."""
        total = 0
        while taken := self.step(up_to):
            total += taken
        return total

    def step(self, up_to: int = FOREVER) -> int:
        """Take the views that are furthest behind one batch on; returns how many events there were."""
        stands = self._checkpoints()
        after = self._stands = min(one.position for one in stands)
        together = [one for one in stands if one.position == after]
        # The views meet again where the next one stands.
        bound = min((one.position for one in stands if after < one.position < up_to), default=up_to)
        heard = frontier.partitions(self._log.positions())
        found = self._log.select_rows(after, self._batch)
        entries = [Entry(row) for row in found if row.position <= bound]
        at_end = len(found) < self._batch and len(entries) == len(found) and len(together) == len(stands)
        if not entries:
            if at_end:
                self._hear(heard)
            return 0
        return len(entries) if self._take(together, entries, heard if at_end else None) else 0

    def _checkpoints(self) -> list[Checkpoint]:
        with self._store.reading() as rows:
            known = checkpoints.read(rows)
        stands = [known[name] for name in self._views]
        for one in stands:
            if one.epoch != self._epoch or one.version != self._views[one.view].version:
                raise Overtaken(f"{one.view} was begun anew for another log or version; this follower must end")
        return stands

    def _take(self, together: list[Checkpoint], entries: list[Entry], heard: list[frontier.Partition] | None) -> bool:
        """Commit a batch, trying again where an event fails; says whether it was ours to commit."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._commit(together, entries, heard, last_attempt=attempt == ATTEMPTS)
            except (_Failed, RowsRefused):
                self._subjects.forget()
                if attempt == ATTEMPTS:
                    raise
                time.sleep(_PAUSE * attempt)
            except BaseException as error:
                self._subjects.forget()
                if isinstance(error, Overtaken):
                    time.sleep(IDLE)
                    return False
                raise
            else:
                break
        self._on_commit()
        return True

    def _commit(
        self,
        together: list[Checkpoint],
        entries: list[Entry],
        heard: list[frontier.Partition] | None,
        *,
        last_attempt: bool,
    ) -> None:
        groups = self._group([one.view for one in together], entries)
        streams: Streams = defaultdict(list)
        for entry in entries:
            streams[entry.row.stream].append(entry)
        last = entries[-1].position
        self._subjects.advance(together[0].position, last, streams)
        parked: list[Parked] = []
        with self._store.writing() as rows:
            checkpoints.advance(rows, together, last)
            for waits in checkpoints.parked(rows):
                if waits.view in groups:
                    groups[waits.view].pop(waits.stream, None)
            for name, flowing in groups.items():
                view = self._views[name]
                if last_attempt:
                    parked += _apply_or_park(view, flowing, rows, self._subjects)
                else:
                    _apply(view, flowing, rows, self._subjects)
            for each in parked:
                checkpoints.park(rows, each)
            if heard is not None:
                frontier.store(rows, heard)

    def _group(self, views: list[str], entries: Iterable[Entry]) -> dict[str, Streams]:
        groups: dict[str, Streams] = {name: defaultdict(list) for name in views}
        interested: dict[str, list[Streams]] = {}
        for entry in entries:
            topic, stream = entry.row.topic, entry.row.stream
            if topic not in interested:
                if topic not in _TOPICS:
                    raise UnknownTopic(f"event {topic!r} at {entry.position} is not known to this version; upgrade")
                interested[topic] = [groups[name] for name in self._interested.get(topic, ()) if name in groups]
            for group in interested[topic]:
                group[stream].append(entry)
        return groups

    def _wait(self, stop: threading.Event) -> None:
        """Return once the log has grown, or it is time to look whether its frontier has moved."""
        for pause in growing(LOOK, IDLE):
            if stop.wait(pause) or time.monotonic() - self._heard_at >= _HEARD:
                return
            if self._log.last_position() > self._stands:
                return

    def _hear(self, heard: list[frontier.Partition]) -> None:
        now = time.monotonic()
        if now - self._heard_at < _HEARD:
            return
        self._heard_at = now
        with self._store.reading() as rows:
            known = frontier.read(rows)
        if sorted(known) != sorted(heard):
            with self._store.writing() as rows:
                frontier.store(rows, heard)


def follow(store: ViewStore, log: LogRecorder, stop: threading.Event) -> None:
    """Follow with every view until told to stop; waits also where the views cannot be opened yet."""
    outage = Outage()
    while not stop.is_set():
        try:
            follower = Follower(store, log)
        except (*AWAY, OperationalError) as error:
            outage.begin()
            _log.warning("the views wait: %s", error)
            stop.wait(_STORE_WAITS)
        else:
            _go_on(outage)
            follower.run(stop)


def _go_on(outage: Outage) -> None:
    if (seconds := outage.end()) is not None:
        _log.info("the views go on after %s s", seconds)


def _apply(view: View, streams: Streams, rows: Rows, subjects: Subjects) -> None:
    if not streams:
        return
    try:
        view.apply(streams, rows, subjects)
    except _STORE_ERRORS:
        raise
    except Exception as error:
        raise _Failed from error


def _apply_or_park(view: View, streams: Streams, rows: Rows, subjects: Subjects) -> list[Parked]:
    """Apply each stream by itself, and leave out those that fail."""
    parked = []
    for stream, entries in streams.items():
        rows.execute("SAVEPOINT one_stream")
        try:
            view.apply({stream: entries}, rows, subjects)
        except _STORE_ERRORS:
            raise
        except Exception as error:  # noqa: BLE001  # kept with the stream, for everybody to see
            rows.execute("ROLLBACK TO one_stream")
            parked.append(Parked(view.name, stream, entries[0].position, ATTEMPTS, repr(error)))
        rows.execute("RELEASE one_stream")
    return parked
