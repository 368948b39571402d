"""A broker of files, a log and a clock in one directory; ingest loops and tickers run over them as threads."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from consumers import ticker
from consumers.loop import Ingest
from consumers.translate import Translator
from domain.events import Fact
from domain.history.batch import Batch, Slice
from domain.history.enrolment import go_live
from domain.history.log import Log
from domain.instant import DAY, Instant
from domain.judging.adoption import adopt, adopted
from domain.judging.report import final
from domain.tracker import Tracker
from tests.chaos.children import POLICY
from tests.chaos.source import PARTITIONS, FileSource
from tests.chaos.topics import Broker, Place, Sent, Topics
from tests.stores.engine import file_log
from tests.story import at, hours, placed, written

ORDERS = "orders.events.v1"
LOGISTICS = "logistics.events.v1"
PATIENCE = 15.0


class Rig:
    """The world around one log."""

    def __init__(self, path: Path, policy: str = POLICY, *, log_at: Path | None = None) -> None:
        """Go live at dawn, with every partition read from its start."""
        self.path = path
        self.clock: Instant = at(0)
        self.broker = Broker(path)
        self.log_file = (log_at or path) / "log.db"
        self.noted: list[tuple[str, str]] = []
        self._failed: list[Exception] = []
        self._stack = ExitStack()
        self.log = self.open_log()
        adopt(self.log, policy, at(0))
        go_live(self.log, dict.fromkeys(PARTITIONS.values(), 0), "earliest", at(0))

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every log and the broker."""
        self._stack.close()
        self.broker.close()

    def open_log(self) -> Log:
        """Open the log once more, as another process would."""
        return self._stack.enter_context(file_log(self.log_file))

    def tracker(self, log: Log | None = None) -> Tracker:
        """Make a tracker as a process does when it starts."""
        log = log or self.log
        return Tracker(log, adopted(log))

    def say(self, *facts: Fact, key: str = "k") -> None:
        """Let the broker ack facts, those about parcels in one topic and all others in another."""
        for fact in facts:
            topic = LOGISTICS if fact.TOPIC.startswith("parcel.") else ORDERS
            self.send(written(fact), topic, key)

    def say_orders(self, first: int, behind: int) -> None:
        """Let the broker ack so many orders, spread over its partitions."""
        for number in range(first, behind):
            self.say(placed(0, of=f"O{number}", key=f"p{number}"), key=f"O{number}")

    def send(self, value: bytes | None, topic: str = ORDERS, key: str = "k") -> Place:
        """Let the broker ack a message; says where it is."""
        sent = Sent(self.clock, topic, key, value, "event", 0)
        self.broker.send(sent)
        return sent.place

    def batch(self, few: int) -> Batch:
        """Read the first few messages of key ``k`` as another owner of their partition would."""
        place = Sent(self.clock, ORDERS, "k", b"", "event", 0).place
        records, behind = Topics(self.path).read(place, 0, few)
        incoming = tuple(Translator({}).incoming(offset, raw, self.clock) for offset, raw in records)
        return Batch((Slice(place.name, place.topic, place.number, 0, behind, incoming),), self.clock)

    def ingest(self, make: Callable[..., Any] = FileSource, log: Log | None = None, **options: Any) -> Ingest:
        """Make an ingest loop over a source of this kind."""
        return Ingest(
            self.tracker(log),
            Translator({}),
            PARTITIONS,
            lambda starts: make(self.path, starts),
            lambda: self.clock,
            note=lambda name, _value, why: self.noted.append((name, why)),
            **options,
        )

    @contextmanager
    def running(self, *loops: Ingest, ticking: bool = False) -> Iterator[None]:
        """Run loops, and a ticker if it is wanted, as threads; an error of theirs is raised at the end."""
        stop = threading.Event()

        def run(work: Callable[[threading.Event], object]) -> None:
            try:
                work(stop)
            except Exception as error:  # noqa: BLE001 - raised again below
                self._failed.append(error)

        works: list[Callable[[threading.Event], object]] = [loop.run for loop in loops]
        if ticking:
            firing = self.tracker(self.open_log())
            works.append(lambda stop: ticker.run(firing, lambda: self.clock, stop, dedup_for=30 * DAY))
        threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in threads)
        self._raise()

    def _raise(self) -> None:
        if self._failed:
            raise self._failed.pop()

    def wait(self, done: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait for something to become true."""
        end = time.monotonic() + seconds
        while not done():
            self._raise()
            assert time.monotonic() < end, f"waited {seconds} s; {self.stands()} of {self.broker.behind_last}"
            time.sleep(0.005)  # between two looks

    def stands(self) -> dict[str, int]:
        """Give every partition's position."""
        return {name: one.next for name, one in self.log.store.positions().items()}

    def is_read(self) -> bool:
        """Say whether everything the broker acked is taken in."""
        return self.stands() == self.broker.behind_last

    def is_known_up_to(self, instant: Instant) -> bool:
        """Say whether all partitions have been read up to an instant."""
        return all((one.taken_up_to or 0) >= instant for one in self.log.store.positions().values())

    def wait_until_read(self) -> None:
        """Wait until everything is taken in."""
        self.wait(self.is_read)

    def wait_until_settled(self) -> None:
        """Wait until all partitions are read up to the clock, and what was due by then has been looked at."""
        self.wait(lambda: self.is_read() and self.is_known_up_to(self.clock) and not self.log.store.due(self.clock, 1))

    def names(self) -> list[str]:
        """List the names of all events of the log, in order."""
        return [row.topic for row in self.log.store.select_rows(0, 100_000)]

    def found(self) -> list[tuple[str, str, float | None, float | None]]:
        """Say (state, subject, due, ended) of every finding."""
        return [
            (x.state, x.finding.subject, hours(x.finding.due_at), hours(x.finding.ended_at)) for x in final(self.log)
        ]

    def count(self, name: str) -> int:
        """Count the events of a name."""
        return self.names().count(name)
