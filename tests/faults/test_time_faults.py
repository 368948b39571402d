"""What happens to deadlines when processes die, stop, lag, or disagree about the time."""

import msgspec
import pytest

from domain.errors import Fenced
from domain.feeds.frontier import SKEW
from domain.judging.adoption import adopt
from tests.chaos.control import INGEST, TICKER, Phase
from tests.chaos.evidence import Evidence
from tests.chaos.oracle import Judge
from tests.chaos.stage import Plan, Stage, Troupe, comes_to_nothing
from tests.chaos.topics import Broker, Sent
from tests.stores.engine import beside
from tests.story import Desk, approved, at, file_log, placed, requested, scanned, written

REQUIRED = '[late_shipment]\napproval = "required"\n'


class Told:
    """A troupe whose broker is told facts one by one."""

    def __init__(self, path, nursery):
        self.troupe = Troupe(path, nursery)
        self.control = self.troupe.control
        self.broker = Broker(path)
        self.control.set_clock(at(0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.troupe.__exit__(*_)
        self.broker.close()

    def say(self, fact, key):
        topic = "logistics.events.v1" if fact.TOPIC.startswith("parcel.") else "orders.events.v1"
        self.broker.send(Sent(self.control.now(), topic, key, written(fact), "event", 0))

    def settle(self, until):
        """Wait until everything is read, and looked at up to an instant."""
        assert comes_to_nothing(lambda: self.troupe.left(self.broker.behind_last, until), 30)

    def findings(self):
        rows = self.troupe.query("SELECT topic, state FROM stored_events WHERE topic LIKE 'finding.%' ORDER BY {id}")
        return [(topic, msgspec.json.decode(state)["finding"]) for topic, state in rows]


@pytest.fixture
def told(tmp_path, nursery):
    with Told(tmp_path, nursery) as found:
        yield found


@pytest.mark.xdist_group("chaos")
def test_down_over_deadlines_with_scans_in_time_waiting_finds_nothing(told):
    for number in range(50):
        name = f"O{number}"
        told.say(placed(0, of=name, key=f"p{number}"), name)
        told.say(requested(0, f"F{number}", name, ship_by=20), name)
    for slot in (INGEST, TICKER):
        told.troupe.start(slot)
    told.settle(at(0))
    for slot in (INGEST, TICKER):
        told.troupe.kill(slot)
    told.control.set_clock(at(19))
    for number in range(50):
        told.say(scanned(18, f"P{number}", fulfillment_ids=(f"F{number}",)), f"P{number}")
    told.control.set_clock(at(40))
    told.troupe.start(TICKER)
    assert told.troupe.until(lambda: told.control.phase(TICKER) == Phase.TICK, 10)
    assert not told.troupe.until(lambda: bool(told.findings()), 0.3)
    told.troupe.start(INGEST)
    told.settle(at(40))
    assert told.findings() == []
    assert told.troupe.query("SELECT COUNT(*) FROM deadlines WHERE due IS NOT NULL") == [(0,)]


@pytest.mark.xdist_group("chaos")
def test_a_thousand_deadlines_due_while_everybody_is_dead_are_found_once_each_at_their_own_time(told):
    for number in range(1000):
        name = f"O{number}"
        told.say(placed(0, of=name, key=f"p{number}"), name)
        told.say(requested(0, f"F{number}", name, ship_by=20 + number / 100), name)
    for slot in (INGEST, TICKER):
        told.troupe.start(slot)
    told.settle(at(0))
    for slot in (INGEST, TICKER):
        told.troupe.kill(slot)
    told.control.set_clock(at(40))
    # Killed three times more with a hundred findings in an open transaction.
    told.troupe.start(INGEST)
    for _ in range(3):
        told.troupe.start(TICKER)
        told.control.set_aim(TICKER, Phase.WRITTEN)
        assert told.troupe.until(lambda: told.control.phase(TICKER) == Phase.WRITTEN, 10)
        assert told.troupe.kill(TICKER)[0] == Phase.WRITTEN
    told.troupe.start(TICKER)
    told.settle(at(40))
    found = told.findings()
    assert {topic for topic, _ in found} == {"finding.opened.v1"}
    assert sorted((one["subject"], one["due_at"]) for _, one in found) == sorted(
        (f"F{number}", at(20 + number / 100)) for number in range(1000)
    )


@pytest.mark.xdist_group("chaos")
def test_sigterm_under_load_ends_within_ten_seconds_and_loses_nothing(tmp_path, nursery):
    stage = Stage(tmp_path, Plan(seed=11, messages=900), nursery)
    with stage:
        stage.produce(1.0)
        for rounds in range(4):
            for slot in (INGEST, TICKER):
                stage.start(slot)
            before = stage.query("SELECT COUNT(*) FROM seen_ids")
            assert stage.until(lambda: Phase.STARTING not in map(stage.control.phase, stage.playing), 10)
            assert stage.until(lambda before=before: stage.query("SELECT COUNT(*) FROM seen_ids") > before, 10)
            for slot in (INGEST, TICKER):
                assert stage.stop(slot) < 10, rounds
        assert stage.query("SELECT COUNT(*) FROM seen_ids")[0][0] < 800, "the load was gone before the last signal"
        for slot in (INGEST, TICKER):
            stage.start(slot)
        stage.drain()
    assert stage.judged() == []


@pytest.mark.xdist_group("chaos")
def test_sigterm_while_the_store_is_held_by_another_ends_within_ten_seconds(tmp_path, nursery):
    stage = Stage(tmp_path, Plan(seed=12, messages=400), nursery)
    with stage:
        stage.produce(0.3)
        for slot in (INGEST, TICKER):
            stage.start(slot)
        assert stage.until(lambda: stage.query("SELECT COUNT(*) FROM seen_ids")[0][0] > 50, 10)
        with beside(tmp_path / "log.db", timeout=10) as holder:
            assert stage.until(holder.lock, 10)
            stage.produce(0.6)
            assert stage.until(lambda: stage.lag == 0, 10)
            assert stage.stop(INGEST) < 10
            assert stage.stop(TICKER) < 10
            holder.execute("ROLLBACK")
        for slot in (INGEST, TICKER):
            stage.start(slot)
        stage.drain()
    assert list(Judge(Evidence(tmp_path, stage.season.end)).violations()) == []


def test_another_policy_arms_open_orders_again(rig):
    """What an earlier policy never looked at is found once the new one is in force, and never before that."""
    adopt(rig.log, REQUIRED, at(1))
    rig.clock = at(2)
    for name, ship_by in (("A", 10), ("B", 30)):
        rig.say(placed(2, of=name, key=name), requested(2, f"F{name}", name, ship_by=ship_by), key=name)
    with rig.running(rig.ingest(), ticking=True):
        rig.clock = at(20)
        rig.wait_until_settled()
    assert rig.found() == []
    adopt(rig.log, "", at(20))
    now = rig.tracker().policies[-1].policy.hash
    assert set(rig.log.store.armed_by_other(now, 9)) >= {"order-A", "order-B"}
    with rig.running(rig.ingest(), ticking=True):
        rig.wait(lambda: rig.log.store.count_armed_by_other(now) == 0)
        rig.clock = at(40)
        rig.wait_until_settled()
    assert rig.found() == [("open", "FA", 20.0, None), ("open", "FB", 30.0, None)]


@pytest.fixture
def two_desks(tmp_path):
    """Give two processes' view of one log."""
    with file_log(tmp_path / "log.db") as one, file_log(tmp_path / "log.db") as other:
        yield Desk(one), Desk(other)


def test_a_writer_whose_time_is_behind_retracts_nothing(two_desks):
    slow, quick = two_desks
    slow.take(placed(0), requested(0, ship_by=20), until=1)
    assert quick.tick(30) == 1
    slow.take(approved(5), until=10)
    assert slow.found() == [("open", "F", 20.0, None)]


def test_a_clock_that_steps_back_opens_and_retracts_nothing(rig):
    rig.say(placed(0), requested(0, ship_by=20))
    with rig.running(rig.ingest(), ticking=True):
        rig.clock = at(30)
        rig.wait(lambda: rig.found() == [("open", "F", 20.0, None)])
        rig.clock = at(10)
        rig.say(approved(9), placed(9, of="B", key="B"), requested(9, "G", "B", ship_by=25), key="B")
        rig.wait_until_read()
        heard = {name: one.taken_up_to for name, one in rig.log.store.positions().items()}
        rig.clock = at(40)
        rig.wait_until_settled()
    assert min(heard.values()) == at(30)
    assert rig.found() == [("open", "F", 20.0, None), ("open", "G", 25.0, None)]
    assert rig.count("finding.opened.v1") == 2
    assert rig.count("finding.retracted.v1") == 0


def test_a_zombie_with_an_old_position_is_fenced(two_desks):
    zombie, owner = two_desks
    zombie.take(placed(0, key="first"))
    held = zombie.batch(*(placed(0, of=f"O{number}", key=f"p{number}") for number in range(10)))
    owner.tracker.positions()
    owner.take(*(placed(0, of=f"O{number}", key=f"p{number}") for number in range(6)))
    with pytest.raises(Fenced):
        zombie.tracker.take(held, at(0))
    assert owner.log.store.positions() == zombie.tracker.positions()
    assert zombie.tracker.positions()[held.slices[0].partition].next == 7
    assert len([row for row in owner.log.store.select_rows(0, 100) if row.topic == "order.placed.v1"]) == 7


def test_a_batch_that_another_one_has_taken_in_whole_changes_nothing(two_desks):
    zombie, owner = two_desks
    zombie.take(placed(0, key="first"))
    facts = [placed(0, of=f"O{number}", key=f"p{number}") for number in range(4)]
    held = zombie.batch(*facts)
    owner.tracker.positions()
    owner.take(*facts)
    last = owner.log.store.last_position()
    taken = zombie.tracker.take(held, at(0))
    assert (taken.batches, taken.position) == ((), None)
    assert owner.log.store.last_position() == last


def test_a_zombie_does_not_take_back_what_is_known_to_be_read(two_desks):
    zombie, owner = two_desks
    zombie.take(placed(0))
    owner.tracker.positions()
    name = next(iter(owner.log.store.positions()))
    owner.tracker.hear({name: at(30)}, at(30))
    zombie.tracker.hear({name: at(10)}, at(30))
    assert owner.log.store.positions()[name].taken_up_to == at(30)
    zombie.take(placed(1, of="B", key="B"))
    assert owner.log.store.positions()[name].taken_up_to == at(30)


def test_a_clock_that_was_ahead_is_believed_until_somebody_reads(two_desks):
    ahead, owner = two_desks
    ahead.take(placed(0))
    owner.tracker.positions()
    name = next(iter(owner.log.store.positions()))
    ahead.tracker.hear({name: at(30)}, at(30))
    owner.tracker.hear({name: at(30) - SKEW}, at(30) - SKEW)
    assert owner.log.store.positions()[name].taken_up_to == at(30)
    owner.tracker.hear({name: at(10)}, at(10))
    assert owner.log.store.positions()[name].taken_up_to == at(10)
