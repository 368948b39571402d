"""Being down over deadlines: what was on time raises nothing, what was late is found once, at its due time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
import pytest

from consumers import ticker
from domain.detection import FINDING_EVENTS
from domain.instant import DAY, iso
from tests.contracts.ingest_process import Process
from tests.contracts.ingest_runs import running
from tests.contracts.ingesting import Message, Shop, now

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.wiring import System
    from domain.detection import FindingEvent
    from tests.brokers.broker import Broker

pytestmark = pytest.mark.timeout(120)
ORDERS = 1000


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Shop:
    """Open a shop on the broker, with an empty store."""
    return Shop(broker, tmp_path)


def promised(shop: Shop, number: int, ship_by: datetime) -> Message:
    """Tell of an order that has to be shipped by then."""
    return event(
        shop,
        "order.placed",
        f"{shop.name}-{number}",
        ship_by - timedelta(hours=1),
        ship_by=ship_by.isoformat(),
        lines=[{"line_id": "1", "sku": "S", "quantity": 1}],
    )


def handed_over(shop: Shop, number: int, at: datetime) -> Message:
    """Tell that a carrier has it."""
    order = f"{shop.name}-{number}"
    return event(shop, "parcel.scanned", order, at, parcel_id=f"P-{order}", status="picked_up", order_ids=[order])


def event(shop: Shop, kind: str, order: str, at: datetime, **data: object) -> Message:
    """Write one CloudEvent, keyed by its order."""
    said = {"specversion": "1.0", "id": f"{kind}-{order}", "source": "/t", "type": f"{kind}.v1", "time": at.isoformat()}
    topic = shop.topics.orders if kind.startswith("order") else shop.topics.logistics
    content = {"order_id": order, **data} if kind.startswith("order") else data
    return Message(topic, order.encode(), orjson.dumps({**said, "data": content}))


@contextmanager
def ticking(parts: System) -> Iterator[None]:
    """Run the real ticker beside the loop."""
    stop = threading.Event()
    thread = threading.Thread(
        target=ticker.run, args=(parts.tracker, parts.clock, stop), kwargs={"dedup_for": 30 * DAY}
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def changes(parts: System) -> list[FindingEvent]:
    """List every finding event of the log."""
    topics = [kind.TOPIC for kind in FINDING_EVENTS]
    return [one for _, _, one in parts.log.read(0, 10 * ORDERS, topics) if isinstance(one, FINDING_EVENTS)]


def test_on_time_scans_that_wait_in_kafka_while_we_are_down_raise_nothing(shop: Shop) -> None:
    due = datetime.now(UTC) + timedelta(seconds=4)
    with Process(shop, begin="earliest") as process:
        shop.send(promised(shop, n, due) for n in range(50))
        _wait(shop)
        process.kill()
    shop.send(handed_over(shop, n, due - timedelta(milliseconds=n)) for n in range(50))
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()) + 1)  # until it is due
    with running(shop) as run, ticking(run.parts):
        since = now()
        run.until(lambda: shop.is_read_up_to(since))
        time.sleep(1)  # whatever is found twice would come by then
        assert changes(run.parts) == []
        assert shop.is_taken_in()


def test_a_thousand_deadlines_that_passed_while_we_were_killed_are_each_found_once_at_their_time(shop: Shop) -> None:
    first = datetime.now(UTC) + timedelta(seconds=6)
    due = {f"{shop.name}-{n}": first + timedelta(milliseconds=n) for n in range(ORDERS)}
    with Process(shop, begin="earliest") as process:
        shop.send(promised(shop, n, at) for n, at in enumerate(due.values()))
        _wait(shop)
        process.kill()
    time.sleep(max(0.0, (max(due.values()) - datetime.now(UTC)).total_seconds()) + 1)  # until all are due
    with running(shop) as run, ticking(run.parts):
        run.until(lambda: len(changes(run.parts)) >= ORDERS)
        time.sleep(1)  # whatever is found twice would come by then
        found = changes(run.parts)
    assert Counter(one.finding.subject for one in found) == Counter(due.keys())
    assert {one.finding.subject: iso(one.finding.due_at) for one in found} == {
        order: at.isoformat().replace("+00:00", "Z") for order, at in due.items()
    }
    shop.check()


def _wait(shop: Shop) -> None:
    until = time.monotonic() + 50
    while not shop.is_taken_in():
        assert time.monotonic() < until, "not taken in"
        time.sleep(0.05)  # between two looks
