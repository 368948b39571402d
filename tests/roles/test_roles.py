"""The roles side by side on a real Kafka and a real PostgreSQL, while processes and the server are killed."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from deploy.wiring import open_store, open_views
from projections import rebuild
from tests.brokers.broker import Broker, Capability
from tests.contracts.ingest_process import Process
from tests.contracts.ingest_runs import Load
from tests.contracts.ingesting import Shop, until
from tests.roles.orders import Flow, check, found_late, left_lying
from tests.roles.running import LOADED, PROMISE, Role, Staff
from tests.stores import engine as engines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stores.cluster import Cluster

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.needs(Capability.RESTART),
    pytest.mark.only_on("postgres"),
]
BATCHES = 4


@pytest.fixture(autouse=True, scope="module")
def on_postgres(engine: str) -> str:
    return engine


@pytest.fixture
def shop(broker: Broker, tmp_path: Path, on_postgres: str) -> Shop:
    assert on_postgres == "postgres"
    return Shop(broker, tmp_path)


@pytest.fixture
def staff(shop: Shop) -> Iterator[Staff]:
    with Staff(shop) as made:
        yield made


def test_processes_that_come_and_go_and_die_lose_and_double_nothing(shop: Shop, staff: Staff) -> None:
    with Flow(shop):
        one = begin(staff)
        other = staff.start("ingest", "--from", "earliest")
        staff.until(lambda: other.stored() > BATCHES and goes_on(one))
        one.kill()
        third = staff.start("ingest")
        staff.until(lambda: third.stored() > BATCHES and goes_on(other))
        other.end()
        fourth = staff.start("ingest")
        staff.until(lambda: fourth.stored() > BATCHES and goes_on(third))
    staff.until(shop.is_taken_in)
    tell_conflicts(third, fourth)
    third.end()
    fourth.end()
    check(shop)


def test_a_process_that_hung_while_others_took_over_is_fenced(shop: Shop) -> None:
    with Load(shop, pause=0.02), Process(shop, begin="earliest") as away:
        until(lambda: len(away.heard("took")) > BATCHES, story=away.story)
        held = away.freeze()
        with Process(shop) as other:
            until(lambda: all(shop.store.positions()[topic, number][0] > end for topic, number, _, end in held))
            away.thaw()
            until(lambda: "ingest_fenced_total" in away.heard("noted"), story=away.story)
            before = len(away.heard("took")), len(other.heard("took"))
            until(lambda: len(away.heard("took")) > before[0] and len(other.heard("took")) > before[1])
            away.end()
            other.end()
    with Process(shop) as last:
        until(shop.is_taken_in, story=last.story)
        last.end()
    shop.check()


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_another_ticker_and_another_follower_take_over(shop: Shop, staff: Staff, how: str) -> None:
    with Flow(shop, pause=0.2):
        begin(staff)
        for command in ("tick", "project"):
            pair = [staff.start(command) for _ in range(2)]
            staff.until(lambda pair=pair: any(one.is_active() for one in pair))  # type: ignore[misc] # of this round
            active = next(one for one in pair if one.is_active())
            standby = next(one for one in pair if one is not active)
            staff.until(lambda standby=standby: bool(standby.said("standing by")))  # type: ignore[misc]  # it is asked at once, in this round
            assert not standby.is_active()
            getattr(active, how)()
            took = staff.until(standby.is_active, LOADED * PROMISE)
            works = staff.until(working(shop, command), LOADED * PROMISE)
            print(f"{command}, {how}: the other one is active after {took:.1f} s, at work after {took + works:.1f} s")
            assert standby.metric("tracker_active") == 1
            if how == "stop":
                come_back(staff, active, standby)
    judge(shop, staff)


def come_back(staff: Staff, former: Role, active: Role) -> None:
    """Let the process that hung go on: it stands by, and the other stays the active one."""
    former.go_on()
    staff.until(lambda: not former.is_active() and len(former.said("standing by")) > 0)
    assert former.metric("tracker_active") == 0
    assert active.is_active()


def test_a_database_that_restarts_stops_nobody(shop: Shop, staff: Staff, cluster: Cluster) -> None:
    with Flow(shop, pause=0.2):
        begin(staff)
        staff.start("ingest")
        for command in ("tick", "project") * 2:
            staff.start(command)
        for _ in range(3):
            for command in ("tick", "project"):
                staff.until(working(shop, command), LOADED * PROMISE)
            cluster.restart("immediate")
            taken = staff.until(taking_in(shop), LOADED * PROMISE)
            times = [staff.until(working(shop, command), LOADED * PROMISE) for command in ("tick", "project")]
            print(
                f"batches {taken:.1f} s after the server answered, then ticks {times[0]:.1f} s, views {times[1]:.1f} s"
            )
    assert all(one.runs() for one in staff.all), [one.story() for one in staff.all if not one.runs()]
    judge(shop, staff)


def begin(staff: Staff) -> Role:
    """Start the first ingest process, which makes the log, and wait until it has stored something."""
    first = staff.start("ingest", "--from", "earliest")
    staff.until(lambda: first.stored() > 0)
    return first


def goes_on(role: Role) -> bool:
    """Say whether a process stores batches now."""
    before = role.stored()
    until(lambda: role.stored() > before or not role.runs())
    return role.runs()


def taking_in(shop: Shop) -> Until:
    """Make a condition: from now on more has been taken in."""
    return Until(shop, "SELECT COUNT(*) FROM stored_events WHERE topic = 'batch.taken.v1'")


def working(shop: Shop, command: str) -> Until:
    """Make a condition: from now on the ticker has ticked, or the views have come to where the log is now."""
    if command == "tick":
        return Until(shop, "SELECT COUNT(*) FROM stored_events WHERE topic = 'tick.fired.v1'")
    views = f"{engines.schema_of(shop.directory / 'log.db')}_views"
    (last,) = (row[0] for row in shop.store.rows("SELECT MAX(notification_id) FROM stored_events"))
    return Until(shop, f"SELECT MIN(position) FROM {views}.checkpoints", last)


class Until:
    """True once a number has grown beyond what it was, or beyond a limit."""

    def __init__(self, shop: Shop, query: str, limit: int | None = None) -> None:
        self._shop, self._query = shop, query
        self._limit = self._number() if limit is None else limit

    def __call__(self) -> bool:
        return self._number() > self._limit

    def _number(self) -> int:
        return next((row[0] or 0 for row in self._shop.store.rows(self._query)), 0)


def judge(shop: Shop, staff: Staff) -> None:
    """Wait until all is taken in, found and shown; compare it with what was sent, and the views with a fresh replay."""
    staff.until(shop.is_taken_in)
    staff.until(lambda: left_lying(shop) <= found_late(shop))
    settings = shop.settings()
    with open_store(settings) as log, open_views(settings) as views:
        quiet = count(1)
        last = [0]

        def shown() -> bool:
            before, last[0] = last[0], log.store.last_position()
            return (
                before == last[0]
                and next(quiet) > 1
                and all(not one.behind for one in rebuild.listing(views, log.store))
            )

        staff.until(shown)
        for one in staff.all:
            if one.runs():
                one.end()
        assert rebuild.verify(views, log.store).differences == []
    check(shop)


def tell_conflicts(*ingesting: Role) -> None:
    """Print how often two processes met, and see that each had what it wanted at the second attempt."""
    counted = {
        outcome: sum(one.metric("tracker_ingest_attempts_total", outcome=outcome) for one in ingesting)
        for outcome in ("stored", "conflict", "repeated", "fenced")
    }
    print(", ".join(f"{outcome} {times:.0f}" for outcome, times in counted.items()))
