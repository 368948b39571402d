"""Silent feeds through the tracker: from the log, once, at their time, by whichever process looks."""

import sqlite3
from pathlib import Path

import pytest
from eventsourcing.persistence import OperationalError

from domain.feeds.feed import Span, Spoken
from domain.history.log import Beside, Log
from domain.intake import listening
from domain.judging.report import final
from tests.domain.feeds import SILENCE, Works, about, stored
from tests.story import at, file_log, heartbeat, hours, placed, requested, topics

LATE_TOO = '[kinds]\nenabled = ["feed_silent", "late_shipment"]\n'


@pytest.fixture(name="desk")
def a_desk(log: Log) -> Works:
    """Judge nothing but silence."""
    return Works(log, SILENCE)


def test_a_silence_opens_when_its_time_has_passed_and_ends_with_the_next_event(desk: Works) -> None:
    desk.take(heartbeat(0))
    desk.look(2)
    assert desk.found() == []
    desk.look(2.01)
    assert desk.found() == [("open", "/s", 2, None)]
    desk.take(heartbeat(5))
    desk.look(6)
    assert desk.found() == [("ended", "/s", 2, 5)]
    assert [name for name, *_ in about(desk.log)] == ["FindingOpened", "FindingEnded"]


def test_a_deadline_that_more_was_heard_of_since_opens_nothing(desk: Works) -> None:
    """The ticker comes before whoever tells groups what was taken in."""
    desk.take(heartbeat(0))
    desk.look(1)
    desk.take(heartbeat(1.5))
    assert desk.tick(3) == 1
    assert about(desk.log) == []
    assert desk.tick(3.5) == 0
    assert desk.tick(3.51) == 1
    assert desk.found() == [("open", "/s", 3.5, None)]


def test_being_down_over_the_deadline_and_reading_the_heartbeat_first_finds_nothing(log: Log) -> None:
    Works(log, SILENCE).take(heartbeat(0))
    Works(log, SILENCE).look(0)
    again = Works(log, SILENCE)
    again.take(heartbeat(1.9))
    again.look(3)
    assert about(log) == []


def test_any_message_is_proof_of_life_and_a_repeat_too(desk: Works) -> None:
    desk.take(heartbeat(0), placed(1))
    desk.take(placed(1), heartbeat(1, "/other"))
    desk.look(2.5)
    assert desk.found() == []
    desk.look(3.1)
    assert desk.found() == [("open", "/other", 3, None), ("open", "/s", 3, None)]


def test_rubbish_is_no_proof_of_life(desk: Works) -> None:
    conflict = placed(3, customer_id="x", key="same")
    desk.take(heartbeat(0), placed(1, key="same"), b"{", conflict)
    desk.look(3.5)
    assert desk.found() == [("open", "/s", 3, None)]


def test_a_silence_that_something_late_fills_never_was(desk: Works) -> None:
    desk.take(heartbeat(0), heartbeat(4))
    desk.look(5)
    assert desk.found() == [("ended", "/s", 2, 4)]
    desk.take(heartbeat(2))
    desk.look(5)
    assert desk.found() == [("retracted", "/s", 2, 4)]
    desk.take(heartbeat(-3))
    desk.look(5)
    assert desk.found() == [("ended", "/s", -1, 0), ("retracted", "/s", 2, 4)]


def test_a_silence_is_shorter_when_something_late_follows_the_last_word_closely(desk: Works) -> None:
    desk.take(heartbeat(0))
    desk.look(2.5)
    assert desk.found() == [("open", "/s", 2, None)]
    desk.take(heartbeat(0.25))
    desk.look(2.5)
    assert desk.found() == [("retracted", "/s", 2, None), ("open", "/s", 2.25, None)]


def test_a_first_heartbeat_that_comes_late_says_from_when_on_to_judge(desk: Works) -> None:
    desk.take(placed(0), heartbeat(9))
    desk.look(10)
    assert desk.found() == []
    desk.take(heartbeat(-1))
    desk.look(10)
    assert desk.found() == [("ended", "/s", 2, 9)]


def test_another_policy_judges_from_then_on_and_leaves_what_was_found(log: Log) -> None:
    before = Works(log, SILENCE)
    before.take(heartbeat(0), heartbeat(3))
    before.look(4)
    after = Works(log, SILENCE + '[feed_silence]\nafter = "4h"', adopted_at=4.5)
    while after.tracker.rearm(at(4.5)):
        pass
    after.take(heartbeat(9))
    after.look(9.5)
    assert after.found() == [("ended", "/s", 2, 3), ("ended", "/s", 7, 9)]


def test_a_policy_that_asks_for_it_later_knows_when_each_source_last_spoke(log: Log) -> None:
    before = Works(log, '[kinds]\nenabled = ["late_shipment"]')
    before.take(heartbeat(0))
    before.look(1)
    after = Works(log, SILENCE, adopted_at=1)
    while after.tracker.rearm(at(1)):
        pass
    after.look(3)
    assert after.found() == [("open", "/s", 2, None)]


# What is written, and when


def test_that_a_source_goes_on_speaking_is_not_written_each_time(desk: Works) -> None:
    desk.take(heartbeat(0))
    desk.look(0)
    written_so_far = topics(desk.log).count("groups.told.v1")
    for n in range(1, 20):
        desk.take(heartbeat(n / 20))
        desk.look(n / 20)
    assert topics(desk.log).count("groups.told.v1") == written_so_far
    assert stored(desk.log)["/s"].last == at(0)
    desk.look(2.5)
    assert stored(desk.log)["/s"] == Spoken((Span(at(0), at(0.95), "feed.heartbeat@0.95"),), at(0))
    assert desk.found() == []


def test_but_after_so_many_batches_it_is(desk: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "BATCHES", 3)
    last = []
    for n in range(10):
        desk.take(heartbeat(n / 20))
        desk.look(n / 20)
        last.append(hours(stored(desk.log)["/s"].last))
    assert last == [0, 0, 0, 0.15, 0.15, 0.15, 0.3, 0.3, 0.3, 0.45]


def test_all_that_was_taken_in_is_read_before_anything_is_judged(desk: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "BATCHES", 2)
    for n in range(7):
        desk.take(heartbeat(n))
    assert desk.tracker.group(at(8)) == 1
    assert desk.tracker.group(at(8)) == 0
    assert about(desk.log) == []
    assert stored(desk.log)["/s"].last == at(6)


def test_what_the_log_says_groups_were_told_of_is_in_the_table(log: Log) -> None:
    """Else a restart would not read it again, and a source that spoke would look silent."""
    desk = Works(log, LATE_TOO)
    desk.take(heartbeat(0), placed(0), requested(0, ship_by=1), placed(0, of="P"), requested(0, "G", "P", ship_by=1.8))
    desk.look(0.5)
    desk.take(heartbeat(1.5))
    desk.look(1.6)
    restarted = Works(log, LATE_TOO)
    restarted.look(3)
    assert [one for one in restarted.found() if one[1] == "/s"] == []
    restarted.look(4)
    assert ("open", "/s", 3.5, None) in restarted.found()
    assert [name for name, subject, _ in about(log) if subject == "/s"] == ["FindingOpened"]


def test_a_look_stores_no_source_that_it_did_not_judge(desk: Works) -> None:
    desk.take(heartbeat(0, "/a"))
    desk.look(0)
    desk.take(heartbeat(1, "/b"))
    desk.tick(2.5)
    assert stored(desk.log).keys() == {"/a"}
    desk.look(3.5)
    assert desk.found() == [("open", "/a", 2, None), ("open", "/b", 3, None)]


def test_what_could_not_be_stored_is_not_lost(desk: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OperationalError("disk I/O error")

    desk.take(heartbeat(0))
    with monkeypatch.context() as broken:
        broken.setattr(Log, "append", fails)
        with pytest.raises(OperationalError):
            desk.tracker.group(at(1))
    assert stored(desk.log) == {}
    desk.take(heartbeat(1))
    desk.look(5)
    assert stored(desk.log) == {"/s": Spoken((Span(at(0), at(1), "feed.heartbeat@1"),), at(0))}
    assert desk.found() == [("open", "/s", 3, None)]


def test_gaps_that_no_policy_calls_a_silence_are_not_kept(log: Log) -> None:
    desk = Works(log, SILENCE + '[feed_silence]\nafter = "1h"')
    desk.take(*(heartbeat(n * 0.9) for n in range(9)), heartbeat(20))
    desk.look(20)
    assert [one[:2] for one in stored(log)["/s"].spans] == [(at(0), at(7.2)), (at(20), at(20))]


def test_the_store_keeps_the_last_word(tmp_path: Path) -> None:
    both = Spoken((Span(1, 2, "x"), Span(7, 7)), 7)
    with file_log(tmp_path / "log.db") as log:
        assert log.store.feeds(["/a", "/b"]) == {}
        log.append([], Beside(feeds={"/a": Spoken((Span(1, 2),)), "/b": Spoken((), 5)}))
        log.append([], Beside(feeds={"/a": both}))
    with file_log(tmp_path / "log.db") as log:
        assert log.store.feeds(["/a", "/b", "/c"]) == {"/a": both, "/b": Spoken((), 5)}


def test_what_an_older_store_kept_is_read(tmp_path: Path) -> None:
    with file_log(tmp_path / "log.db") as log:
        log.append([], Beside(feeds={"/a": Spoken((Span(1, 2),))}))
    with sqlite3.connect(tmp_path / "log.db") as store:
        store.execute("UPDATE feeds SET spans = '[[1,2],[7,7]]'")
    with file_log(tmp_path / "log.db") as log:
        assert log.store.feeds(["/a"])["/a"].spans == (Span(1, 2), Span(7, 7))


def test_a_silence_is_proven_by_the_last_event_before_it(desk: Works) -> None:
    desk.take(heartbeat(0), heartbeat(1), heartbeat(5))
    desk.look(9)
    assert [one.finding.proof for one in final(desk.log)] == [("/s#feed.heartbeat@1",), ("/s#feed.heartbeat@5",)]
