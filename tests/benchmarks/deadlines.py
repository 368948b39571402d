"""P8: many deadlines that come due within one second, among a million armed ones; and what waiting for them costs."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final, NamedTuple, Self

from consumers import ticker
from consumers.translate import Translator
from domain.detection import FindingOpened
from domain.history.enrolment import Partition, enrol
from domain.history.log import Log
from domain.instant import DAY, SECOND, Instant, instant
from domain.judging.adoption import Adopted, adopt
from domain.tracker import Tracker
from tests.benchmarks import ours
from tests.benchmarks.growth_log import END
from tests.benchmarks.measure import ResultsDiffer
from tests.benchmarks.place import Place, named, on_every_store
from tests.benchmarks.result import OURS, Figure, Result
from tests.benchmarks.stand import Stand
from tests.benchmarks.subjects import SubjectFailed
from tests.benchmarks.workload import ORDERS, Message, Planned, body

MEASURE: Final = "P8"
FIRED: Final = "fired"
IDLE: Final = "idle ticker's share of a core"
UNITS: Final = {FIRED: "s", IDLE: "%"}
BATCH: Final = 2_000
DEDUP_FOR: Final = 30 * DAY
LOOK_SECONDS: Final = 0.01
CALM_SECONDS: Final = 1.0
"""For its first round, in which it also tidies."""
PATIENCE_SECONDS: Final = 120.0
APART: Final = timedelta(minutes=1)


def measure(stand: Stand) -> list[Result]:
    """Let a ticker that has waited find everything of one second due at once; then let one wait for long.

    Raises:
        ResultsDiffer: not all fired.
        SubjectFailed: they did not in time, or not in order.
    """
    return on_every_store(MEASURE, UNITS, partial(_measured, stand))


def _measured(stand: Stand, store: str) -> list[Result]:
    grown, size = stand.grown(store), stand.size
    fired: list[float] = []
    armed = 0
    with grown.place.chosen(), ours.open_log(grown.directory) as log:
        policies = adopt(log, ours.POLICY, instant(END))
        for run in range(size.runs):
            at = END + timedelta(hours=12) + run * APART
            stand.tell(f"{MEASURE} {store} run {run + 1}, {size.due:,} due …")
            expected = _arm(log, policies, stand.number(), at, size.due)
            armed = _armed(grown.place)
            with _ticking(log, policies, at) as clock:
                time.sleep(CALM_SECONDS)  # until whatever its start is busy with is over
                fired.append(_fire(log, clock, instant(at) + SECOND, expected))
        stand.tell(f"{MEASURE} {store} waiting {1.5 * size.idle_seconds:.0f} s for nothing …")
        with _ticking(log, policies, END + timedelta(hours=12) + size.runs * APART):
            idle = Idle.watched(size.idle_seconds)
    notes = (
        f"{size.due:,} of {armed:,} armed deadlines come due within one second; from the ticker's clock passing "
        "that second to the last finding committed, earliest first; the ticker knew nothing of these orders"
    )
    figures = {FIRED: (Figure.of(OURS, fired), notes), IDLE: (Figure.of(OURS, [idle.percent]), idle.told())}
    return [
        Result(measure=MEASURE, name=named(store, name), unit=UNITS[name], ours=figure, notes=(told,))
        for name, (figure, told) in figures.items()
    ]


class Idle(NamedTuple):
    """What a ticker costs an hour in which nothing comes due: its looks, and tidying once."""

    seconds: float
    """How long its looks were watched."""
    looks: float
    """Their share of a core."""
    tidying: float
    """Seconds of processor time of the hour's tidying."""

    @classmethod
    def watched(cls, seconds: float) -> Self:
        """Watch this process, whose ticker has just started and so tidies at once, and then does nothing but look."""
        began = time.process_time()
        time.sleep(seconds / 2)  # the tidying, which is once
        tidied = time.process_time()
        since = time.perf_counter()
        time.sleep(seconds)  # looks alone: this stretch is the figure
        looks = (time.process_time() - tidied) / (time.perf_counter() - since)
        return cls(seconds, looks, max(0.0, tidied - began - looks * seconds / 2))

    @property
    def percent(self) -> float:
        """Give the share of a core, over an hour."""
        return 100 * (self.looks + self.tidying / 3600)

    def told(self) -> str:
        """Say for people how it comes about."""
        return (
            f"over an hour: looks take {100 * self.looks:.2f} % of a core, watched for {self.seconds:.0f} s in which "
            f"nothing came due, and tidying, once an hour, {self.tidying:.2f} s of processor time; in this process, "
            "without a server's"
        )


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: Instant) -> None:
        """Begin at an instant."""
        self.now = now

    def __call__(self) -> Instant:
        """Tell the time."""
        return self.now


def _arm(log: Log, policies: Sequence[Adopted], number: int, at: datetime, count: int) -> frozenset[str]:
    """Take orders in whose promises pass within one second; returns what will be late."""
    name, now = f"memory-due-{number}/orders/0", instant(END)
    enrol(log, {Partition(name, ORDERS, 0): 0})
    tracker, translator = Tracker(log, policies), Translator({})
    messages = _messages(number, at, count)
    while batch := [*islice(messages, BATCH)]:
        tracker.take(ours.as_batch(batch, {(ORDERS, 0): name}, translator, now), now)
    # Everything is read, so that the clock alone says how far time goes.
    tracker.hear(dict.fromkeys(tracker.positions(), instant(END + timedelta(days=1))))
    return frozenset(f"DUE-{number}-{one}-F1" for one in range(count))


def _messages(number: int, at: datetime, count: int) -> Iterator[Message]:
    step = timedelta(seconds=1) / count
    offset = 0
    for one in range(count):
        order_id = f"DUE-{number}-{one}"
        lines = [{"line_id": "1", "sku": "SKU-1", "quantity": 1, "unit_price": "9.00"}]
        ship_by = (at + one * step).isoformat(timespec="microseconds").replace("+00:00", "Z")
        request = {"order_id": order_id, "fulfillment_id": f"{order_id}-F1", "warehouse_id": "W-SP"}
        told = (
            ("order.placed.v1", {"order_id": order_id, "customer_id": "C1", "currency": "CNY", "lines": lines}),
            ("order.approved.v1", {"order_id": order_id}),
            ("fulfillment.requested.v1", request | {"ship_by": ship_by, "lines": [{"line_id": "1"}]}),
        )
        for kind, data in told:
            event = Planned(END, "/shops/own", f"{order_id}-{kind}", kind, order_id, order_id, data)
            yield Message(ORDERS, 0, offset, int(END.timestamp() * 1000), order_id.encode(), body(event))
            offset += 1


def _armed(place: Place) -> int:
    with place.beside() as store:
        return int(store.execute("SELECT COUNT(*) FROM deadlines WHERE due IS NOT NULL").fetchone()[0])


@contextmanager
def _ticking(log: Log, policies: Sequence[Adopted], at: datetime) -> Iterator[Clock]:
    """Run the product's own ticker, its clock standing just before."""
    clock, stop = Clock(instant(at) - SECOND), threading.Event()
    tracker = Tracker(log, policies)
    running = threading.Thread(target=ticker.run, args=(tracker, clock, stop), kwargs={"dedup_for": DEDUP_FOR})
    running.start()
    try:
        yield clock
    finally:
        stop.set()
        running.join()


def _fire(log: Log, clock: Clock, now: Instant, expected: frozenset[str]) -> float:
    before = log.store.last_position()
    began = time.perf_counter()
    clock.now = now
    while log.store.due(now, 1):
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise SubjectFailed(OURS, f"deadlines were still due after {PATIENCE_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)  # between two looks at what is still due
    seconds = time.perf_counter() - began
    events = (event for _, _, event in log.read(before, 10**9, (FindingOpened.TOPIC,)))
    found = [one.finding for one in events if isinstance(one, FindingOpened) and one.finding.subject in expected]
    if frozenset(one.subject for one in found) != expected:
        raise ResultsDiffer(OURS, frozenset(one.subject for one in found), expected)
    if [one.due_at for one in found] != sorted(one.due_at for one in found):
        raise SubjectFailed(OURS, "deadlines did not fire in order")
    return seconds
