"""A witness of the log while it grows: what was seen once must never change, nor may anything appear behind it."""

import threading
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import psycopg

from tests.stores.engine import Beside, beside

LOOK_EVERY: Final = 0.005


class Witness:
    """Reads the log's tail again and again while it grows, as whoever follows it does."""

    def __init__(self, stage: Path) -> None:
        """Have seen nothing."""
        self._path = stage / "log.db"
        self._seen: dict[int, str] = {}
        self._looking = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._stay, daemon=True)

    def look(self) -> None:
        """Remember what was added."""
        with beside(self._path) as log:
            self._look(log)

    def stay(self) -> None:
        """Look every few milliseconds until the end, over outages of the server."""
        self._thread.start()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(10)

    def changed(self) -> list[int]:
        """List the ids that no longer stand for what was seen under them."""
        now = self._all()
        return [one for one, content in self._seen.items() if now.get(one) != content]

    def belated(self) -> list[int]:
        """List the ids that appeared when a later one had been seen already: whoever follows the log missed them."""
        last = max(self._seen, default=0)
        return [one for one in self._all() if one <= last and one not in self._seen]

    def _stay(self) -> None:
        while not self._ended.wait(LOOK_EVERY):
            with suppress(psycopg.Error), beside(self._path) as log:
                while not self._ended.wait(LOOK_EVERY):
                    self._look(log)

    def _look(self, log: Beside) -> None:
        with self._looking:
            self._seen |= _read(log, max(self._seen, default=0))

    def _all(self) -> dict[int, str]:
        with beside(self._path) as log:
            return _read(log, 0)


def _read(log: Beside, after: int) -> dict[int, str]:
    rows = log.execute(f"SELECT {log.id}, * FROM stored_events WHERE {log.id} > ?", (after,))
    return {row[0]: sha256(repr(tuple(row)).encode()).hexdigest() for row in rows}
