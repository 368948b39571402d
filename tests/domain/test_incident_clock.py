"""Time and steps up: whatever people do, it does not matter how often somebody looks at the clock."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import IllegalStep
from domain.incidents.clock import due, pass_time
from domain.incidents.commands import Acknowledge, Command, Escalate, GiveBack, Resolve, Snooze, Wake
from domain.incidents.events import TRACKER, IncidentEvent
from domain.incidents.incident import status
from domain.incidents.urgency import IncidentEscalated, IncidentEscalationPlanned, PlannedStep
from domain.instant import FOREVER, HOUR
from tests.domain.handled import Case
from tests.story import at

people = st.sampled_from(("li", "wang"))
spans = st.integers(1, 8)
steps = st.builds(
    PlannedStep,
    at=st.integers(0, 20).map(at),
    to=st.sampled_from(("lead", "boss", "crisis")),
    level=st.integers(1, 3),
    unless=st.sampled_from(("acknowledged", "resolved")),
)
plans = st.lists(steps, max_size=4).map(tuple)
Done = tuple[int, Command | tuple[PlannedStep, ...]]


@st.composite
def deeds(draw: st.DrawFn) -> list[Done]:
    """Draw what is done at which hour: what people want, and plans that the tracker makes."""
    done: list[Done] = [(0, draw(plans))]
    now = 0
    for _ in range(draw(st.integers(0, 6))):
        now += draw(spans)
        until = at(now + draw(spans))
        wanted: st.SearchStrategy[Command | tuple[PlannedStep, ...]] = st.one_of(
            plans,
            st.builds(Acknowledge, by=people, until=st.just(until)),
            st.builds(Snooze, by=people, until=st.just(until)),
            st.builds(GiveBack, by=people),
            st.builds(Wake, by=people),
            st.builds(Escalate, by=people, to=st.sampled_from(("lead", "boss"))),
            st.builds(Resolve, by=people),
        )
        done.append((now, draw(wanted)))
    return done


def carried_out(done: list[Done], *, every: float) -> list[IncidentEvent]:
    """Do it all, while the ticker looks every so many hours as well as right before each deed."""
    case, now = Case(), 0.0
    for when, deed in done:
        while now < when:
            now = min(now + every, when)
            case.come(now)
        if isinstance(deed, tuple):
            case.record((IncidentEscalationPlanned(at=at(when), by=TRACKER, subject="order-O", steps=deed),))
            continue
        with suppress(IllegalStep):
            case.do(deed, when)
    case.record(pass_time(case.state, FOREVER))
    assert due(case.state) is None
    return case.events


@settings(deadline=None)
@given(deeds())
def test_it_does_not_matter_how_often_the_ticker_looks(done: list[Done]) -> None:
    assert carried_out(done, every=0.5) == carried_out(done, every=99)


@settings(deadline=None)
@given(deeds())
def test_a_step_is_taken_once_in_its_time_and_never_while_it_is_put_aside(done: list[Done]) -> None:
    case = Case()
    levels: list[int] = []
    for event in carried_out(done, every=1):
        if isinstance(event, IncidentEscalationPlanned) and not event.steps:
            levels = []
        if isinstance(event, IncidentEscalated) and event.step:
            assert case.state.plan is not None
            meant = [one for one in case.state.plan.steps if (one.to, one.level) == (event.to, event.step)]
            assert min(one.at for one in meant) <= event.at
            assert status(case.state) in {"new", "acknowledged"}
            assert case.state.acknowledged is None or any(one.unless == "resolved" for one in meant)
            assert event.step > max(levels, default=0)
        if isinstance(event, IncidentEscalated):
            levels.append(event.step or event.level)
        case.record((event,))


def test_steps_that_are_due_at_the_same_time_are_taken_from_the_bottom() -> None:
    both = tuple(PlannedStep(at=at(1), to=to, level=level, unless="resolved") for to, level in (("b", 2), ("a", 1)))
    case = Case()
    case.record((IncidentEscalationPlanned(at=at(0), by=TRACKER, subject="order-O", steps=both),))
    told = [(one.to, one.at - at(0)) for one in case.come(9) if isinstance(one, IncidentEscalated)]
    assert told == [("a", HOUR), ("b", HOUR)]
