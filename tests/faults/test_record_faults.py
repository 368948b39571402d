"""What the broker may do to its records: rubbish, other records, records that are gone, holes."""

import threading

import pytest

from consumers import loop
from consumers.source import RecordsGone
from domain.history.batch import GapAccepted
from tests.chaos.source import FileSource
from tests.chaos.topics import Place, Sent, Topics
from tests.faults.rig import ORDERS
from tests.story import at, placed, requested


def _key_beside(place):
    """Find a key whose messages go to another partition of the same topic."""
    return next(key for key in "abcdef" if Sent(0, place.topic, key, b"", "event", 0).place != place)


def test_rubbish_above_the_share_halts_that_partition_and_the_others_go_on(rig):
    bad = rig.send(b"rubbish", ORDERS, "bad")
    for _ in range(599):
        rig.send(b"rubbish", ORDERS, "bad")
    good = _key_beside(bad)
    for number in range(50):
        rig.say(placed(0, of=f"O{number}", key=f"p{number}"), key=good)
    reading = rig.ingest(limit=40)
    with rig.running(reading):
        rig.wait(lambda: bad.name in reading.halted)
        rig.wait(lambda: rig.count("order.placed.v1") == 50)
        before = rig.stands()[bad.name]
        rig.say(placed(0, of="last"), key=good)
        rig.wait(lambda: rig.count("order.placed.v1") == 51)
    assert loop.RUBBISH_LEAST <= before < 600
    assert rig.stands()[bad.name] == before
    assert reading.halted.keys() == {bad.name}
    assert "unreadable" in reading.halted[bad.name].why
    assert len(rig.log.store.quarantined(limit=5000)) == before


def test_another_record_at_the_offset_taken_last_halts_that_partition(rig):
    rig.say_orders(0, 30)
    with rig.running(rig.ingest()):
        rig.wait_until_read()
    halted = f"chaos/{ORDERS}/0"
    _overwrite_last_record(rig, Place(ORDERS, 0))
    rig.say_orders(30, 60)
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
    rig.say_orders(0, 30)
    with pytest.raises(RecordsGone, match=r"records 0 to 3 are gone.*--accept-gaps"):
        rig.ingest(Trimmed).run(threading.Event())
    assert set(rig.stands().values()) == {0}
    assert rig.count("ingest.gap_accepted.v1") == 0


def test_an_accepted_gap_is_written_down_and_read_past(rig):
    rig.say_orders(0, 30)
    with rig.running(rig.ingest(Trimmed, accept_gaps=True)):
        rig.wait_until_read()
    gaps = [event for _, _, event in rig.log.read(0, 1000, ["ingest.gap_accepted.v1"])]
    assert sorted((gap.partition, gap.expected, gap.next) for gap in gaps if isinstance(gap, GapAccepted)) == [
        (f"chaos/{ORDERS}/{number}", 0, 4) for number in (0, 1)
    ]
    assert rig.count("order.placed.v1") == 30 - 2 * 4


def test_only_the_record_to_compare_with_is_gone(rig):
    """Nothing of ours is missing when the broker drops exactly what has been taken in."""
    rig.say_orders(0, 30)
    with rig.running(rig.ingest()):
        rig.wait_until_read()
    stands = rig.stands()

    class DroppedWhatWasRead(Trimmed):
        def beginnings(self, names):
            return {name: stands[name] for name in names}

    rig.say_orders(30, 40)
    with rig.running(rig.ingest(DroppedWhatWasRead)):
        rig.wait_until_read()
    assert rig.count("order.placed.v1") == 40
    assert rig.count("ingest.gap_accepted.v1") == 0


def test_a_broker_that_lost_what_was_taken_in_stops_ingest(rig):
    rig.say_orders(0, 10)
    with rig.running(rig.ingest()):
        rig.wait_until_read()

    class Truncated(FileSource):
        def poll(self, timeout_ms, limit):
            super().poll(timeout_ms, limit)
            raise RecordsGone("OffsetOutOfRangeError")

    with pytest.raises(RecordsGone, match="it lost records"):
        rig.ingest(Truncated, accept_gaps=True).run(threading.Event())


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
