"""Laws of versions: at every instant what the one in force calls wrong is said by just one finding."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.detection import FINDING_EVENTS, Finding, note
from domain.detectors import DETECTORS
from domain.events import Fact
from domain.instant import FOREVER, Instant
from domain.judging.adoption import Adopted
from domain.judging.judgement import Judgement
from domain.policies.policy import Policy, load
from tests.domain.complaints import given as heard
from tests.domain.drawn import LAST, worlds
from tests.domain.termed import HEARD, judged
from tests.draws import draws
from tests.story import Given, at, complained

SLOW = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=draws(150)
)


_TABLES: dict[str, st.SearchStrategy[Any]] = {
    "late_shipment": st.fixed_dictionaries(
        {
            "promise": st.sampled_from(("agreed", "original", "latest")),
            "approval": st.sampled_from(("implied", "required")),
        },
        optional={"within": st.sampled_from(("4h", "9h"))},
    ),
    "late_delivery": st.fixed_dictionaries(
        {
            "promise": st.sampled_from(("agreed", "original", "latest")),
            "date_promises": st.sampled_from(("instant", "end_of_day")),
        }
    ),
    "delivery_failed": st.fixed_dictionaries({"pickup_wait": st.sampled_from(("2h", "5h", "9h"))}),
    **{
        kind: st.fixed_dictionaries({"after": st.sampled_from(("2h", "5h", "9h", "14h"))})
        for kind in ("unconfirmed_handover", "stalled_parcel", "presumed_lost")
    },
    "mis_shipment": st.fixed_dictionaries({"missing_after": st.sampled_from(("2h", "9h"))}),
    "complaint_overdue": st.fixed_dictionaries({"first_response": st.sampled_from(("2h", "9h"))}),
}


def _text(tables: dict[str, dict[str, str]]) -> str:
    return "\n".join(
        line for name, table in tables.items() for line in (f"[{name}]", *(f'{k} = "{v}"' for k, v in table.items()))
    )


policies = st.fixed_dictionaries({}, optional=_TABLES).map(_text).map(load)
dates = st.integers(-1, 20).map(lambda n: at(n) + n % 3 - 1)
terms_of = st.builds(
    lambda first, later: [
        Adopted(-FOREVER, first),
        *(Adopted(since, policy) for since, policy in sorted(later.items())),
    ],
    policies,
    st.dictionaries(dates, policies, min_size=1, max_size=3),
)


def subjects(world: list[Fact]) -> list[tuple[str, Any]]:
    """Give every order and parcel of a world, and a complaint."""
    known = Given(*world)
    found = [(name, known.work.state(name)) for name in known.work.used if name.partition("-")[0] in DETECTORS]
    return [*found, ("complaint-C", heard(complained(3)))]


def lasting(one: Finding) -> tuple[Instant, Instant]:
    """Give from when to when a finding holds."""
    return one.due_at, FOREVER if one.ended_at is None else one.ended_at


@SLOW
@given(worlds, terms_of)
def test_of_several_versions_no_two_find_the_same_trouble_and_none_is_missed(
    world: list[Fact], terms: list[Adopted]
) -> None:
    ends = [*(one.since for one in terms[1:]), FOREVER]
    for name, state in subjects(world):
        found = judged(terms, name, state)
        assert len({one.key for one in found}) == len(found)
        for term, end in zip(terms, ends, strict=True):
            for alone in judged([Adopted(-FOREVER, term.policy)], name, state):
                first, last = lasting(alone)
                moment = max(first, term.since)
                there = [one for one in found if _same(one, alone) and lasting(one)[0] <= moment < lasting(one)[1]]
                # Wrong by the version in force: one finding, and no more, says so.
                assert moment >= min(last, end) or moment >= LAST or len(there) == 1


def _same(one: Finding, other: Finding) -> bool:
    return (one.kind, one.subject, one.clock) == (other.kind, other.subject, other.clock)


@SLOW
@given(worlds, terms_of)
def test_each_finding_is_due_in_the_term_of_its_policy_which_finds_it_wrong_then(
    world: list[Fact], terms: list[Adopted]
) -> None:
    ends = [*(one.since for one in terms[1:]), FOREVER]
    for name, state in subjects(world):
        for one in judged(terms, name, state):
            mine = [
                term.policy
                for term, end in zip(terms, ends, strict=True)
                if term.policy.hash == one.policy and term.since <= one.due_at < end
            ]
            assert mine
            alone = judged([Adopted(-FOREVER, mine[0])], name, state)
            [same] = [other for other in alone if _same(one, other) and _within(one, other)]
            assert (same.ended_at, same.proof, same.rule) == (one.ended_at, one.proof, one.rule)
            assert (one.since == one.due_at) == (same.since == same.due_at)
            assert ("rule_due_at" in one.detail) == (one.due_at != same.due_at)


def _within(one: Finding, other: Finding) -> bool:
    return lasting(other)[0] <= one.due_at < lasting(other)[1]


@SLOW
@given(worlds, terms_of, st.lists(dates, max_size=4))
def test_while_time_passes_findings_come_when_they_were_asked_for_and_none_is_taken_back(
    world: list[Fact], terms: list[Adopted], times: list[Instant]
) -> None:
    for name, state in subjects(world):
        again: Instant | None = -FOREVER
        for until in (*sorted(times), LAST):
            verdict = Judgement(terms).of(name, state, until, HEARD)
            # What is wrong with one parcel at overlapping times is one finding, which may grow.
            assert "finding.retracted.v1" not in {event.TOPIC for event in verdict.events}
            assert not verdict.events or (again is not None and again < until)
            for event in (one for one in verdict.events if isinstance(one, FINDING_EVENTS)):
                note(state.findings, event)
            again = verdict.again
        assert Judgement(terms).of(name, state, LAST, HEARD).events == ()


@SLOW
@given(worlds, policies, st.lists(dates, unique=True, max_size=3))
def test_versions_that_say_the_same_find_what_one_finds(
    world: list[Fact], policy: Policy, since: list[Instant]
) -> None:
    several = [Adopted(-FOREVER, policy), *(Adopted(one, policy) for one in sorted(since))]
    for name, state in subjects(world):
        assert judged(several, name, state) == judged(several[:1], name, state)
