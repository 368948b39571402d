"""Rebuilding: views are made again beside the live ones, from the first event, and switched in one transaction.

What is built stands in a file or schema of its own beside the live one. A rebuild that was interrupted goes on where
it stopped; readers of the live views see the old rows until the switch, and the new ones after it.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from domain.history.log import LogRecorder
from projections import VIEWS, checkpoints
from projections.follower import Follower
from projections.view import Checkpoint, Column, Parked, Rows, View
from projections.views import ViewStore

BATCH: Final = 100_000
"""Events in one transaction of a rebuild. Nobody waits to see them, and whatever happened to an order or a parcel among
so many is written once; the rows do not depend on it."""
_NEAR: Final = 2000
"""Events that may be left to do under the write lock of the live views."""
_SLICE: Final = 5000
"""Rows of a table compared at a time."""
VERIFY: Final = "verify"
"""Names what is built to be compared, beside the live views. One process at a time may use what has a name there."""
_UNSEEN: Final = 2_000_000
"""Objects that may come beyond those that are freed before Python looks which of them only refer to each other."""


class Progress(NamedTuple):
    """How far a rebuild has come."""

    position: int
    target: int
    rate: float
    """Events a second, of late."""
    seconds_left: float | None


class Rebuilt(NamedTuple):
    """What a rebuild did."""

    views: tuple[str, ...]
    position: int
    events: int
    seconds: float


class Listed(NamedTuple):
    """A view and how far it has come."""

    name: str
    version: int
    position: int
    behind: int
    parked: int


class Difference(NamedTuple):
    """A row that the live view and the log do not agree on."""

    view: str
    table: str
    key: tuple[Any, ...]
    live: tuple[Any, ...] | None
    rebuilt: tuple[Any, ...] | None


class Verified(NamedTuple):
    """What comparing the live views with the log showed."""

    position: int
    rows: int
    differences: list[Difference]


Tell = Callable[[Progress], None]


def listing(store: ViewStore, log: LogRecorder) -> list[Listed]:
    """List the views with what they are behind the log."""
    last = log.last_position()
    with store.reading() as rows:
        waiting = [one.view for one in checkpoints.parked(rows)]
        return [
            Listed(one.view, one.version, one.position, max(0, last - one.position), waiting.count(one.view))
            for one in sorted(checkpoints.read(rows).values())
        ]


def rebuild(store: ViewStore, log: LogRecorder, names: Sequence[str] = (), *, tell: Tell = lambda _: None) -> Rebuilt:
    """Make these views again, all where none is named, and switch to them.

    Raises:
        LookupError: there is no view of that name.
    """
    views = chosen(names)
    begun = time.monotonic()
    name = beside_of(views)
    with _looking_rarely(), store.beside(name) as scratch:
        follower = Follower(scratch, log, views, batch=BATCH)
        events = _catch_up(follower, scratch, lambda: _target(store, log, views), tell)
        position, more = _switch(store, scratch, follower, log, views)
    store.remove(name)
    return Rebuilt(tuple(view.name for view in views), position, events + more, time.monotonic() - begun)


def verify(
    store: ViewStore,
    log: LogRecorder,
    names: Sequence[str] = (),
    *,
    limit: int = 100,
    tell: Tell = lambda _: None,
) -> Verified:
    """Make these views again without switching, and compare row by row at one position; lists up to ``limit``.

    Raises:
        LookupError: there is no view of that name.
    """
    views = chosen(names)
    store.remove(VERIFY)
    with _looking_rarely(), store.beside(VERIFY) as scratch:
        follower = Follower(scratch, log, views, batch=BATCH)
        _catch_up(follower, scratch, lambda: _target(store, log, views), tell)
        with store.reading() as live:
            found = Verified(0, 0, [])
            stands = checkpoints.read(live)
            for view in sorted(views, key=lambda one: stands[one.name].position):
                follower.catch_up(stands[view.name].position)
                with scratch.reading() as rebuilt:
                    for table in view.tables:
                        columns = store.columns(live, table)
                        rows, differences = _compare(view.name, table, columns, live, rebuilt)
                        known = [*found.differences, *differences][:limit]
                        found = Verified(stands[view.name].position, found.rows + rows, known)
    store.remove(VERIFY)
    return found


def chosen(names: Sequence[str]) -> tuple[View, ...]:
    """Give the views of these names, all where none is named.

    Raises:
        LookupError: there is no view of that name.
    """
    known = {view.name: view for view in VIEWS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise LookupError(f"no view is called {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names)) or VIEWS


def beside_of(views: Sequence[View]) -> str:
    """Name what is built of these views beside the live ones."""
    return f"rebuild-{'-'.join(view.name for view in views)}"


def _target(store: ViewStore, log: LogRecorder, views: Sequence[View]) -> int:
    """Say how far the live views have come; the end of the log where there are none of it yet."""
    epoch = log.epoch()
    with store.reading() as rows:
        stands = checkpoints.read(rows) if store.columns(rows, "checkpoints") else {}
    known = [stands[view.name].position for view in views if view.name in stands and stands[view.name].epoch == epoch]
    return min(known) if len(known) == len(views) else log.last_position()


def _catch_up(follower: Follower, scratch: ViewStore, target: Callable[[], int], tell: Tell) -> int:
    """Follow until little is left, telling how long it will take."""
    total = 0
    begun = time.monotonic()
    while True:
        end, position = target(), _stands(scratch)
        elapsed = time.monotonic() - begun
        rate = total / elapsed if elapsed else 0.0
        tell(Progress(position, end, rate, max(0, end - position) / rate if rate else None))
        if end - position <= _NEAR:
            return total
        total += follower.step(end)


@contextmanager
def _looking_rarely() -> Iterator[None]:
    """Let Python look for cycles only where many pile up: else it goes again and again through all that is kept."""
    before = gc.get_threshold()
    gc.set_threshold(_UNSEEN)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _stands(store: ViewStore) -> int:
    with store.reading() as rows:
        return min(one.position for one in checkpoints.read(rows).values())


def _switch(
    live: ViewStore, scratch: ViewStore, follower: Follower, log: LogRecorder, views: Sequence[View]
) -> tuple[int, int]:
    """Bring what was built to where the live views stand, and put it in their place, while nobody else may write."""
    target = _target(live, log, views)
    with live.writing() as rows:
        checkpoints.prepare(rows, (), log.epoch(), log.last_position())
        stands, waited = checkpoints.read(rows), checkpoints.parked(rows)
        target = max([target, *(stands[view.name].position for view in views if view.name in stands)])
        more = 0
        while taken := follower.step(target):
            more += taken
            # Whoever holds the lock and says nothing for long is taken for dead.
            rows.execute("SELECT 1").fetchone()
        with scratch.reading() as built:
            positions, parked = checkpoints.read(built), checkpoints.parked(built)
        for view in views:
            checkpoints.begin(rows, view, log.epoch())
        for view in views:
            for table in view.tables:
                live.take_over(rows, scratch, table)
            for one in parked:
                if one.view == view.name:
                    checkpoints.park(rows, one)
            _place(rows, positions[view.name], stands.get(view.name))
            if _of(view, waited) - _of(view, parked):
                # What waited is in now, behind whoever follows the view.
                checkpoints.revise(rows, view.name)
    return target, more


def _of(view: View, parked: Sequence[Parked]) -> set[str]:
    return {one.stream for one in parked if one.view == view.name}


def _place(rows: Rows, built: Checkpoint, before: Checkpoint | None) -> None:
    """Put the checkpoint where what was built stands; ids stay, so whoever follows the view notices nothing."""
    revision = 0 if before is None else before.revision
    rows.execute(
        "UPDATE checkpoints SET position = ?, revision = ? WHERE view = ?", (built.position, revision, built.view)
    )


def _compare(
    view: str, table: str, columns: Sequence[Column], live: Rows, rebuilt: Rows
) -> tuple[int, list[Difference]]:
    """Walk both tables by key at once."""
    key = sorted((place for place, column in enumerate(columns) if column.key), key=lambda place: columns[place].key)
    names = [columns[place].name for place in key]
    ours, theirs = (_in_order(side, table, names, key) for side in (live, rebuilt))
    found: list[Difference] = []
    count = 0
    one, other = next(ours, None), next(theirs, None)
    while one is not None or other is not None:
        count += 1
        mine, its = ([row[place] for place in key] if row is not None else None for row in (one, other))
        if its is None or (mine is not None and mine <= its):
            same = mine == its
            if not same or one != other:
                found.append(Difference(view, table, tuple(mine or ()), one, other if same else None))
            one, other = next(ours, None), next(theirs, None) if same else other
        else:
            found.append(Difference(view, table, tuple(its), None, other))
            other = next(theirs, None)
    return count, found


def _in_order(rows: Rows, table: str, names: Sequence[str], key: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """Read a table by its key, a slice at a time, so that no table need fit into memory."""
    order, marks = ", ".join(names), ", ".join("?" * len(names))
    after: str = ""
    last: tuple[Any, ...] = ()
    while True:
        query = f"SELECT * FROM {table} {after} ORDER BY {order} LIMIT {_SLICE}"  # noqa: S608  # our own names
        found = [tuple(row) for row in rows.execute(query, last)]
        yield from found
        if len(found) < _SLICE:
            return
        after, last = f"WHERE ({order}) > ({marks})", tuple(found[-1][place] for place in key)
