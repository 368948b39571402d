"""Findings that end and begin again and again: kept, but news only once they stand still."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.detection import Finding, FindingEnded, FindingOpened
from domain.history.log import Beside, Log, Recorded
from domain.incidents.commands import Command, Resolve, Snooze
from domain.incidents.events import IncidentReopened
from domain.incidents.incident import status
from domain.incidents.urgency import IncidentEscalated, IncidentNewsHeld
from domain.instant import HOUR, Duration
from domain.judging.adoption import adopt, planned
from domain.policies.policy import PolicyInvalid, load
from domain.policies.staffing import Flapping
from domain.staff.desk import Case
from domain.staff.desk import Desk as Staff
from domain.telling.unrest import Spell, unrest, unrest_of
from domain.tracker import Tracker
from tests.story import at, file_log, hours

RULE: Final = Flapping(changes=4, within=Duration(10 * HOUR), hold=Duration(3 * HOUR))
POLICY: Final = '[incidents.flapping]\nchanges = 4\nwithin = "10h"\nhold = "3h"\n'
LEADS: Final = '[[incidents.escalation]]\nafter = "1h"\nto = "leads"\n'
TEA: Final = Case("incident-stock_out-O%3ATEA", "backlog-warehouse-X")


def spell(*changes: float) -> tuple[float, float, int] | None:
    """Give (since, stable at, changes) for beginnings and ends in turn."""
    times = [int(one * HOUR) for one in changes]
    episodes = [(due, times[n + 1] if n + 1 < len(times) else None) for n, due in enumerate(times) if n % 2 == 0]
    found = unrest(episodes, RULE)
    return None if found is None else (found.since / HOUR, found.stable_at / HOUR, found.changes)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ((0, 1, 2), None),
        ((0, 1, 2, 3), (3, 6, 4)),
        ((0, 1, 2, 10), (10, 13, 4)),
        ((0, 1, 2, 10.1), None),
        ((0, 1, 2, 3, 5, 6), (3, 9, 6)),
        ((0, 1, 2, 3, 6, 9), (3, 12, 6)),
        ((0, 1, 2, 3, 6.1), (6.1, 9.1, 4)),
        ((0, 1, 2, 3, 16), (3, 6, 4)),
        ((), None),
    ],
)
def test_it_begins_with_the_change_that_is_one_too_many_and_lasts_until_it_stood_still(
    changes: tuple[float, ...], found: tuple[float, float, int] | None
) -> None:
    assert spell(*changes) == found


def test_a_policy_may_take_each_change_as_news() -> None:
    assert unrest([(n, n + 1) for n in range(99)], Flapping(changes=0)) is None
    with pytest.raises(PolicyInvalid, match=r"incidents\.flapping\.changes"):
        load("[incidents.flapping]\nchanges = 2")


@given(st.lists(st.integers(0, 400), unique=True).map(sorted), st.randoms(use_true_random=False))
def test_it_does_not_matter_in_which_order_episodes_became_known(times: list[int], chance: Any) -> None:
    episodes = [(one * HOUR, None) for one in times]
    shuffled = list(episodes)
    chance.shuffle(shuffled)
    found = unrest(episodes, RULE)
    assert unrest(shuffled, RULE) == found
    if found is not None:
        assert isinstance(found, Spell)
        assert found.stable_at - RULE.hold in {one for one, _ in episodes}
        assert found.changes >= RULE.changes


EACH_IS_NEWS_FROM_20: Final = (
    f'{POLICY}[[version]]\nvalid_from = "2026-03-01T20:00:00Z"\n[version.incidents.flapping]\nchanges = 0\n'
)


@pytest.mark.parametrize(
    ("last", "until", "stable_at"),
    [(4, 99, 7), (19, 99, 22), (20, 99, None), (4, 3.5, 6), (4, 2.5, None), (4, 4, 7)],
)
def test_the_policy_at_the_last_beginning_judges_what_was_known_by_then(
    last: float, until: float, stable_at: float | None
) -> None:
    episodes = [(at(last - 4), at(last - 3)), (at(last - 2), at(last - 1)), (at(last), None)]
    found = unrest_of(episodes, planned(EACH_IS_NEWS_FROM_20), at(until))
    assert (None if found is None else hours(found.stable_at)) == stable_at


def test_nothing_that_ever_began_is_no_unrest() -> None:
    assert unrest_of([], planned(POLICY)) is None
    assert unrest_of([(at(5), None)], planned(POLICY), at(4)) is None


# What it means for staff


class Shop:
    """A finding that begins and ends by the hour, and staff who want to hear of it."""

    def __init__(self, log: Log, policy: str = POLICY, *, late: bool = False) -> None:
        """Tell everything as it happens, or only when time comes."""
        self.log, self.policy, self.begun, self.late = log, policy, 0.0, late
        adopt(log, policy, at(0))

    def begins(self, when: float) -> None:
        self.begun = when
        self._say(FindingOpened(finding=self._finding(None), known_up_to=at(when)), when)

    def ends(self, when: float) -> None:
        self._say(FindingEnded(finding=self._finding(when), known_up_to=at(when)), when)

    def flaps(self, *whens: float) -> None:
        for place, when in enumerate(whens):
            (self.ends if place % 2 else self.begins)(when)

    def do(self, command: Command, when: float) -> None:
        Staff(self.log).handle(TEA, command, at=at(when))

    def come(self, until: float) -> None:
        tracker = Tracker(self.log, adopt(self.log, self.policy, at(0)))
        for _ in range(2):
            while tracker.tick(at(until)) + tracker.group(at(until)):
                pass

    def written(self) -> list[tuple[str, float | None]]:
        """Give what was written since staff put it away."""
        said = [(one.TOPIC.split(".")[1], hours(one.at)) for one in self.log.stream(TEA.id)]  # type: ignore[attr-defined]  # each of its events has a time
        return said[next(n for n, (name, _) in enumerate(said) if name in {"snoozed", "resolved"}) + 1 :]

    @property
    def status(self) -> str:
        return status(Staff(self.log).read(TEA.id))

    def _finding(self, ended: float | None) -> Finding:
        return Finding(
            kind="stock_out",
            subject="O:TEA",
            since=at(self.begun),
            due_at=at(self.begun),
            ended_at=None if ended is None else at(ended),
            order_ids=("O",),
            rule="out",
            policy="p",
            proof=("/s#1",),
            severity="high",
        )

    def _say(self, event: FindingOpened | FindingEnded, when: float) -> None:
        version = len(list(self.log.stream(TEA.stream))) + 1
        self.log.append([Recorded(TEA.stream, version, event)], Beside())
        if not self.late:
            self.come(when)


@pytest.fixture(name="log")
def a_log_on_disk(tmp_path: Path) -> Iterator[Log]:
    with file_log(tmp_path / "log.db") as log:
        yield log


def test_what_was_resolved_is_opened_again_once_it_stands_still_and_not_at_each_beginning(log: Log) -> None:
    shop = Shop(log)
    shop.flaps(0, 1, 2)
    shop.do(Resolve(by="li"), 2.5)
    shop.ends(3)
    shop.begins(4)
    shop.ends(5)
    shop.begins(6)
    assert {name for name, _ in shop.written()} == {"news_held"}
    assert shop.status == "resolved"
    shop.come(8.9)
    assert shop.status == "resolved"
    shop.come(20)
    assert (shop.status, shop.written()[-1]) == ("new", ("reopened", 9))
    shop.come(99)
    assert [name for name, _ in shop.written()].count("reopened") == 1


def test_what_stands_still_because_it_is_over_stays_resolved(log: Log) -> None:
    shop = Shop(log)
    shop.flaps(0, 1, 2)
    shop.do(Resolve(by="li"), 2.5)
    shop.ends(3)
    shop.begins(4)
    shop.ends(5)
    shop.come(99)
    assert shop.status == "resolved"
    assert log.store.armed([TEA.id]) == {}


def test_what_was_put_aside_until_there_is_news_wakes_once(log: Log) -> None:
    shop = Shop(log)
    shop.flaps(0, 1, 2)
    shop.do(Snooze(by="li", next_event=True), 2.5)
    shop.ends(3)
    shop.begins(4)
    assert shop.status == "snoozed"
    shop.come(99)
    assert (shop.status, shop.written()[-1]) == ("new", ("woken", 7))


def test_a_single_recurrence_is_news_at_once(log: Log) -> None:
    shop = Shop(log)
    shop.flaps(0, 1)
    shop.do(Resolve(by="li"), 1.5)
    shop.begins(2)
    assert (shop.status, shop.written()) == ("new", [("reopened", 2)])


def test_news_that_comes_when_it_has_long_stood_still_is_news(log: Log) -> None:
    shop = Shop(log)
    shop.flaps(0, 1, 2, 3)
    shop.do(Resolve(by="li"), 8)
    shop.begins(20)
    assert (shop.status, shop.written()) == ("new", [("reopened", 20)])


def test_each_change_is_kept_in_the_history(log: Log) -> None:
    shop = Shop(log)
    shop.flaps(0, 1, 2)
    shop.do(Resolve(by="li"), 2.5)
    shop.ends(3)
    shop.begins(4)
    held = [one for one in log.stream(TEA.id) if isinstance(one, IncidentNewsHeld)]
    assert [(hours(one.at), hours(one.until), one.holds) for one in held] == [(3, 6, False), (4, 7, True)]
    assert len(list(log.stream(TEA.stream))) == 5


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("policy", "heard"),
    [
        (POLICY, ["woken"]),
        (POLICY.replace("changes = 4", "changes = 3"), ["news_held", "news_held", "news_held", "woken"]),
        (
            f'{POLICY}[[version]]\nvalid_from = "2026-03-01T05:00:00Z"\n[version.incidents.flapping]\nchanges = 3',
            ["woken"],
        ),
    ],
)
def test_whenever_it_is_told_the_same_is_news(log: Log, policy: str, heard: list[str], *, late: bool) -> None:
    shop = Shop(log, policy)
    shop.flaps(0, 1)
    shop.do(Snooze(by="li", next_event=True), 1.5)
    shop.late = late
    shop.begins(2)
    shop.ends(3)
    shop.begins(4)
    shop.come(30)
    assert [name for name, _ in shop.written()] == heard


@pytest.mark.parametrize("late", [False, True])
def test_the_terms_when_it_came_back_say_whether_it_is_the_same_incident(log: Log, *, late: bool) -> None:
    shop = Shop(log, '[[version]]\nvalid_from = "2026-03-01T20:00:00Z"\n[version.incidents]\nreopen_within = "1h"')
    shop.flaps(0, 1)
    shop.do(Resolve(by="li"), 1.5)
    shop.late = late
    shop.begins(5)
    shop.come(30)
    assert [one.cause for one in log.stream(TEA.id) if isinstance(one, IncidentReopened)] == ["recurrence"]


@pytest.mark.parametrize("late", [False, True])
def test_it_goes_up_only_so_long_after_it_stood_still(log: Log, *, late: bool) -> None:
    later = '[[version]]\nvalid_from = "2026-03-01T20:00:00Z"\n[version.incidents.flapping]\nhold = "1h"\n'
    shop = Shop(log, POLICY + LEADS + later, late=late)
    shop.flaps(0, 0.5, 1, 1.5, 2)
    shop.come(30)
    shop.come(99)
    said = [one for one in log.stream(TEA.id) if isinstance(one, IncidentEscalated)]
    assert [hours(one.at) for one in said] == [2 + 3 + 1]
