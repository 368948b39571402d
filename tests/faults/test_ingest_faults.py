"""What the ingest loop does when its source, its log or its neighbours misbehave."""

import json
import threading
from types import SimpleNamespace

import pytest

from consumers import loop
from consumers.cluster import SourceFailed
from tests.chaos.source import FileSource
from tests.chaos.topics import Place
from tests.faults.rig import ORDERS
from tests.stores.engine import beside
from tests.story import at, placed, scanned


def test_a_source_that_fails_is_made_anew_and_nothing_is_lost(rig):
    made = []

    class Failing(FileSource):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

        def poll(self, timeout_ms, limit):
            polled = super().poll(timeout_ms, limit)
            if polled and len(made) < 3:
                raise SourceFailed("the broker hung up with records in hand")
            return polled

    rig.say_orders(0, 20)
    with rig.running(rig.ingest(Failing, limit=5)):
        rig.wait_until_read()
    assert len(made) == 3
    assert [name for name, _ in rig.noted] == ["ingest_client_renewed_total"] * 2
    assert rig.count("order.placed.v1") == 20


def test_an_outage_of_the_broker_is_no_hanging_of_ours(rig):
    def away(_path, _starts):
        raise SourceFailed("no broker answers")

    loop = rig.ingest(away)
    with rig.running(loop):
        rig.wait(lambda: len(rig.noted) >= 2)
        before = loop.progress
        rig.wait(lambda: len(rig.noted) >= 4)
        assert loop.progress > before


def test_asking_for_ends_may_fail_too(rig):
    asked = []

    class Deaf(FileSource):
        def ends(self, names):
            asked.append(1)
            if len(asked) == 1:
                raise SourceFailed("no answer")
            return super().ends(names)

    rig.say_orders(0, 3)
    with rig.running(rig.ingest(Deaf)):
        rig.wait(lambda: rig.is_known_up_to(at(0)))
    assert rig.noted[0] == ("ingest_client_renewed_total", "no answer")
    assert rig.count("order.placed.v1") == 3


@pytest.mark.parametrize("between", [False, True], ids=["first of all", "after others were delivered"])
def test_a_partition_that_always_fails_is_halted_and_the_others_go_on(between, rig):
    poisoned = Place(ORDERS, 0)

    class Poisoned(FileSource):
        """A batch that the client cannot decode; between two attempts others may be delivered."""

        polls = 0

        def poll(self, timeout_ms, limit):
            self._rebalance()
            self.polls += 1
            if poisoned.name in self._held or (between and self.polls == 1):
                polled = super().poll(timeout_ms, limit)
                polled.pop(poisoned.name, None)
                return polled
            raise SourceFailed(f"CorruptRecordError(TopicPartition(topic='{ORDERS}', partition=0))")

    rig.say_orders(0, 30)
    others = {name: behind for name, behind in rig.broker.behind_last.items() if name != poisoned.name}
    reading = rig.ingest(Poisoned)
    with rig.running(reading):
        rig.wait(lambda: poisoned.name in reading.halted)
        rig.wait(lambda: {name: next_ for name, next_ in rig.stands().items() if name != poisoned.name} == others)
    assert "CorruptRecordError" in reading.halted[poisoned.name].why
    assert rig.stands()[poisoned.name] == 0


def test_a_partition_that_has_records_and_gives_none_is_read_by_a_new_client(rig, monkeypatch):
    monkeypatch.setattr(loop, "SILENT_AFTER", 0.2)
    made = []

    class Silent(FileSource):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

        def poll(self, timeout_ms, limit):
            polled = super().poll(timeout_ms, limit)
            if len(made) == 1:
                for name in [name for name in polled if ORDERS in name]:
                    self._at[name] = polled.pop(name)[0][0]
            return polled

    for number in range(20):
        rig.say(placed(0, of=f"O{number}", key=f"p{number}"), scanned(1, f"P{number}"), key=f"O{number}")
    with rig.running(rig.ingest(Silent)):
        rig.wait_until_read()
    assert len(made) == 2
    assert "records are there and none come" in rig.noted[0][1]
    assert rig.count("order.placed.v1") == 20


def test_a_group_that_gives_us_nothing_is_joined_again(rig):
    made = []

    class Left(FileSource):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

        @property
        def settled(self):
            return len(made) > 1

    rig.say_orders(0, 3)
    with rig.running(rig.ingest(Left, settle_within=0.2)):
        rig.wait(lambda: len(made) == 2)
        rig.wait_until_read()
    assert "no partitions" in rig.noted[0][1]


def test_a_fenced_batch_is_dropped_and_read_again_from_where_the_other_one_stands(rig):
    class OnePoll(FileSource):
        spent = False

        def poll(self, timeout_ms, limit):
            polled = {} if self.spent else super().poll(timeout_ms, limit)
            self.spent = self.spent or bool(polled)
            return polled

    other = rig.ingest(OnePoll, limit=6, log=rig.open_log())

    class Overtaken(FileSource):
        joined = False

        def poll(self, timeout_ms, limit):
            if not self.joined:
                self.joined = True
                self._rebalance()
                return {}
            polled = super().poll(timeout_ms, limit)
            if not other_went_on.is_set():
                with rig.running(other):
                    rig.wait(lambda: sum(rig.stands().values()) == 6)
                other_went_on.set()
            return polled

    other_went_on = threading.Event()
    rig.say_orders(0, 40)
    with rig.running(rig.ingest(Overtaken)):
        rig.wait_until_read()
    assert [name for name, _ in rig.noted] == ["ingest_fenced_total"]
    assert rig.count("order.placed.v1") == 40
    assert _records_taken(rig) == sum(rig.broker.behind_last.values())


def _records_taken(rig):
    return sum(json.loads(row.state)["records"] for row in rig.log.store.select_rows(0, 10_000, ["batch.taken.v1"]))


def test_a_rebalance_while_the_store_is_held_loses_nothing(rig, monkeypatch):
    """The poll that keeps us in the group may bring records of partitions that were just given to us."""
    _refuse_to_wait(monkeypatch)
    mine = SimpleNamespace(names=frozenset({f"chaos/{ORDERS}/0"}))

    class Given(FileSource):
        def __init__(self, path, starts):
            super().__init__(path, starts, lambda: mine.names)

    rig.say_orders(0, 40)
    impatient = rig.open_log()
    with beside(rig.log_file) as holder:
        assert holder.lock()
        with rig.running(rig.ingest(Given, log=impatient, limit=5)):
            rig.wait(lambda: "ingest_store_waits_total" in {name for name, _ in rig.noted})
            mine.names = frozenset(rig.stands())
            waits = len(rig.noted)
            rig.wait(lambda: len(rig.noted) > waits + 2)
            holder.execute("ROLLBACK")
            rig.wait_until_read()
    assert rig.count("order.placed.v1") == 40


def _refuse_to_wait(monkeypatch):
    from deploy.store import postgres_connection, sqlite, sqlite_connection  # noqa: PLC0415 - only what is patched here

    for module in (sqlite, sqlite_connection, postgres_connection):
        monkeypatch.setattr(module, "LOCK_TIMEOUT", 0.05)
