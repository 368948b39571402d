"""A log that the server has no statistics of, as one just begun, restored or upgraded: what is asked is looked up."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from domain.history.log import Beside, LogRecorder
from tests.store.rows import event

pytestmark = pytest.mark.only_on("postgres")

ASKED = [f"order-{number}" for number in range(400)]
KEYS = [number.to_bytes(16, "big") for number in range(3000)]


@contextmanager
def reading(store: Any, table: str, *, rows: int) -> Iterator[None]:
    """Read a table by its indexes only, and so many rows of it at most."""

    def count() -> tuple[int, int]:
        statement = "SELECT seq_scan, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = to_regclass(?)"
        return tuple(store.datastore.read(statement, (table,))[0])

    scans, fetched = count()
    yield
    assert count()[0] == scans
    assert count()[1] <= fetched + rows


def fill(store: LogRecorder) -> None:
    """Begin 3,000 streams."""
    seen = [(key, b"digest", 0) for key in KEYS]
    store.insert_events([event(f"order-{number}") for number in range(3000)], beside=Beside(seen=seen))


def test_a_list_of_streams_is_looked_up(store: LogRecorder) -> None:
    fill(store)
    with store.writing(), reading(store, "stored_events", rows=2 * len(ASKED)):
        assert store.versions(ASKED) == dict.fromkeys(ASKED, 1)
        assert len(store.select_streams(ASKED)) == len(ASKED)


def test_a_statement_that_was_prepared_while_tables_were_small_goes_on_looking_up(store: LogRecorder) -> None:
    for _ in range(12):
        store.versions(ASKED)
        store.select_streams(ASKED)
        store.seen(KEYS[:400])
    fill(store)
    with store.writing(), reading(store, "stored_events", rows=2 * len(ASKED)), reading(store, "seen_places", rows=400):
        assert store.versions(ASKED) == dict.fromkeys(ASKED, 1)
        assert len(store.select_streams(ASKED)) == len(ASKED)
        assert store.seen(KEYS[:400]) == dict.fromkeys(KEYS[:400], b"digest")


def test_how_long_a_stream_is_takes_no_longer_where_it_is_long(store: LogRecorder) -> None:
    store.insert_events([event("ticks", version) for version in range(1, 3001)])
    with store.writing(), reading(store, "stored_events", rows=1):
        assert store.versions(["ticks"]) == {"ticks": 3000}
