"""Escalation by time and severity: by the clock, in the incident's own stream, once, whoever is killed over it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.detection import Finding, FindingEnded, FindingOpened
from domain.groups.backlog import BacklogMemberChanged
from domain.history.batch import WentLive
from domain.history.log import Beside, Log, Recorded
from domain.incidents.clock import due
from domain.incidents.commands import Acknowledge, Command, Dismiss, Escalate, Reopen, Resolve, Snooze
from domain.incidents.urgency import IncidentEscalated, IncidentEscalationPlanned, IncidentMuted
from domain.instant import Instant
from domain.judging.adoption import adopt
from domain.policies.policy import PolicyInvalid, load
from domain.staff.desk import Case
from domain.staff.desk import Desk as Staff
from domain.tracker import Tracker
from tests.story import Desk, at, file_log, hours, placed, requested, scanned

LEADS = '[[incidents.escalation]]\nafter = "30m"\nto = "leads"\n'
BOSS = '[[incidents.escalation]]\nafter = "2h"\nto = "boss"\nlevel = 2\nunless = "resolved"\n'
GRAVE = '[[incidents.escalation]]\nafter = "0s"\nto = "crisis"\nlevel = 3\nseverity = "critical"\nunless = "resolved"\n'
NO_RULE_FOR_BACKLOGS = '[kinds]\nenabled = ["late_shipment"]\n'
F = Case("incident-late_shipment-F", "order-O")


class Shop:
    """A log in which fulfilment F becomes late at hour 10, and time that comes in steps; each step a new process."""

    def __init__(self, log: Log, policy: str = LEADS + BOSS) -> None:
        self.log, self.policy = log, policy
        Desk(log, policy).take(placed(0), requested(0, ship_by=10), until=9)

    def come(self, until: float, *, slices: int = 500) -> None:
        """Let a process that has just begun find and tell all there is, twice as often as needed."""
        tracker = Tracker(self.log, adopt(self.log, self.policy, 0))
        for _ in range(2):
            while tracker.tick(at(until)):
                pass
            while tracker.group(at(until), slices):
                pass

    def do(self, command: Command, when: float) -> None:
        Staff(self.log).handle(F, command, at=at(when))

    def write(self, stream: str, *events: Any) -> None:
        begun = len(list(self.log.stream(stream)))
        self.log.append([Recorded(stream, n, one) for n, one in enumerate(events, begun + 1)], Beside())

    def went_up(self, name: str = F.id) -> list[tuple[float | None, str, int]]:
        said = [one for one in self.log.stream(name) if isinstance(one, IncidentEscalated)]
        return [(hours(one.at), one.to, one.level) for one in said]


@pytest.fixture(name="log")
def a_log_on_disk(tmp_path: Path) -> Iterator[Log]:
    with file_log(tmp_path / "log.db") as log:
        yield log


def test_what_nobody_has_touched_goes_up_step_by_step_at_its_due_times(log: Log) -> None:
    shop = Shop(log)
    shop.come(10.25)
    assert due(Staff(log).read(F.id)) == at(10.25 + 0.5)
    for until in (10.75, 10.76, 11, 12.25, 12.26, 99):
        shop.come(until)
    assert shop.went_up() == [(10.75, "leads", 1), (12.25, "boss", 2)]
    said = [one for one in log.stream(F.id) if isinstance(one, IncidentEscalated)]
    assert [(one.by, one.subject, one.why) for one in said] == [
        ("clock", "order-O", "not acknowledged in time"),
        ("clock", "order-O", "not resolved in time"),
    ]
    assert log.store.armed([F.id]) == {}


def test_a_process_that_comes_back_late_writes_each_once_at_its_due_time(log: Log) -> None:
    shop = Shop(log)
    shop.come(10.25)
    for _ in range(3):
        shop.come(999)
    assert shop.went_up() == [(10.75, "leads", 1), (12.25, "boss", 2)]


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("over", ["telling", "firing"])
def test_a_process_that_dies_over_it_leaves_all_or_nothing(
    log: Log, monkeypatch: pytest.MonkeyPatch, *, over: str, committed: bool
) -> None:
    shop, append, left = Shop(log), log.append, [True]

    def dies(recorded: Any, beside: Any) -> int | None:
        ours = any(str(one.originator_id) == F.id for one in recorded)
        position = append(recorded, beside) if committed or not ours else None
        if ours and left.pop():
            raise KeyboardInterrupt
        return position

    if over == "firing":
        shop.come(10.25)
    monkeypatch.setattr(log, "append", dies)
    with pytest.raises(KeyboardInterrupt):
        shop.come(10.25 if over == "telling" else 99)
    monkeypatch.setattr(log, "append", append)
    shop.come(10.25)
    shop.come(99)
    assert shop.went_up() == [(10.75, "leads", 1), (12.25, "boss", 2)]


def test_without_steps_nothing_is_written_and_nothing_armed(log: Log) -> None:
    shop = Shop(log, "")
    shop.come(99)
    assert (list(log.stream(F.id)), log.store.armed([F.id])) == ([], {})


@pytest.mark.parametrize("severity", ["critical", "high"])
def test_a_step_is_only_for_what_is_grave_enough_and_of_its_kinds(log: Log, severity: str) -> None:
    shop = Shop(log, f'{LEADS}severity = "{severity}"\n{BOSS}kinds = ["stock_out"]')
    shop.come(99)
    assert list(log.stream(F.id)) == []


def test_whoever_takes_it_on_keeps_it_from_going_up_until_it_is_given_back(log: Log) -> None:
    shop = Shop(log)
    shop.come(10.25)
    shop.do(Acknowledge(by="li", until=at(11.5)), 10.5)
    shop.come(11.4)
    assert shop.went_up() == []
    shop.come(20)
    assert shop.went_up() == [(11.5, "leads", 1), (12.25, "boss", 2)]


def test_what_is_put_aside_goes_up_when_it_wakes(log: Log) -> None:
    shop = Shop(log)
    shop.come(10.25)
    shop.do(Snooze(by="li", until=at(15)), 10.5)
    shop.come(14)
    assert shop.went_up() == []
    shop.come(16)
    assert shop.went_up() == [(15, "leads", 1), (15, "boss", 2)]


@pytest.mark.parametrize("command", [Resolve(by="li"), Dismiss(by="li", why="wrong")])
def test_what_is_closed_does_not_go_up_and_begins_from_the_bottom_when_it_is_opened_again(
    log: Log, command: Command
) -> None:
    shop = Shop(log)
    shop.come(10.25)
    shop.come(10.8)
    shop.do(command, 11)
    shop.come(20)
    assert shop.went_up() == [(10.75, "leads", 1)]
    shop.do(Reopen(by="li", why="no"), 30)
    shop.come(30)
    shop.come(33)
    assert shop.went_up()[1:] == [(30.5, "leads", 1), (32, "boss", 2)]


def test_what_has_ended_does_not_go_up(log: Log) -> None:
    shop = Shop(log)
    shop.come(10.25)
    Desk(log, shop.policy).take(scanned(10.4), until=10.5)
    shop.come(99)
    assert shop.went_up() == []
    assert [one.steps for one in log.stream(F.id) if isinstance(one, IncidentEscalationPlanned)][-1] == ()


def test_a_person_may_be_quicker_and_time_goes_on_from_there(log: Log) -> None:
    shop = Shop(log)
    shop.come(10.25)
    shop.do(Escalate(by="li", to="leads"), 10.5)
    shop.come(99)
    assert shop.went_up() == [(10.5, "leads", 1), (12.25, "boss", 2)]


def test_what_was_due_before_we_went_live_is_left_in_peace(log: Log) -> None:
    shop = Shop(log)
    shop.write("live", WentLive(at=at(11), begun_from="earliest"))
    shop.come(99)
    assert shop.went_up() == []


def test_what_is_being_mended_is_waited_for(log: Log) -> None:
    window = (
        '[maintenance.move]\nsince = "2026-03-01T08:00:00Z"\nuntil = "2026-03-01T20:00:00Z"\n'
        'reason = "moving"\nwarehouse = "W"\n'
    )
    shop = Shop(log, LEADS + window)
    shop.come(10.25)
    shop.come(99)
    assert shop.went_up() == [(20.5, "leads", 1)]


def test_the_staff_s_working_time_counts(log: Log) -> None:
    hours_of_staff = '[calendars.staff]\ntimezone = "UTC"\nhours = ["mon-fri 09:00-17:00"]\n'
    shop = Shop(log, LEADS + hours_of_staff)
    shop.come(10.25)
    shop.come(99)
    # Dawn is a Sunday: work begins on Monday at nine.
    assert shop.went_up() == [(33.5, "leads", 1)]


# Others that speak for it


def backlog(when: float, ended: float | None = None) -> Finding:
    return Finding(
        kind="warehouse_backlog",
        subject="W",
        since=at(when),
        due_at=at(when),
        ended_at=None if ended is None else at(ended),
        order_ids=("O",),
        warehouse_id="W",
        rule="counted_at_midnight",
        policy="p",
        proof=(),
        severity="high",
    )


def full(shop: Shop) -> None:
    """Let warehouse W be full at hour 10; its member is told by the late fulfilment itself."""
    shop.write("backlog-warehouse-W", FindingOpened(finding=backlog(10), known_up_to=at(10)))


def muted(log: Log) -> list[tuple[Instant, str | None]]:
    return [(one.at, one.speaker) for one in log.stream(F.id) if isinstance(one, IncidentMuted)]


def test_a_member_of_a_backlog_does_not_go_up_until_it_speaks_for_itself_again(log: Log) -> None:
    shop = Shop(log, LEADS + NO_RULE_FOR_BACKLOGS)
    shop.come(10.25)
    [member] = [one for one in log.stream("backlog-warehouse-W") if isinstance(one, BacklogMemberChanged)]
    assert member.member == "F@1"
    full(shop)
    shop.come(15)
    shop.come(16)
    assert (shop.went_up(), muted(log)) == ([], [(at(10.75), "incident-warehouse_backlog-W")])
    shop.write("backlog-warehouse-W", FindingEnded(finding=backlog(10, 20), known_up_to=at(20)))
    shop.come(20.5)
    assert shop.went_up() == [(20.5, "leads", 1)]
    assert [speaker for _, speaker in muted(log)][1:] == [None]


def test_the_backlog_itself_goes_up(log: Log) -> None:
    shop = Shop(log, LEADS + NO_RULE_FOR_BACKLOGS)
    full(shop)
    shop.come(10.25)
    shop.come(15)
    assert shop.went_up("incident-warehouse_backlog-W") == [(10.5, "leads", 1)]


def test_the_weaker_of_two_findings_of_a_parcel_stays_quiet(log: Log) -> None:
    shop = Shop(log, LEADS + 'kinds = ["stalled_parcel", "presumed_lost"]')
    Desk(log, shop.policy).take(scanned(1), scanned(2, status="lost", facility_id="H"), until=5)
    shop.come(6)
    shop.come(90)
    went_up = {name: bool(shop.went_up(name)) for name in ("incident-presumed_lost-P", "incident-stalled_parcel-P")}
    assert went_up == {"incident-presumed_lost-P": True, "incident-stalled_parcel-P": False}


# The policy


def test_what_was_found_before_a_policy_named_steps_goes_by_the_one_before(log: Log) -> None:
    shop = Shop(log, "")
    shop.come(10.25)
    shop.policy = LEADS
    adopt(log, LEADS, at(11))
    shop.come(99)
    assert list(log.stream(F.id)) == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('after = "1h"\nto = "x"\nkinds = ["late_shipmen"]', "did you mean 'late_shipment'"),
        ('after = "1h"\nto = "x"\nlvel = 2', r"unknown key 'incidents.escalation\[1\].lvel'; did you mean 'level'"),
        ('after = "1h"\nto = " "', "name a person or a team"),
        ('after = "1h"\nto = "x"\nlevel = 0', "below the first level"),
        ('after = "1h"\nto = "x"\nseverity = "grave"', "escalation"),
        ('to = "x"', "after"),
    ],
)
def test_steps_that_nobody_could_take_are_refused(text: str, why: str) -> None:
    with pytest.raises(PolicyInvalid, match=why):
        load(f"[[incidents.escalation]]\n{text}")
