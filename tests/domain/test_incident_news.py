"""News of a finding, and what it does to what staff made of it."""

import pytest

from domain.detection import Finding, FindingAmended, FindingEnded, FindingEvent, FindingOpened
from domain.incidents.commands import Assign, Dismiss, Resolve, Snooze, Terms
from domain.incidents.events import IncidentEvent
from domain.incidents.steps import News, react
from domain.instant import DAY
from tests.domain.handled import Case, merged
from tests.story import at

TERMS = Terms(reopen_within=7 * DAY)


def news(kind: type[FindingEvent] = FindingOpened, due: float = 1) -> FindingEvent:
    found = Finding(
        kind="late_shipment",
        subject="F",
        since=at(due),
        due_at=at(due),
        order_ids=("O",),
        rule="ship_by",
        policy="p",
        proof=("/s#1",),
        severity="low",
    )
    return kind(finding=found, known_up_to=at(due))


def hear(case: Case, one: FindingEvent, position: int | None = 200) -> list[str]:
    events: tuple[IncidentEvent, ...] = react(case.state, News(one, position), at(50), TERMS)
    return [getattr(event, "cause", "") for event in case.record(events)]


@pytest.mark.parametrize("kind", [FindingOpened, FindingAmended, FindingEnded])
def test_any_news_wakes_what_was_put_aside_until_the_next_event(kind: type[FindingEvent]) -> None:
    case = Case()
    case.do(Snooze(by="li", next_event=True))
    assert hear(case, news(kind)) == ["event"]
    assert (case.status, hear(case, news(kind))) == ("new", [])


def test_what_was_put_aside_until_a_time_sleeps_on() -> None:
    case = Case()
    case.do(Snooze(by="li", until=at(99)))
    assert hear(case, news()) == []


def test_what_staff_knew_when_they_decided_is_no_news() -> None:
    case = Case()
    case.do(Snooze(by="li", next_event=True), position=100)
    assert hear(case, news(), 100) == []
    assert hear(case, news(), 101) == ["event"]


@pytest.mark.parametrize(("due", "cause", "assignee"), [(24, "recurrence", "zhou"), (24 * 8, "anew", None)])
def test_the_same_trouble_soon_again_reopens_and_later_begins_anew(due: float, cause: str, assignee: str) -> None:
    case = Case()
    case.do(Assign(by="li", person="zhou"))
    case.do(Resolve(by="li"))
    assert hear(case, news(due=due)) == [cause]
    assert (case.status, case.state.assignee) == ("new", assignee)


@pytest.mark.parametrize("kind", [FindingAmended, FindingEnded])
def test_news_of_an_episode_that_is_known_opens_nothing(kind: type[FindingEvent]) -> None:
    case = Case()
    case.do(Resolve(by="li"))
    assert hear(case, news(kind)) == []


def test_another_episode_of_what_was_called_wrong_is_looked_at_again() -> None:
    case = Case()
    case.do(Dismiss(by="li", why="wrong"))
    assert hear(case, news(due=2)) == ["recurrence"]


def test_news_of_a_part_or_of_an_open_one_changes_nothing() -> None:
    assert hear(merged(), news()) == []
    assert hear(Case(), news()) == []
