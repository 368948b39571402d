"""A log that is told a story, the views over it, and a look at their rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from domain.history.log import Log
from domain.instant import Instant
from projections import VIEWS
from projections.follower import Follower
from projections.views import ViewStore
from tests.stores.engine import views_at
from tests.story import Desk, at, file_log


class Stage:
    """Tells the log what happens and lets the views follow."""

    def __init__(self, log: Log, folder: Path, policy: str = "") -> None:
        self.log = log
        self.folder = folder
        self.desk = Desk(log, policy)
        self.store = views_at(folder / "views.db")
        self.follower = Follower(self.store, log.store)

    def hear(self, *said: Any, until: float = -9999) -> None:
        """Take messages in, let time come to ``until``, and let the views follow."""
        self.desk.take(*said, until=until)
        self.come(until)

    def come(self, until: float) -> None:
        """Let time come, and let the views follow."""
        while self.desk.tick(until) == 500:
            pass
        self.follow()

    def follow(self) -> None:
        self.follower.catch_up()
        self.follower.step()

    def tables(self, store: ViewStore | None = None) -> dict[str, list[tuple[Any, ...]]]:
        """Give every row of every view."""
        with (store or self.store).reading() as rows:
            return {
                table: sorted(map(tuple, rows.execute(f"SELECT * FROM {table}")), key=repr)
                for view in VIEWS
                for table in view.tables
            }

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.store.reading() as rows:
            return [tuple(row) for row in rows.execute(statement, values)]

    def plan(self, statement: str, *values: Any) -> str:
        """Say how SQLite would answer."""
        return "\n".join(row[3] for row in self.query(f"EXPLAIN QUERY PLAN {statement}", *values))


@contextmanager
def stage(folder: Path, policy: str = "") -> Iterator[Stage]:
    with file_log(folder / "log.db") as log:
        made = Stage(log, folder, policy)
        try:
            yield made
        finally:
            made.store.close()


def instant(hours: float) -> Instant:
    return at(hours)
