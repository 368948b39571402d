"""The desk over a real log: one effect a command, with its deadline, whoever else writes."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError

from domain.detection import FindingDismissed, FindingOpened
from domain.errors import IllegalStep
from domain.history.log import Log
from domain.incidents.commands import (
    Acknowledge,
    Assign,
    Compensate,
    Dismiss,
    Merge,
    Note,
    Reopen,
    Resolve,
    Snooze,
    Split,
)
from domain.incidents.events import IncidentNoted
from domain.incidents.incident import status
from domain.judging.adoption import adopt
from domain.staff import desk as desks
from domain.staff.desk import ATTEMPTS, Case, Desk
from tests.story import Desk as Ingest
from tests.story import at, file_log, placed, requested, scanned

F = Case("incident-late_shipment-F", "order-O")
G = Case("incident-late_shipment-G", "order-O")


@pytest.fixture(name="log")
def a_log_on_disk(tmp_path: Path) -> Iterator[Log]:
    with file_log(tmp_path / "log.db") as log:
        ingest = Ingest(log)
        ingest.take(placed(0), requested(0, ship_by=10), requested(0, "G", ship_by=10), until=20)
        yield log


@pytest.fixture(name="desk")
def a_desk(log: Log) -> Desk:
    return Desk(log)


def topics(log: Log, stream: str) -> list[str]:
    return [event.TOPIC for event in log.stream(stream)]


def said(log: Log) -> list[FindingDismissed]:
    return [event for event in log.stream("order-O") if isinstance(event, FindingDismissed)]


def test_the_first_step_begins_the_stream_and_gives_its_position(desk: Desk, log: Log) -> None:
    position = desk.handle(F, Note(by="li", text="seen"), at=at(21))
    [event] = log.stream(F.id)
    assert isinstance(event, IncidentNoted)
    assert (event.at, event.by, event.text, event.position) == (at(21), "li", "seen", position - 1)
    assert position == log.store.last_position()


def test_a_command_has_one_effect_and_its_repeat_the_position_of_that(desk: Desk, log: Log) -> None:
    note = Note(by="li", text="seen", command_id="k1")
    first = desk.handle(F, note, at=at(21))
    assert desk.handle(F, note, at=at(25)) == first
    assert topics(log, F.id) == ["incident.noted.v1"]


def test_what_is_already_so_writes_nothing(desk: Desk, log: Log) -> None:
    first = desk.handle(F, Assign(by="li", person="zhou"), at=at(21))
    assert desk.handle(F, Assign(by="wang", person="zhou"), at=at(22)) == first
    assert log.store.last_position() == first
    assert desk.handle(G, Assign(by="wang"), at=at(22)) == first


@pytest.mark.parametrize(
    "case",
    [
        Case("incident-late_shipment-H", "order-O"),
        Case("incident-stock_out-F", "order-O"),
        Case("incident-late_shipment-F", "order-X"),
    ],
)
def test_there_is_no_incident_without_a_finding(desk: Desk, log: Log, case: Case) -> None:
    with pytest.raises(IllegalStep) as refused:
        desk.handle(case, Note(by="li", text="seen"), at=at(21))
    assert refused.value.code == "no_finding"
    assert log.stream(case.id) == []


def test_a_refused_step_writes_nothing_and_moves_no_deadline(desk: Desk, log: Log) -> None:
    desk.handle(F, Acknowledge(by="li"), at=at(21))
    before = log.store.last_position(), log.store.armed([F.id])
    with pytest.raises(IllegalStep):
        desk.handle(F, Acknowledge(by="wang", until=at(99)), at=at(22))
    assert (log.store.last_position(), log.store.armed([F.id])) == before


def test_the_deadline_commits_with_the_step_and_goes_with_it(desk: Desk, log: Log) -> None:
    desk.handle(F, Acknowledge(by="li", until=at(30)), at=at(21))
    [policy] = {armed.policy for armed in log.store.armed(["order-O"]).values()}
    assert log.store.armed([F.id])[F.id][:3] == (F.id, at(30), policy)
    desk.handle(F, Snooze(by="li", until=at(25)), at=at(22))
    assert log.store.armed([F.id])[F.id].due == at(25)
    desk.handle(F, Resolve(by="li"), at=at(23))
    assert log.store.armed([F.id]) == {}


# Saying that a finding is wrong


def test_a_dismissal_is_said_in_the_subject_s_own_stream_and_the_subject_looked_at(desk: Desk, log: Log) -> None:
    before = len(log.stream("order-O"))
    desk.handle(F, Dismiss(by="li", why="picked up by hand"), at=at(21))
    [one] = said(log)
    assert (one.kind, one.subject, one.since, one.by, one.why) == (
        "late_shipment",
        "F",
        at(10),
        "li",
        "picked up by hand",
    )
    assert len(log.stream("order-O")) == before + 1
    due = log.store.armed(["order-O"])["order-O"].due
    assert due is not None
    assert due < at(20)
    [event] = log.stream(F.id)
    finding = opened(log)[0].finding
    assert (event.rule, event.policy) == (finding.rule, finding.policy)  # type: ignore[attr-defined]  # the last event is of this kind


def opened(log: Log) -> list[FindingOpened]:
    return [one for one in log.stream("order-O") if isinstance(one, FindingOpened)]


def test_opening_a_dismissed_incident_again_takes_the_dismissal_back(desk: Desk, log: Log) -> None:
    desk.handle(F, Dismiss(by="li", why="wrong"), at=at(21))
    desk.handle(F, Reopen(by="wang", why="it was right"), at=at(22))
    assert [(one.since, one.withdrawn, one.by) for one in said(log)] == [(at(10), False, "li"), (at(10), True, "wang")]
    desk.handle(F, Resolve(by="li"), at=at(23))
    desk.handle(F, Reopen(by="li"), at=at(24))
    assert len(said(log)) == 2


def test_what_the_rule_itself_has_withdrawn_cannot_be_called_wrong(desk: Desk, log: Log) -> None:
    Ingest(log).take(scanned(9), until=22)
    with pytest.raises(IllegalStep) as refused:
        desk.handle(F, Dismiss(by="li", why="wrong"), at=at(23))
    assert refused.value.code == "retracted"


def test_a_finding_that_has_ended_can_still_be_called_wrong(desk: Desk, log: Log) -> None:
    Ingest(log).take(scanned(15), until=22)
    desk.handle(F, Dismiss(by="li", why="the promise was another one"), at=at(23))
    assert [(one.subject, one.since) for one in said(log)] == [("F", at(10))]


# Two incidents


def test_a_merge_is_written_into_both_streams_at_once(desk: Desk, log: Log) -> None:
    position = desk.handle(F, Merge(by="li", command_id="k"), at=at(21), other=G)
    assert (topics(log, F.id), topics(log, G.id)) == (["incident.merged.v1"], ["incident.absorbed.v1"])
    assert desk.handle(F, Merge(by="li", command_id="k"), at=at(22), other=G) < position
    desk.handle(F, Split(by="li"), at=at(23))
    assert (status(desk.read(F.id)), desk.read(G.id).parts) == ("new", [])


@pytest.mark.parametrize(
    ("other", "code"),
    [(None, "unknown_target"), (F, "same_incident"), (Case("incident-late_shipment-H", "order-O"), "no_finding")],
)
def test_a_merge_needs_another_incident_that_exists(desk: Desk, other: Case | None, code: str) -> None:
    with pytest.raises(IllegalStep) as refused:
        desk.handle(F, Merge(by="li"), at=at(21), other=other)
    assert refused.value.code == code


# Others write too


def test_two_people_who_take_it_on_at_once_do_not_both_get_it(log: Log) -> None:
    got: list[str] = []
    ready = threading.Barrier(4)

    def take(who: str) -> None:
        ready.wait()
        try:
            Desk(log).handle(F, Acknowledge(by=who), at=at(21))
        except IllegalStep:
            return
        got.append(who)

    threads = [threading.Thread(target=take, args=(f"p{n}",)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    [event] = log.stream(F.id)
    assert got == [event.by]  # type: ignore[attr-defined]  # the last event is of this kind


@pytest.mark.parametrize("clashes", [1, ATTEMPTS])
def test_a_step_is_decided_again_when_somebody_was_quicker(
    desk: Desk, log: Log, clashes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, append, left = Desk(log), log.append, [clashes]

    def overtaken(*what: Any) -> Any:
        if left[0]:
            left[0] -= 1
            monkeypatch.setattr(log, "append", append)
            other.handle(F, Note(by="wang", text=f"quicker {left[0]}"), at=at(21))
            monkeypatch.setattr(log, "append", overtaken)
        return append(*what)

    monkeypatch.setattr(log, "append", overtaken)
    desk.handle(F, Note(by="li", text="seen"), at=at(21))
    assert len(topics(log, F.id)) == clashes + 1
    assert log.stream(F.id)[-1].by == "li"  # type: ignore[attr-defined]  # the last event is of this kind


def test_nobody_can_be_quicker_for_ever(desk: Desk, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    other, append = Desk(log), log.append
    overtaking: list[threading.Thread] = []

    def overtaken(*what: Any) -> Any:
        monkeypatch.setattr(log, "append", append)
        thread = threading.Thread(target=other.handle, args=(F, Note(by="wang", text="quicker")), kwargs={"at": at(21)})
        overtaking.append(thread)
        thread.start()
        thread.join(0.3)  # in the last attempt it waits for the lock that we hold
        monkeypatch.setattr(log, "append", overtaken)
        return append(*what)

    monkeypatch.setattr(log, "append", overtaken)
    desk.handle(F, Note(by="li", text="seen"), at=at(21))
    monkeypatch.setattr(log, "append", append)
    for thread in overtaking:
        thread.join()
    by = [event.by for event in log.stream(F.id)]  # type: ignore[attr-defined]  # the last event is of this kind
    assert by == ["wang"] * ATTEMPTS + ["li", "wang"]


def test_a_dismissal_is_decided_again_when_the_subject_has_moved_on(
    desk: Desk, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest, append = Ingest(log), log.append

    def overtaken(*what: Any) -> Any:
        monkeypatch.setattr(log, "append", append)
        ingest.take(scanned(9), until=22)
        return append(*what)

    monkeypatch.setattr(log, "append", overtaken)
    with pytest.raises(IllegalStep) as refused:
        desk.handle(F, Dismiss(by="li", why="wrong"), at=at(23))
    assert (refused.value.code, said(log)) == ("retracted", [])


def test_what_cannot_be_stored_for_another_reason_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        raise IntegrityError

    monkeypatch.setattr(desks.Desk, "_store", broken)
    with pytest.raises(IntegrityError):
        desk.handle(F, Note(by="li", text="seen"), at=at(21))


# The policy's word


def test_the_policy_in_force_says_for_how_long_and_how_much(desk: Desk, log: Log) -> None:
    adopt(log, '[incidents]\nacknowledge_timeout = "2h"\n[compensation]\ncap = "80"', at(20))
    desk.handle(F, Acknowledge(by="li"), at=at(21))
    assert log.store.armed([F.id])[F.id].due == at(23)
    with pytest.raises(IllegalStep) as refused:
        desk.handle(F, Compensate(by="li", member="O", amount="81", currency="CNY", form="refund"), at=at(21))
    assert refused.value.code == "over_the_cap"


def test_the_ticker_gives_back_what_was_only_taken_on(desk: Desk, log: Log) -> None:
    desk.handle(F, Acknowledge(by="li", until=at(30)), at=at(21))
    ticker = Ingest(log)
    ticker.tick(30)
    assert status(desk.read(F.id)) == "acknowledged"
    ticker.tick(31)
    assert (status(desk.read(F.id)), log.stream(F.id)[-1].at) == ("new", at(30))  # type: ignore[attr-defined]  # the last event is of this kind
    assert log.store.armed([F.id]) == {}
    ticker.tick(99)
    assert len(log.stream(F.id)) == 2
