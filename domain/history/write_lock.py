"""The lock of whoever writes: one thread of this process at a time and, where wanted, one process of all."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from domain.history.log import LogRecorder


class WriteLock:
    """Held alone it keeps out the threads of this process; ``alone`` keeps out every other writer of the log."""

    def __init__(self, store: LogRecorder) -> None:
        """Guard what is written to this store."""
        self._store = store
        self._lock = threading.RLock()
        self._is_alone = False

    def __enter__(self) -> Self:
        """Wait for the other threads."""
        self._lock.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        """Let them go on."""
        self._lock.release()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the log's write lock as well; what is done inside a block, further ones included, commits at once."""
        with self._lock:
            if self._is_alone:
                yield
                return
            with self._store.writing():
                self._is_alone = True
                try:
                    yield
                finally:
                    self._is_alone = False
