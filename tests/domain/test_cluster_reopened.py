"""Opening a settled cluster again: the group goes on from where it was."""

import pytest

from domain.history.log import Log
from domain.incidents.commands import Command, Dismiss, Reopen, Resolve
from domain.staff.desk import Case
from domain.staff.desk import Desk as Staff
from domain.tracker import Tracker
from tests.domain.grouped import lines, settle
from tests.story import LATER, Desk, at, complained, file_log, line, placed

POLICY = '[kinds]\nenabled = ["product_defect"]\n[cluster]\nminimum = 3'
DEFECT = Case("incident-product_defect-TEA", "cluster-defect-TEA")


@pytest.fixture(name="log")
def a_defect(tmp_path):
    with file_log(tmp_path / "log.db") as log:
        buyers = [placed(n, line("1", "TEA"), of=f"O{n}", customer_id=f"C{n}") for n in range(5)]
        Desk(log, POLICY).take(*buyers, *(spoilt(10 + n, n) for n in range(3)), until=20)
        come(log)
        yield log


def spoilt(when: float, n: int):
    said = {"order_id": f"O{n}", "customer_id": f"C{n}", "category": "defective"}
    return complained(when, f"K{n}", **said)


def come(log: Log) -> None:
    desk = Desk(log, POLICY)
    settle(Tracker(log, desk.tracker.policies), LATER)


def do(log: Log, command: Command, when: float) -> None:
    Staff(log).handle(DEFECT, command, at=at(when))
    come(log)


def found(log: Log) -> list[tuple[str, list[str]]]:
    return [(one["state"], one["detail"]["proven"]) for one in lines(log)]


def test_it_goes_on_with_those_of_before_and_those_of_meanwhile(log: Log) -> None:
    assert found(log) == [("open", ["O0", "O1", "O2"])]
    do(log, Resolve(by="li"), 30)
    assert [state for state, _ in found(log)] == ["ended"]
    Desk(log, POLICY).take(spoilt(40, 3), until=41)
    come(log)
    assert [state for state, _ in found(log)] == ["ended"]
    do(log, Reopen(by="li", why="another one came"), 50)
    assert found(log) == [("open", ["O0", "O1", "O2", "O3"])]


def test_it_can_be_settled_again(log: Log) -> None:
    do(log, Resolve(by="li"), 30)
    do(log, Reopen(by="li"), 31)
    do(log, Resolve(by="li"), 32)
    [one] = lines(log)
    assert (one["state"], one["ended_at"]) == ("ended", "2026-03-02T08:00:00Z")


def test_taking_back_that_it_was_wrong_leaves_what_was_settled_before(log: Log) -> None:
    do(log, Resolve(by="li"), 30)
    Desk(log, POLICY).take(*(spoilt(34 + n, n) for n in (3, 4, 5)), until=45)
    Desk(log, POLICY).take(placed(5, line("1", "TEA"), of="O5", customer_id="C5"), until=45)
    come(log)
    settled = [one for one in lines(log) if one["ended_at"] == "2026-03-02T06:00:00Z"]
    do(log, Dismiss(by="li", why="another batch"), 50)
    do(log, Reopen(by="li", why="it was right"), 51)
    assert len(settled) == 1
    assert settled == [one for one in lines(log) if one["ended_at"] == "2026-03-02T06:00:00Z"]
    assert [state for state, _ in found(log)].count("open") == 1
