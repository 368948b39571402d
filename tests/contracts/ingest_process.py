"""Ingest processes of their own, which a test kills, stops and lets go on, each by its id."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

from tests.brokers.clients import PATIENCE
from tests.contracts import ingest_child
from tests.contracts.ingesting import QUICK, until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.contracts.ingesting import Shop


class Process:
    """An ingest process over a shop's store; it does not outlive the block."""

    def __init__(self, shop: Shop, options: Mapping[str, object] = QUICK, **chosen: Any) -> None:
        """Start it, with these arguments to the wiring and these settings of its Kafka client."""
        self.said: list[dict[str, Any]] = []
        self._errors: list[str] = []
        command = [
            sys.executable,
            str(ingest_child.__file__),
            json.dumps({"begin": None, "options": {**shop.options, **options}, **chosen}),
        ]
        self._process = subprocess.Popen(
            command, env=shop.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._readers = [
            threading.Thread(target=reads, daemon=True) for reads in (self._listen, self._listen_to_errors)
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        """Wait until it runs."""
        self.until("started")
        return self

    def __exit__(self, *_: object) -> None:
        """End it, whatever state it is in."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def until(self, what: str, seconds: float = PATIENCE) -> Any:
        """Wait for it to say something, and give what."""
        until(lambda: bool(self.heard(what)) or self._process.poll() is not None, seconds)
        assert self.heard(what), f"it ended with {self._process.returncode}: {self.errors}"
        return self.heard(what)[-1]

    def heard(self, what: str) -> list[Any]:
        """List everything that it said of one thing."""
        return [said[what] for said in self.said if what in said]

    def story(self) -> str:
        """Tell what it said last, and of each thing how often."""
        return f"{Counter(name for said in self.said for name in said)} ... {self.said[-5:]} {self.errors[-1_000:]}"

    @property
    def errors(self) -> str:
        """Give what it wrote to standard error."""
        return "".join(self._errors)

    def freeze(self) -> list[tuple[str, int, int, int]]:
        """Let it stop with its next batch in hand, and say which: topic, partition, expected and next position."""
        before = len(self.heard("frozen"))
        self._process.send_signal(signal.SIGUSR1)
        until(lambda: len(self.heard("frozen")) > before, story=self.story)
        return [tuple(part) for part in self.heard("frozen")[-1]]

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self._process.wait(PATIENCE)

    def end(self, seconds: float = PATIENCE) -> None:
        """End it with SIGTERM; it must end well."""
        self._process.send_signal(signal.SIGTERM)
        self.must_end(seconds)
        assert self._process.returncode == 0, self.errors

    def must_end(self, seconds: float = PATIENCE) -> int:
        """Wait for its end, and give its exit code."""
        self._process.wait(seconds)
        for reader in self._readers:
            reader.join(PATIENCE)
        return self._process.returncode

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.said.append(json.loads(line))

    def _listen_to_errors(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self._errors.append(line)
