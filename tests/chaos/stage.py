"""The stage of one run: broker, clock, children, and the producer that goes on while they are killed."""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple, Self

from tests.chaos.children import NO_STORE, Part
from tests.chaos.control import INGEST, SECOND, TICKER, Control, Phase
from tests.chaos.evidence import Evidence
from tests.chaos.nursery import Nursery
from tests.chaos.oracle import Judge
from tests.chaos.season import season
from tests.chaos.topics import PLACES, Broker
from tests.chaos.witness import Witness
from tests.stores import engine

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
    """Seconds for which nothing may stand still before everything acked is taken in, once nobody is killed any more."""
    pace: int = 5
    """Messages that are sent at once, less than; the slower, the more of live time is lived through."""


class Troupe:
    """The children of one directory, their clock and their log."""

    def __init__(self, path: Path, nursery: Nursery, *, limit: int = 25, mutant: str = "") -> None:
        """Begin the log; nobody plays yet."""
        self.path = path
        self.control = Control(path)
        self.playing: dict[int, int] = {}
        self.revived = 0
        """Children that found no store when they started, and were started again."""
        self._nursery = nursery
        self._limit = limit
        self._mutant = mutant
        if nursery.run(self._part("setup", INGEST)):
            raise Failed(f"H1: the log could not be set up\n{self.said('setup')}")

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no child behind."""
        for slot in list(self.playing):
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

    def revive(self) -> None:
        """Start again, as a supervisor does, those who found no store when they started.

        Raises:
            Failed: a child has ended for another reason: an outage is to be waited out.
        """
        for slot, pid in list(self.playing.items()):
            status = self._nursery.ended(pid)
            if status is None:
                continue
            del self.playing[slot]
            if status != NO_STORE:
                raise Failed(f"H2 ended: {ROLES[slot]} ended by itself with {status}\n{self.said(ROLES[slot])}")
            self.revived += 1
            self.start(slot)

    def stop(self, slot: int, within: float = 10.0) -> float:
        """Ask a child to end, and see that it does; returns the seconds it took."""
        began = time.monotonic()
        self.signal(slot, signal.SIGTERM)
        status = self._nursery.reap(self.playing.pop(slot))
        took = time.monotonic() - began
        if status or took > within:
            raise Failed(f"H2 ended: {ROLES[slot]} ended with {status} after {took:.1f} s\n{self.said(ROLES[slot])}")
        return took

    def said(self, role: str) -> str:
        """Give the last lines that children of a role have printed."""
        printed = self.path / f"{role}.out"
        return "\n".join(printed.read_text(errors="replace").splitlines()[-12:]) if printed.exists() else ""

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Wait for something, at most so long; says whether it came."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                return False
            time.sleep(0.001)
        return True

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the log's database, which calls the position of an event ``{id}``."""
        with engine.beside(self.path / "log.db", timeout=10) as log:
            found: list[tuple[Any, ...]] = log.execute(statement.format(id=log.id)).fetchall()
            return found

    def left(self, behind_last: dict[str, int], until: int) -> tuple[int, ...]:
        """Count the records to be read, the partitions whose time is to come, and what has come due, from the first."""
        stands = self.query("SELECT partition, taken_up_to, next FROM positions")
        read = {name: after for name, _, after in stands}
        unread = sum(abs(behind_last.get(name, 0) - read.get(name, 0)) for name in behind_last.keys() | read.keys())
        behind = sum(taken_up_to is None or taken_up_to < until for _, taken_up_to, _ in stands)
        [[due, first]] = self.query(f"SELECT COUNT(*), MIN(due) FROM deadlines WHERE due < {until}")
        return unread, behind, until - first if due else 0, due

    def _part(self, role: str, slot: int) -> Part:
        limit = SECOND_LIMIT if slot == SECOND else self._limit
        return Part(role, slot, str(self.path), limit, self._mutant, database=engine.url() or "")


class Stage(Troupe):
    """Everything of one run: a troupe, and a season that is told to it."""

    def __init__(self, path: Path, plan: Plan, nursery: Nursery) -> None:
        """Set the scene; nobody plays yet."""
        super().__init__(path, nursery, limit=plan.limit, mutant=plan.mutant)
        self.plan = plan
        self.dice = Random(plan.seed)
        self.season = season(plan.seed, plan.messages)
        self.witness = Witness(path)
        self._producer = Producer(self)

    def __enter__(self) -> Self:
        """Begin to produce."""
        self._producer.start()
        if engine.url():
            # Only there can a later id be committed before an earlier one.
            self.witness.stay()
        return self

    def __exit__(self, *failed: object) -> None:
        """Stop the producer and every child that is left."""
        self._producer.end()
        self.witness.end()
        super().__exit__(*failed)

    def produce(self, share: float) -> None:
        """Let the producer go on up to this share of the season."""
        self.produce_more(round(len(self.season.sent) * share) - self._producer.allowed)

    def produce_more(self, few: int, share: float = 1.0) -> int:
        """Let the producer send a few messages more, up to this share of the season; says how many there were."""
        behind = round(len(self.season.sent) * min(share, 1.0))
        more = max(min(few, behind - self._producer.allowed), 0)
        self._producer.allowed += more
        return more

    @property
    def lag(self) -> int:
        """Count the messages that the producer may send and has not yet."""
        return self._producer.allowed - self._producer.sent

    def judged(self) -> list[str]:
        """Say what the log and the children have done wrong."""
        found = list(Judge(Evidence(self.path, self.season.end)).violations())
        found.extend(f"L6 changed: notification {one} is not what it was" for one in self.witness.changed())
        found.extend(f"L6 belated: notification {one} appeared behind a later one" for one in self.witness.belated())
        if errors := self.control.errors():
            found.append(f"H4: the store refused {errors} transactions although nobody held it for long")
        return found

    def drain(self) -> None:
        """Let everything be produced, read and looked at."""
        self.produce(1.0)
        if not comes_to_nothing(lambda: (self.lag,), self.plan.drain):
            raise Failed("H3: the producer did not finish")
        self.control.set_clock(self.season.end + 1_000_000)
        behind_last = self._producer.broker.behind_last
        if not comes_to_nothing(lambda: self.left(behind_last, self.season.end), self.plan.drain):
            stands = self.query("SELECT partition, taken_up_to, next FROM positions")
            said = "\n".join(self.said(role) for role in ("ingest", "ticker"))
            raise Failed(f"L7 behind: for {self.plan.drain:.0f} s nothing went on: {stands}\n{said}")


def comes_to_nothing(left: Callable[[], tuple[int, ...]], seconds: float) -> bool:
    """Wait until nothing is left, for as long as it becomes less at least once in so many seconds; says whether it did.

    On a machine with other work sound code takes long, but goes on.
    """
    least, until = left(), time.monotonic() + seconds
    while any(now := left()):
        if now < least:
            least, until = now, time.monotonic() + seconds
        elif time.monotonic() > until:
            return False
        time.sleep(0.02)  # between two looks at what is left
    return True


class Producer(threading.Thread):
    """Sends the season at its own pace and moves the clock with it, so that live time goes on between kills."""

    def __init__(self, stage: Stage) -> None:
        """Send nothing yet."""
        super().__init__(daemon=True)
        self.allowed = 0
        self._stage = stage
        self.broker = Broker(stage.path)
        self.sent = 0
        self._ended = threading.Event()

    def run(self) -> None:
        """Send a few messages at a time."""
        dice = Random(self._stage.plan.seed)
        while not self._ended.wait(0.006):
            pace = 1000 if self.allowed == len(self._stage.season.sent) else self._stage.plan.pace
            few = self._stage.season.sent[self.sent : min(self.sent + dice.randrange(pace), self.allowed)]
            for one in few:
                self._stage.control.set_clock(one.heard)
                self.broker.send(one)
                if dice.random() < 0.02:
                    self.broker.skip(dice.choice(PLACES))
            self.sent += len(few)

    def end(self) -> None:
        """Stop and close the ledger."""
        self._ended.set()
        self.join(10)
        self.broker.close()
