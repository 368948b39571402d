"""Everything that is asked of a log, and the statements that its store runs for it."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from deploy.store import postgres_connection, postgres_recorder, schema
from domain.instant import DAY, HOUR
from tests.plans.shop import Statement
from tests.shards.side import Side

TABLES = {"stored_events", *re.findall(r"TABLE IF NOT EXISTS (\w+)", " ".join(schema.TABLES))}


class _Cursor:
    """A cursor of SQLite that writes down what is asked of it."""

    def __init__(self, cursor: Any, noted: list[Statement]) -> None:
        self._cursor, self._noted = cursor, noted

    def execute(self, statement: Any, values: Sequence[Any] = ()) -> Any:
        self._noted.append((str(statement), tuple(values)))
        return self._cursor.execute(statement, values)

    def executemany(self, statement: Any, values: Sequence[Sequence[Any]]) -> Any:
        rows = list(values)
        self._noted += [(str(statement), tuple(row)) for row in rows[:1]]
        return self._cursor.executemany(statement, rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


@contextmanager
def noting(side: Side, engine: str) -> Iterator[list[Statement]]:
    """Write down every statement that the store of a log runs."""
    noted: list[Statement] = []
    store: Any = side.log.store
    with pytest.MonkeyPatch.context() as patch:
        if engine == "sqlite":
            transaction = store.datastore.transaction

            @contextmanager
            def watched(*, commit: bool) -> Iterator[Any]:
                with transaction(commit=commit) as cursor:
                    yield _Cursor(cursor, noted)

            patch.setattr(store.datastore, "transaction", watched)
        else:
            run = postgres_connection.run

            def running(connection: Any, statement: str, values: Sequence[Any] = ()) -> Any:
                noted.append((statement, tuple(values)))
                return run(connection, statement, values)

            for module in (postgres_connection, postgres_recorder):
                patch.setattr(module, "run", running)
        yield noted


def ask(side: Side) -> None:
    """Ask a log for all that its interface has, with names and times that are in it."""
    store, end = side.log.store, side.run.frontier.end
    rows = store.select_rows(0, 2000)
    streams = sorted({row.stream for row in rows})[:5]
    store.select_streams(streams)
    store.select_streams(streams, up_to=rows[-1].position, after=1)
    store.versions(streams)
    store.select_rows(rows[-9].position, 2000)
    store.select_rows(rows[-9].position, 2000, ("batch.taken.v1", "finding.opened.v1"))
    store.last_position()
    store.epoch()
    store.seen([b"0" * 16, b"1" * 16])
    store.positions()
    store.forget_last("nothing")
    store.due(end - 30 * DAY, 500)
    store.heard()
    store.feeds(["/desk"])
    store.related([f"sold {one}" for one in "AB"], end - DAY, end)
    store.counted("reached", end - DAY, end)
    store.armed(streams)
    store.armed_by_other(_policy(side), 500)
    store.quarantined("held", 50)
    store.quarantined(None, 50)
    store.hear(list(store.positions().values()))
    side.run.tick()
    side.take(50)


def purge(side: Side) -> None:
    """Let the log do what it does now and then, in slices, when nobody waits for it."""
    store, end = side.log.store, side.run.frontier.end
    store.forget_seen(end + 9000 * HOUR, end + 9000 * HOUR, 10)
    store.expire_quarantine(end + 9000 * HOUR, 500)
    store.count_armed_by_other(_policy(side))


def _policy(side: Side) -> str:
    """Name the policy that armed everything: what is asked for is by another one, and there is nothing."""
    return str(side.run._tracker.policies[-1].policy.hash)
