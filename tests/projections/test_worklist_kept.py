"""What the worklist keeps is what one question over all rows would answer, whatever staff do and whenever it is."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from domain.errors import Refused
from domain.incidents.commands import (
    Acknowledge,
    Assign,
    Contact,
    Dismiss,
    Escalate,
    Merge,
    Reopen,
    Resolve,
    Snooze,
    Split,
)
from domain.incidents.events import Statement
from domain.instant import HOUR
from domain.judging.adoption import adopt
from domain.staff.desk import Case, Desk
from projections import worklist
from projections.worklist import Wanted
from tests.projections import worklist_oracle
from tests.projections.staffed import rebuilt
from tests.projections.stage import stage
from tests.projections.test_worklist import late_order, listed, names
from tests.projections.told import tell_season
from tests.story import DAWN, at

BEGUN = datetime(2026, 3, 1, tzinfo=UTC)
ASKED = (
    Wanted(),
    Wanted(assignee=("zhou",)),
    Wanted(assignee=("night", "zhou")),
    Wanted(hard=True),
    Wanted(hard=False, to_contact=True),
    Wanted(to_contact=False),
)


def policy(hour: float) -> str:
    """Have one warehouse counted for two days, and make some kinds hard."""
    begins, ends = (BEGUN + timedelta(hours=hour + more) for more in (-200, 48))
    return f"""
[routing]
hard_from = 2
[routing.kinds]
late_shipment = 1
stalled_parcel = 2
[incidents.flapping]
changes = 3
within = "90d"
hold = "10d"
[maintenance.counting]
since = {begins:%Y-%m-%dT%H:%M:%SZ}
until = {ends:%Y-%m-%dT%H:%M:%SZ}
reason = "counting"
carrier = "sf"
"""


class Shift:
    """Staff who do anything that they may, in any order."""

    def __init__(self, told, seed):
        self.told = told
        self.random = Random(seed)
        latest = told.query("SELECT MAX(known_at) FROM incidents")[0][0]
        self.hour = (latest - DAWN) / HOUR + 100
        told.come(self.hour)
        self.cases = [Case(*row) for row in told.query("SELECT id, stream FROM incidents ORDER BY state DESC, id")]
        self.done = 0

    def act(self):
        """Try one thing with one incident; what is refused is no matter."""
        self.hour += self.random.uniform(0.1, 3)
        case, other = self.random.choices(self.cases[:60], k=2)
        orders = [row[0] for row in self.told.query("SELECT order_id FROM incident_orders WHERE id = ?", case.id)]
        said = tuple(Statement(order_id=one, claim="warehouse_shipped") for one in orders[:1])
        later = at(self.hour + self.random.uniform(1, 9))
        outcome = self.random.choice(("reached", "no_answer", "agreed"))
        command = self.random.choice(
            [
                Acknowledge(by="li"),
                Assign(by="li", person=self.random.choice(("zhou", "wu"))),
                Assign(by="li", team="night"),
                Contact(by="li", channel="email", outcome=outcome, statements=said),
                Contact(by="li", channel="email", outcome="no_answer", next_attempt=later),
                Snooze(by="li", until=later),
                Resolve(by="li"),
                Dismiss(by="li", why="not so"),
                Reopen(by="li", why="it is so"),
                Escalate(by="li", to="head"),
                Merge(by="li"),
                Split(by="li"),
            ]
        )
        try:
            Desk(self.told.log).handle(case, command, at=at(self.hour), other=other)
            self.done += 1
        except Refused:
            pass

    def compared(self):
        """Hold that both answers are the same, now and long before and after; gives how many tasks there were."""
        self.told.follow()
        count = 0
        with self.told.store.reading() as rows:
            for later in (0, -300, 30, 48, 400):
                now = at(self.hour + later)
                there = worklist_oracle.tasks(rows, self.told.log, now)
                for wanted in ASKED:
                    kept = worklist.tasks(rows, now, wanted, 10_000)
                    assert kept == worklist_oracle.among(rows, there, now, wanted), (later, wanted)
                    count += len(kept)
                for one in kept:
                    assert worklist.task(rows, now, one.rank.task) is not None
        return count


@pytest.mark.parametrize("seed", [1, 2])
def test_it_is_what_one_question_over_all_rows_would_answer(tmp_path, seed):
    with stage(tmp_path) as told:
        told.desk.tracker = tell_season(told.log, BEGUN, days=2, seed=seed)
        told.follow()
        shift = Shift(told, seed)
        assert shift.compared() > 100
        for turn in range(12):
            for _ in range(12):
                shift.act()
            if turn == 5:
                adopt(told.log, policy(shift.hour), at(shift.hour))
                told.desk.tracker.positions()
            told.come(shift.hour)
            assert shift.compared() > 100
        assert shift.done > 40
        rebuilt(told)


def test_what_time_alone_changes_is_found_at_any_time(tmp_path):
    with stage(tmp_path) as told:
        late_order(told, "1", "C")
        told.come(30)
        adopt(told.log, "[routing]\nhard_from = 1\n[routing.kinds]\nlate_shipment = 1", at(40))
        told.follow()
        assert names(told, Wanted(hard=True), now=39) == []
        assert names(told, Wanted(hard=True), now=40) == ["customer-C"]
        assert [one.points for now in (39, 40) for one in listed(told, now=now)] == [0, 1]
        rebuilt(told)
