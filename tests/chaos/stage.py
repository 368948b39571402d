"""The stage of one run: broker, clock, children, and the producer that goes on while they are killed."""

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple, Self

from tests.chaos.control import INGEST, SECOND, TICKER, Control, Phase
from tests.chaos.evidence import Witness
from tests.chaos.nursery import Nursery
from tests.chaos.season import season
from tests.chaos.topics import PLACES, Broker

ROLES: Final = {INGEST: "ingest", TICKER: "ticker", SECOND: "ingest"}

SECOND_LIMIT: Final = 3
"""Records of a poll of the second ingest process, so that it takes in parts of what a zombie holds."""


class Failed(Exception):
    """A run broke a law that the log does not show; the text names it."""


class Plan(NamedTuple):
    """What a run is made of."""

    seed: int
    messages: int
    limit: int = 25
    """Most records of one poll."""
    mutant: str = ""
    drain: float = 40.0
    """Seconds in which everything acked must be taken in once nobody is killed any more."""


class Stage:
    """Everything of one run, in one directory."""

    def __init__(self, path: Path, plan: Plan, nursery: Nursery) -> None:
        """Set the scene; nobody plays yet."""
        self.path = path
        self.plan = plan
        self.dice = Random(plan.seed)
        self.control = Control(path)
        self.season = season(plan.seed, plan.messages)
        self.witness = Witness(path)
        self.playing: dict[int, int] = {}
        self._nursery = nursery
        self._producer = Producer(self)
        if nursery.run(self._part("setup", INGEST)):
            raise Failed(f"H1: the log could not be set up\n{self.said('setup')}")

    def __enter__(self) -> Self:
        """Begin to produce."""
        self._producer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the producer and every child that is left."""
        self._producer.end()
        for slot in list(self.playing):
            self.signal(slot, signal.SIGCONT)
            self.kill(slot)

    def start(self, slot: int) -> None:
        """Start a child."""
        self.control.mark(slot, Phase.STARTING)
        self.control.set_aim(slot, Phase.STARTING)
        self.playing[slot] = self._nursery.start(self._part(ROLES[slot], slot))

    def kill(self, slot: int) -> tuple[Phase, int]:
        """Kill a child; returns what it was doing, and how it ended."""
        self.signal(slot, signal.SIGKILL)
        status = self._nursery.reap(self.playing.pop(slot))
        return self.control.phase(slot), status

    def signal(self, slot: int, number: int) -> None:
        """Send a signal to a child."""
        os.kill(self.playing[slot], number)

    def stop(self, slot: int, within: float = 10.0) -> float:
        """Ask a child to end, and see that it does; returns the seconds it took."""
        began = time.monotonic()
        self.signal(slot, signal.SIGTERM)
        status = self._nursery.reap(self.playing.pop(slot))
        took = time.monotonic() - began
        if status or took > within:
            raise Failed(f"H2: {ROLES[slot]} ended with {status} after {took:.1f} s\n{self.said(ROLES[slot])}")
        return took

    def said(self, role: str) -> str:
        """Give the last lines that children of a role have printed."""
        printed = self.path / f"{role}.out"
        return "\n".join(printed.read_text(errors="replace").splitlines()[-12:]) if printed.exists() else ""

    def produce(self, share: float) -> None:
        """Let the producer go on up to this share of the season."""
        self._producer.allowed = min(round(len(self.season.sent) * share), len(self.season.sent))

    @property
    def lag(self) -> int:
        """Count the messages that the producer may send and has not yet."""
        return self._producer.allowed - self._producer.sent

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait for something, at most so long; says whether it came."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(0.001)
        return True

    def drain(self) -> None:
        """Let everything be produced, read and looked at."""
        self.produce(1.0)
        if not self.until(lambda: self._producer.done, self.plan.drain):
            raise Failed("H3: the producer did not finish")
        self.control.set_clock(self.season.end + 1_000_000)
        if not self.until(self._is_drained, self.plan.drain):
            said = "\n".join(self.said(role) for role in ("ingest", "ticker"))
            raise Failed(f"L7 behind: {self.plan.drain:.0f} s after the last kill: {self.query(_POSITIONS)}\n{said}")

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the log's database."""
        with closing(sqlite3.connect(self.path / "log.db", timeout=10)) as log:
            return log.execute(statement).fetchall()

    def _is_drained(self) -> bool:
        time.sleep(0.02)
        end = self.season.end
        behind = any(row[1] is None or row[1] < end for row in self.query(_POSITIONS))
        return not behind and not self.query(f"SELECT 1 FROM deadlines WHERE due < {end} LIMIT 1")

    def _part(self, role: str, slot: int) -> tuple[Any, ...]:
        limit = SECOND_LIMIT if slot == SECOND else self.plan.limit
        return (role, slot, str(self.path), limit, self.plan.mutant)


class Producer(threading.Thread):
    """Sends the season at its own pace and moves the clock with it, so that live time goes on between kills."""

    def __init__(self, stage: Stage) -> None:
        """Send nothing yet."""
        super().__init__(daemon=True)
        self.allowed = 0
        self._stage = stage
        self._broker = Broker(stage.path)
        self.sent = 0
        self._ended = threading.Event()

    @property
    def done(self) -> bool:
        """Say whether everything has been acked."""
        return self.sent == len(self._stage.season.sent)

    def run(self) -> None:
        """Send a few messages at a time."""
        dice = Random(self._stage.plan.seed)
        while not self._ended.wait(0.002 if self.done else 0.006):
            pace = 1000 if self.allowed == len(self._stage.season.sent) else 5
            few = self._stage.season.sent[self.sent : min(self.sent + dice.randrange(pace), self.allowed)]
            for one in few:
                self._stage.control.set_clock(one.heard)
                self._broker.send(one)
                if dice.random() < 0.02:
                    self._broker.skip(dice.choice(PLACES))
            self.sent += len(few)

    def end(self) -> None:
        """Stop and close the ledger."""
        self._ended.set()
        self.join(10)
        self._broker.close()


_POSITIONS: Final = "SELECT partition, taken_up_to, next FROM positions"
