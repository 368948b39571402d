"""Unknown is not late: what a rule would find on a feed's silence waits until more of that feed has been heard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.events import Fact
from domain.history.log import Log
from domain.judging.report import final
from tests.story import Desk, at, file_log, heartbeat, hours, placed, requested, scanned, topics

SF = "/carriers/sf"
TEN = '[kinds]\nenabled = ["stalled_parcel", "late_shipment"]\n[stalled_parcel]\nafter = "10h"\n'
MAPPED = TEN + f'[feeds]\nSF = ["{SF}", "/carriers/sf-air"]\n'


@pytest.fixture(name="path")
def a_path(tmp_path: Path) -> Path:
    """Name a file for the log."""
    return tmp_path / "log.db"


@pytest.fixture(name="log")
def a_log_in_a_file(path: Path) -> Iterator[Log]:
    """Open a log in a file."""
    with file_log(path) as log:
        yield log


@pytest.fixture(name="desk")
def a_desk(log: Log) -> Desk:
    """Take in; parcels may stand still for ten hours."""
    return Desk(log, TEN)


def scan(when: float, name: str = "P", status: str = "in_transit", **more: Any) -> Fact:
    """Let the carrier scan a parcel of order O."""
    return scanned(when, name, status, **({"order_ids": ("O",), "source": SF, "carrier": "SF"} | more))


def stalls(log: Log) -> list[tuple[str, str, float | None, float | None]]:
    """Say (state, parcel, due, ended) of every stall in the log."""
    found = (one for one in final(log) if one.finding.kind == "stalled_parcel")
    return [(one.state, one.finding.subject, hours(one.finding.due_at), hours(one.finding.ended_at)) for one in found]


def waits(log: Log) -> list[tuple[str, float | None]]:
    """Say which feeds parcel P waits for, and how much of each must be heard."""
    armed = log.store.armed(["parcel-P"])
    return [(source, hours(due)) for one in armed.values() for source, due in one.waits]


def test_a_parcel_of_a_silent_carrier_is_not_stalled_however_late_it_gets(log: Log, desk: Desk) -> None:
    desk.take(placed(0), scan(1), until=2)
    for when in (12, 50, 500):
        desk.tick(when)
    assert stalls(log) == []
    assert waits(log) == [(SF, 11)]


def test_a_silent_feed_is_no_reason_to_look_again_and_again(log: Log, desk: Desk) -> None:
    desk.take(placed(0), scan(1), until=2)
    assert [desk.tick(when) for when in (12, 12, 50, 500)] == [1, 0, 0, 0]
    assert topics(log).count("tick.fired.v1") == 1


def test_heard_up_to_the_deadline_is_not_yet_past_it(log: Log, desk: Desk) -> None:
    desk.take(placed(0), scan(1), until=2)
    desk.take(heartbeat(11, SF), until=50)
    assert (desk.tick(50), desk.tick(51), stalls(log)) == (1, 0, [])


@pytest.mark.parametrize("proof", [heartbeat(11.1, SF), scan(30, "P2", order_ids=("Q",)), scan(11.1, "P2", "unknown")])
def test_whatever_proves_that_the_feed_was_alive_past_it_lets_it_be_found_with_its_true_time(
    log: Log, desk: Desk, proof: Fact
) -> None:
    desk.take(placed(0), scan(1), until=2)
    desk.tick(50)
    desk.take(proof, until=50)
    desk.tick(50)
    assert stalls(log) == [("open", "P", 11, None)]
    assert [one.finding.since for one in final(log) if one.finding.kind == "stalled_parcel"] == [at(1)]


@pytest.mark.parametrize("proof", [heartbeat(40, "/carriers/yto"), heartbeat(40, "/s")])
def test_another_feed_proves_nothing(log: Log, desk: Desk, proof: Fact) -> None:
    desk.take(placed(0), scan(1), until=2)
    desk.take(proof, until=50)
    desk.tick(50)
    assert stalls(log) == []


def test_a_feed_that_is_ahead_of_what_was_read_elsewhere_counts_only_up_to_that(log: Log, desk: Desk) -> None:
    desk.take(placed(0), scan(1), heartbeat(40, SF), until=2)
    assert (desk.tick(11), stalls(log)) == (0, [])
    assert desk.tick(11.5) == 1
    assert stalls(log) == [("open", "P", 11, None)]


def test_a_feed_that_comes_back_with_a_scan_in_time_gives_nothing(log: Log, desk: Desk) -> None:
    desk.take(placed(0), scan(1), until=2)
    desk.tick(50)
    desk.take(scan(9), heartbeat(49, SF), scan(9.5, status="delivered"), until=50)
    assert (desk.tick(50), stalls(log)) == (0, [])
    assert not any(name.startswith("finding.") for name in topics(log))
    assert log.store.armed(["parcel-P"]) == {}


def test_one_that_comes_back_shows_only_what_was_really_late(log: Log, desk: Desk) -> None:
    desk.take(placed(0), *[scan(1, f"P{n}") for n in range(6)], until=2)
    desk.tick(50)
    back = [scan(9, f"P{n}", "delivered") for n in range(3)] + [scan(30, "P3"), scan(30, "P3", "delivered", key="x")]
    desk.take(*back, heartbeat(45, SF), until=50)
    desk.tick(50)
    assert stalls(log) == [("ended", "P3", 11, 30), ("open", "P4", 11, None), ("open", "P5", 11, None)]
    assert topics(log).count("finding.retracted.v1") == 0


def test_what_does_not_wait_is_found_meanwhile(log: Log, desk: Desk) -> None:
    desk.take(placed(0), requested(0, ship_by=12), scan(1), until=2)
    desk.tick(50)
    assert [one.finding.kind for one in final(log)] == []
    desk.take(placed(0, of="Q"), requested(0, "G", "Q", ship_by=12), until=50)
    assert [one.finding.subject for one in final(log)] == ["G"]


def test_a_second_silence_waits_again_though_the_first_was_found(log: Log, desk: Desk) -> None:
    desk.take(placed(0), scan(1), heartbeat(15, SF), until=16)
    desk.take(scan(20), until=60)
    desk.tick(60)
    assert stalls(log) == [("ended", "P", 11, 20)]
    assert waits(log) == [(SF, 30)]
    desk.take(heartbeat(31, SF), until=61)
    desk.tick(61)
    assert stalls(log) == [("ended", "P", 11, 20), ("open", "P", 30, None)]


# Which feeds


def test_all_feeds_that_policy_names_must_have_been_heard(log: Log) -> None:
    desk = Desk(log, MAPPED)
    desk.take(placed(0), scan(1), heartbeat(40, SF), until=50)
    desk.tick(50)
    assert (stalls(log), waits(log)) == ([], [("/carriers/sf-air", 11)])
    desk.take(heartbeat(12, "/carriers/sf-air"), until=50)
    desk.tick(50)
    assert stalls(log) == [("open", "P", 11, None)]


def test_the_one_that_lags_most_is_waited_for_one_after_the_other(log: Log) -> None:
    desk = Desk(log, MAPPED)
    desk.take(placed(0), scan(1), heartbeat(5, "/carriers/sf-air"), until=50)
    assert waits(log) == [(SF, 11)]
    desk.take(heartbeat(12, SF), until=50)
    desk.tick(50)
    assert (stalls(log), waits(log)) == ([], [("/carriers/sf-air", 11)])


def test_unmapped_the_source_of_its_last_scan_stands_for_the_carrier(log: Log, desk: Desk) -> None:
    desk.take(placed(0), scan(1, source="/old"), scan(2), heartbeat(40, "/old"), until=50)
    desk.tick(50)
    assert (stalls(log), waits(log)) == ([], [(SF, 12)])


# Processes


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_restart_in_between_changes_nothing(path: Path, when: str) -> None:
    with file_log(path) as log:
        desk = Desk(log, TEN)
        desk.take(placed(0), scan(1), until=2)
        desk.tick(50)
        if when == "after":
            desk.take(heartbeat(12, SF), until=50)
    with file_log(path) as log:
        again = Desk(log, TEN)
        assert again.tick(50) == (1 if when == "after" else 0)
        again.take(heartbeat(13, SF), until=51)
        again.tick(51)
        assert stalls(log) == [("open", "P", 11, None)]
        assert topics(log).count("finding.opened.v1") == 1


def test_down_over_the_deadline_and_the_feed_s_return_with_the_timely_scan_read_first_nothing_opens(path: Path) -> None:
    with file_log(path) as log:
        Desk(log, TEN).take(placed(0), scan(1), until=2)
    with file_log(path) as log:
        again = Desk(log, TEN)
        again.take(scan(9, status="delivered"), heartbeat(70, SF), until=71)
        assert (again.tick(80), stalls(log)) == (0, [])


def test_one_process_hears_and_another_fires(log: Log, desk: Desk) -> None:
    ticker = Desk(log, TEN)
    desk.take(placed(0), scan(1), until=2)
    assert ticker.tick(50) == 1
    desk.take(heartbeat(12, SF), until=50)
    assert ticker.tick(50) == 1
    assert stalls(log) == [("open", "P", 11, None)]


def test_a_process_that_has_not_heard_what_another_has_takes_nothing_back(log: Log, desk: Desk) -> None:
    deaf = Desk(log, TEN)
    desk.take(placed(0), scan(1), heartbeat(12, SF), until=2)
    desk.tick(50)
    deaf.take(scan(1.5, status="delivery_delayed", facility_id="HUB"), partition="b", until=50)
    deaf.take(scan(0.5, status="label_created"), partition="b", until=3)
    desk.tick(50)
    assert [one for one in stalls(log) if one[0] != "retracted"] == [("open", "P", 11.5, None)]
    assert topics(log).count("finding.opened.v1") == 2


def test_two_tickers_find_it_once(log: Log, desk: Desk) -> None:
    tickers = [Desk(log, TEN) for _ in range(2)]
    desk.take(placed(0), scan(1), heartbeat(12, SF), until=2)
    assert sorted(one.tick(50) for one in tickers) == [0, 1]
    assert topics(log).count("finding.opened.v1") == 1


def test_a_new_policy_waits_as_well(log: Log, desk: Desk) -> None:
    desk.take(placed(0), scan(1), until=2)
    slower = Desk(log, TEN.replace("10h", "20h"), adopted_at=5)
    while slower.tracker.rearm(at(6)):
        pass
    slower.tick(60)
    assert (stalls(log), waits(log)) == ([], [(SF, 21)])
    slower.take(heartbeat(22, SF), until=61)
    slower.tick(61)
    assert stalls(log) == [("open", "P", 21, None)]


def test_where_nothing_says_from_which_feed_news_would_come_there_is_nothing_to_wait_for(log: Log) -> None:
    desk = Desk(log, '[unconfirmed_handover]\nafter = "10h"\n')
    assert desk.tracker.policies[-1].policy.feeds == {}
    assert log.store.heard() == {}
    desk.take(heartbeat(3, "/a"), heartbeat(2, "/a"), b"rubbish", until=4)
    assert log.store.heard() == {"/a": at(3)}
