"""P8: many deadlines that come due within one second, among a million armed ones; and what waiting for them costs."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from consumers import ticker
from consumers.translate import Translator
from domain.adoption import Adopted, adopt
from domain.detection import FindingOpened
from domain.enrolment import Partition, enrol
from domain.instant import DAY, SECOND, Instant, instant
from domain.log import Log
from domain.tracker import Tracker
from tests.benchmarks import ours
from tests.benchmarks.growth_log import END
from tests.benchmarks.measure import ResultsDiffer
from tests.benchmarks.result import OURS, Figure, Result
from tests.benchmarks.stand import Stand
from tests.benchmarks.subjects import SubjectFailed
from tests.benchmarks.workload import ORDERS, Message, Planned, body
from tests.stores import engine

MEASURE: Final = "P8"
BATCH: Final = 2_000
DEDUP_FOR: Final = 30 * DAY
LOOK_SECONDS: Final = 0.01
CALM_SECONDS: Final = 1.0
PATIENCE_SECONDS: Final = 120.0
APART: Final = timedelta(minutes=1)


def measure(stand: Stand) -> list[Result]:
    """Let a ticker that has waited find everything of one second due at once.

    Raises:
        ResultsDiffer: not all fired.
        SubjectFailed: they did not in time, or not in order.
    """
    grown, size = stand.grown, stand.size
    fired: list[float] = []
    idle: list[float] = []
    with ours.open_log(grown.directory) as log:
        policies = adopt(log, ours.POLICY, instant(END))
        armed = 0
        for run in range(size.runs):
            at = END + timedelta(hours=12) + run * APART
            stand.tell(f"{MEASURE} run {run + 1}, {size.due:,} due …")
            expected = _arm(log, policies, stand.number(), at, size.due)
            armed = _armed(grown.directory)
            with _ticking(log, policies, at) as clock:
                idle.append(_idle_share(size.idle_seconds))
                fired.append(_fire(log, clock, instant(at) + SECOND, expected))
    notes = (
        (
            f"{size.due:,} of {armed:,} armed deadlines come due within one second; from the ticker's clock passing "
            "that second to the last finding committed, earliest first; the ticker knew nothing of these orders"
        ),
    )
    return [
        Result(measure=MEASURE, name="fired", unit="s", ours=Figure.of(OURS, fired), notes=notes),
        Result(measure=MEASURE, name="idle ticker's share of a core", unit="%", ours=Figure.of(OURS, idle)),
    ]


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


def _armed(directory: Path) -> int:
    with engine.beside(directory / "log.db") as store:
        return int(store.execute("SELECT COUNT(*) FROM deadlines WHERE due IS NOT NULL").fetchone()[0])


@contextmanager
def _ticking(log: Log, policies: Sequence[Adopted], at: datetime) -> Iterator[Clock]:
    """Run the product's own ticker, its clock standing just before."""
    clock, stop = Clock(instant(at) - SECOND), threading.Event()
    tracker = Tracker(log, policies)
    running = threading.Thread(target=ticker.run, args=(tracker, clock, stop), kwargs={"dedup_for": DEDUP_FOR})
    running.start()
    try:
        # Its first round also tidies.
        time.sleep(CALM_SECONDS)
        yield clock
    finally:
        stop.set()
        running.join()


def _idle_share(seconds: float) -> float:
    """Give the share of a core, in percent, that this process uses while nothing is due."""
    began, used = time.perf_counter(), time.process_time()
    time.sleep(seconds)
    return 100 * (time.process_time() - used) / (time.perf_counter() - began)


def _fire(log: Log, clock: Clock, now: Instant, expected: frozenset[str]) -> float:
    before = log.store.last_position()
    began = time.perf_counter()
    clock.now = now
    while log.store.due(now, 1):
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise SubjectFailed(OURS, f"deadlines were still due after {PATIENCE_SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - began
    events = (event for _, _, event in log.read(before, 10**9, (FindingOpened.TOPIC,)))
    found = [one.finding for one in events if isinstance(one, FindingOpened) and one.finding.subject in expected]
    if frozenset(one.subject for one in found) != expected:
        raise ResultsDiffer(OURS, frozenset(one.subject for one in found), expected)
    if [one.due_at for one in found] != sorted(one.due_at for one in found):
        raise SubjectFailed(OURS, "deadlines did not fire in order")
    return seconds
