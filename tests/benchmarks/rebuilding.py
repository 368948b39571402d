"""P4: every view made again from the log and switched to, against streaming the same rows by plain SQL."""

from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import psycopg
from psycopg import sql

from domain.history.log import Log
from projections.rebuild import Progress, rebuild
from projections.views import ViewStore
from tests.benchmarks import ours
from tests.benchmarks.place import STORES
from tests.benchmarks.result import OURS, Figure, Result, not_measured
from tests.benchmarks.stand import Stand
from tests.benchmarks.workload import build
from tests.stores import engine
from tests.stores.cluster import StoreMissingError

MEASURE: Final = "P4"
UNIT: Final = "events/s"
STREAMED: Final = "the same rows streamed by SQL"
BATCH: Final = 2_000
PORTION: Final = 10_000


def measure(stand: Stand) -> list[Result]:
    """Rebuild on every store, streaming the same log in turn."""
    results = []
    for store, messages in product(STORES, stand.size.rebuilt):
        name = f"{store}, log of {messages:,} messages"
        try:
            with stand.place(store) as place, place.chosen():
                results.append(_rebuilt(stand, name, messages, place.directory))
        except StoreMissingError as missing:
            results.append(not_measured(MEASURE, name, UNIT, str(missing)))
    return results


def _rebuilt(stand: Stand, name: str, messages: int, directory: Path) -> Result:
    path, told = directory / "log.db", list[Progress]()
    rates: list[float] = []
    streamed: list[float] = []
    with ours.open_log(directory) as log, closing(engine.views_at(directory / "views.db")) as views:
        stand.tell(f"{MEASURE} {name} …")
        ours.drive(log, build(messages), BATCH)
        for run in range(stand.size.runs):
            stand.tell(f"{MEASURE} {name}, run {run + 1} …")
            rates.append(_rebuild(views, log, told))
            streamed.append(_stream(path))
    estimated = [one for one in told if one.seconds_left is not None]
    notes = (
        f"{log_size(told):,} events; progress was told {len(told)} times, with the seconds left {len(estimated)} times",
    )
    peers = (Figure.of(STREAMED, streamed),)
    return Result(measure=MEASURE, name=name, unit=UNIT, ours=Figure.of(OURS, rates), peers=peers, notes=notes)


def log_size(told: list[Progress]) -> int:
    """Say how many events the rebuilt log holds, by what was told of it."""
    return max((one.target for one in told), default=0)


def _rebuild(views: ViewStore, log: Log, told: list[Progress]) -> float:
    done = rebuild(views, log.store, tell=told.append)
    return done.events / done.seconds


def _stream(path: Path) -> float:
    """Read every row once, in order, as a program would that does nothing with them."""
    began = perf_counter()
    count = sum(1 for _ in _rows(path))
    return count / (perf_counter() - began)


def _rows(path: Path) -> Iterator[Any]:
    query = "SELECT {id}, originator_id, originator_version, topic, state FROM stored_events ORDER BY {id}"
    url = engine.url()
    if url is None:
        with engine.beside(path) as store:
            yield from store.execute(query.format(id="rowid"))
        return
    with psycopg.connect(url) as connection, connection.cursor("streamed", binary=True) as cursor:
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(engine.schema_of(path))))
        cursor.itersize = PORTION
        yield from cursor.execute(query.format(id="notification_id"))
