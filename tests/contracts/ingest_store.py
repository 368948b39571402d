"""The store that an ingest fills, read with nothing but SQL."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING, Any

import psycopg

from tests.stores import engine

if TYPE_CHECKING:
    from pathlib import Path


class Store:
    """Answers from the tables alone, so that no code of the product vouches for itself."""

    def __init__(self, path: Path) -> None:
        """Read this file."""
        self._path = path

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask once; a store that is not there yet has no rows."""
        if engine.url() is None and not self._path.exists():
            return []
        with engine.beside(self._path, timeout=30) as other:
            try:
                return [*other.execute(query, values).fetchall()]
            except psycopg.errors.UndefinedTable:
                return []
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    def positions(self) -> dict[tuple[str, int], tuple[int, int | None]]:
        """Say where each partition stands, and up to when it has been read."""
        rows = self.rows("SELECT topic, number, next, taken_up_to FROM positions")
        return {(topic, number): (next_, at) for topic, number, next_, at in rows}

    def facts(self) -> Counter[str]:
        """Count the facts of orders in the log by the record that brought them."""
        found = self.rows("SELECT state FROM stored_events WHERE topic LIKE 'order.%'")
        said = (json.loads(bytes(state)).get("via") for (state,) in found)
        return Counter(via for via in said if via)

    def events(self, topic: str) -> list[dict[str, Any]]:
        """Read the events of one name, in order."""
        order = "rowid" if engine.url() is None else "notification_id"
        query = f"SELECT state FROM stored_events WHERE topic = ? ORDER BY {order}"
        return [json.loads(bytes(state)) for (state,) in self.rows(query, topic)]

    def batches(self) -> dict[tuple[str, int], list[dict[str, Any]]]:
        """Group what was said of batches by partition, in order."""
        found: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for one in self.events("batch.taken.v1"):
            found.setdefault((one["topic"], one["number"]), []).append(one)
        return found

    def seen(self) -> int:
        """Count the event keys that are known."""
        return sum(count for (count,) in self.rows("SELECT COUNT(*) FROM seen_ids"))

    def quarantine_places(self) -> Counter[str]:
        """Count the messages in quarantine by the record that brought them."""
        return Counter(f"{t}/{n}/{o}" for t, n, o in self.rows('SELECT topic, number, "offset" FROM quarantine'))
