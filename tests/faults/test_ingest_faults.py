"""What the ingest loop does when its source, its log or its neighbours misbehave."""

import json
import sqlite3
import threading
from contextlib import closing
from types import SimpleNamespace

import pytest

from consumers import loop
from consumers.cluster import SourceFailed
from consumers.source import RecordsGone
from domain.batch import GapAccepted
from tests.chaos.source import FileSource
from tests.chaos.topics import Place, Topics
from tests.faults.rig import ORDERS
from tests.story import at, placed, requested, scanned

EVERY_KEY = [f"key-{number}" for number in range(12)]


def _say_orders(rig, first, last):
    for number in range(first, last):
        rig.say(placed(0, of=f"O{number}", key=f"p{number}"), key=f"O{number}")


def _orders(rig):
    return rig.count("order.placed.v1")


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

    _say_orders(rig, 0, 20)
    with rig.running(rig.ingest(Failing, limit=5)):
        rig.wait_until_read()
    assert len(made) == 3
    assert [name for name, _ in rig.noted] == ["ingest_client_renewed_total"] * 2
    assert _orders(rig) == 20


def test_asking_for_ends_may_fail_too(rig):
    asked = []

    class Deaf(FileSource):
        def ends(self, names):
            asked.append(1)
            if len(asked) == 1:
                raise SourceFailed("no answer")
            return super().ends(names)

    _say_orders(rig, 0, 3)
    with rig.running(rig.ingest(Deaf)):
        rig.wait(lambda: rig.is_known_up_to(at(0)))
    assert rig.noted[0] == ("ingest_client_renewed_total", "no answer")
    assert _orders(rig) == 3


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

    _say_orders(rig, 0, 30)
    others = {name: behind for name, behind in rig.broker.behind_last.items() if name != poisoned.name}
    reading = rig.ingest(Poisoned)
    with rig.running(reading):
        rig.wait(lambda: poisoned.name in reading.halted)
        rig.wait(lambda: {name: next_ for name, next_ in rig.stands().items() if name != poisoned.name} == others)
    assert "CorruptRecordError" in reading.halted[poisoned.name].why
    assert rig.stands()[poisoned.name] == 0


def test_rubbish_above_the_share_halts_that_partition_and_the_others_go_on(rig):
    bad = rig.send(b"rubbish", ORDERS, "bad")
    for _ in range(599):
        rig.send(b"rubbish", ORDERS, "bad")
    good = next(key for key in EVERY_KEY if Place(ORDERS, bad.number) != rig.send(b"{}", ORDERS, key))
    for number in range(50):
        rig.say(placed(0, of=f"O{number}", key=f"p{number}"), key=good)
    reading = rig.ingest(limit=40)
    with rig.running(reading):
        rig.wait(lambda: bad.name in reading.halted)
        rig.wait(lambda: _orders(rig) == 50)
        before = rig.stands()[bad.name]
        rig.say(placed(0, of="last"), key=good)
        rig.wait(lambda: _orders(rig) == 51)
    assert loop.RUBBISH_LEAST <= before < 600
    assert rig.stands()[bad.name] == before
    assert reading.halted.keys() == {bad.name}
    assert "unreadable" in reading.halted[bad.name].why
    assert len(rig.log.store.quarantined(limit=5000)) == before + sum(1 for _ in _empty_objects(rig))


def _empty_objects(rig):
    return [one for _, _, one in rig.log.store.quarantined(limit=5000) if one.raw.value == b"{}"]


def test_another_record_at_the_offset_taken_last_halts_that_partition(rig):
    _say_orders(rig, 0, 30)
    with rig.running(rig.ingest()):
        rig.wait_until_read()
    halted = f"chaos/{ORDERS}/0"
    _overwrite_last_record(rig, Place(ORDERS, 0))
    _say_orders(rig, 30, 60)
    others = {name: behind for name, behind in rig.broker.behind_last.items() if name != halted}
    reading = rig.ingest()
    before = rig.stands()[halted]
    with rig.running(reading):
        rig.wait(lambda: halted in reading.halted)
        rig.wait(lambda: {name: at for name, at in rig.stands().items() if name != halted} == others)
    assert "not the one taken in before" in reading.halted[halted].why
    assert rig.stands()[halted] == before < rig.broker.behind_last[halted]
    # Nor does the next start read on: it finds the same.
    with rig.running(again := rig.ingest()):
        rig.wait(lambda: halted in again.halted)
    assert rig.stands()[halted] == before


def _overwrite_last_record(rig, place):
    [(_, raw)], _ = Topics(rig.path).read(place, rig.broker.behind_last[place.name] - 1, 1)
    path = rig.path / f"{place.topic}-{place.number}.log"
    content = path.read_bytes()
    begin = content.rindex(raw.value)
    path.write_bytes(
        content[:begin] + raw.value.replace(b"SKU", b"sku").replace(b'"A"', b'"B"') + content[begin + len(raw.value) :]
    )


class Trimmed(FileSource):
    """A broker that has dropped the first records of every partition of the orders."""

    first = 4

    def poll(self, timeout_ms, limit):
        self._rebalance()
        if any(self._at[name] < begin for name, begin in self.beginnings(self.assigned).items()):
            raise RecordsGone("OffsetOutOfRangeError")
        return super().poll(timeout_ms, limit)

    def beginnings(self, names):
        return {name: self.first if ORDERS in name else 0 for name in names}


def test_records_gone_before_they_were_read_stop_ingest(rig):
    _say_orders(rig, 0, 30)
    with pytest.raises(RecordsGone, match=r"records 0 to 3 are gone.*--accept-gaps"):
        rig.ingest(Trimmed).run(threading.Event())
    assert set(rig.stands().values()) == {0}
    assert rig.count("ingest.gap_accepted.v1") == 0


def test_an_accepted_gap_is_written_down_and_read_past(rig):
    _say_orders(rig, 0, 30)
    with rig.running(rig.ingest(Trimmed, accept_gaps=True)):
        rig.wait_until_read()
    gaps = [event for _, _, event in rig.log.read(0, 1000, ["ingest.gap_accepted.v1"])]
    assert sorted((gap.partition, gap.expected, gap.next) for gap in gaps if isinstance(gap, GapAccepted)) == [
        (f"chaos/{ORDERS}/{number}", 0, 4) for number in (0, 1)
    ]
    assert _orders(rig) == 30 - 2 * 4


def test_only_the_record_to_compare_with_is_gone(rig):
    """Nothing of ours is missing when the broker drops exactly what has been taken in."""
    _say_orders(rig, 0, 30)
    with rig.running(rig.ingest()):
        rig.wait_until_read()
    stands = rig.stands()

    class DroppedWhatWasRead(Trimmed):
        def beginnings(self, names):
            return {name: stands[name] for name in names}

    _say_orders(rig, 30, 40)
    with rig.running(rig.ingest(DroppedWhatWasRead)):
        rig.wait_until_read()
    assert _orders(rig) == 40
    assert rig.count("ingest.gap_accepted.v1") == 0


def test_a_broker_that_lost_what_was_taken_in_stops_ingest(rig):
    _say_orders(rig, 0, 10)
    with rig.running(rig.ingest()):
        rig.wait_until_read()

    class Truncated(FileSource):
        def poll(self, timeout_ms, limit):
            super().poll(timeout_ms, limit)
            raise RecordsGone("OffsetOutOfRangeError")

    with pytest.raises(RecordsGone, match="it lost records"):
        rig.ingest(Truncated, accept_gaps=True).run(threading.Event())


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
    assert _orders(rig) == 20


def test_a_group_that_gives_us_nothing_is_joined_again(rig):
    made = []

    class Left(FileSource):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(self)

        @property
        def settled(self):
            return len(made) > 1

    _say_orders(rig, 0, 3)
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
    _say_orders(rig, 0, 40)
    with rig.running(rig.ingest(Overtaken)):
        rig.wait_until_read()
    assert [name for name, _ in rig.noted] == ["ingest_fenced_total"]
    assert _orders(rig) == 40
    assert _records_taken(rig) == sum(rig.broker.behind_last.values())


def _records_taken(rig):
    return sum(json.loads(row.state)["records"] for row in rig.log.store.select_rows(0, 10_000, ["batch.taken.v1"]))


def test_holes_at_the_end_of_a_partition_hold_nothing_up(rig, monkeypatch):
    monkeypatch.setattr(loop, "SILENT_AFTER", 0.2)
    rig.say(placed(0), requested(0, ship_by=20), key="O")
    for place in rig.broker.ends:
        rig.broker.skip(place)
        rig.broker.skip(place)
    with rig.running(rig.ingest(), ticking=True):
        rig.wait_until_read()
        rig.clock = at(30)
        rig.wait_until_settled()
        rig.clock = at(31)
        rig.wait_until_settled()
    assert rig.found() == [("open", "F", 20.0, None)]
    assert rig.noted == []


def test_a_rebalance_while_the_store_is_held_loses_nothing(rig, monkeypatch):
    """The poll that keeps us in the group may bring records of partitions that were just given to us."""
    _refuse_to_wait(monkeypatch)
    mine = SimpleNamespace(names=frozenset({f"chaos/{ORDERS}/0"}))

    class Given(FileSource):
        def __init__(self, path, starts):
            super().__init__(path, starts, lambda: mine.names)

    _say_orders(rig, 0, 40)
    impatient = rig.open_log()
    with closing(sqlite3.connect(rig.log_file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with rig.running(rig.ingest(Given, log=impatient, limit=5)):
            rig.wait(lambda: "ingest_store_waits_total" in {name for name, _ in rig.noted})
            mine.names = frozenset(rig.stands())
            waits = len(rig.noted)
            rig.wait(lambda: len(rig.noted) > waits + 2)
            holder.execute("ROLLBACK")
            rig.wait_until_read()
    assert _orders(rig) == 40


def _refuse_to_wait(monkeypatch):
    from deploy.store import sqlite, sqlite_connection  # noqa: PLC0415 - only what is patched here

    for module in (sqlite, sqlite_connection):
        monkeypatch.setattr(module, "LOCK_TIMEOUT", 0.05)
