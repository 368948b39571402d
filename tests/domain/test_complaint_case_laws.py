"""Laws of cases: every part sees the same one, and none has waited while its case was answered."""

from itertools import pairwise
from typing import Final

from hypothesis import given as forall
from hypothesis import strategies as st

from domain.complaints.case import TROUBLES, case
from domain.complaints.complaint import ComplaintOpened, Sibling
from domain.events import Stamp
from domain.instant import Instant
from domain.policies.policy import load
from tests.domain.complaints import given, told
from tests.story import at

POLICY: Final = load('[complaint_overdue]\nmerge_within = "3h"')
CATEGORIES: Final = ("late", "not_received", "wrong_item", "missing_item", "damaged", "other")
when = st.integers(0, 16).map(at)


@forall(siblings=st.lists(st.tuples(when, st.none() | st.sampled_from(CATEGORIES)), min_size=1, max_size=7))
def test_every_part_of_a_case_sees_the_same_case(siblings) -> None:
    within = POLICY.complaint_overdue.merge_within
    openings = [
        ComplaintOpened(
            at=at_, source="/a", id=f"of-{n}", complaint_id=f"{n}", channel="app", order_id="O", category=category
        )
        for n, (at_, category) in enumerate(siblings)
    ]
    all_ = told(*(Sibling(one.complaint_id, one.category, one.stamp) for one in openings))
    cases = {one.complaint_id: case(given(one, all_, identity=one.complaint_id), one, within) for one in openings}
    leads: dict[str, list[Instant]] = {}
    for name, one in cases.items():
        assert name in {part.complaint_id for part in one.parts}
        assert all(cases[part.complaint_id] == one for part in one.parts)
        assert all(one.lead.opened <= part.opened for part in one.parts)
        assert one.parts[-1].opened.at - one.lead.opened.at <= within
        assert len({TROUBLES.get(part.category or "", part.complaint_id) for part in one.parts}) == 1
        if one.lead.complaint_id == name and (trouble := TROUBLES.get(one.lead.category or "")):
            leads.setdefault(trouble, []).append(one.lead.opened.at)
    for opened_at in leads.values():
        assert all(later - earlier > within for earlier, later in pairwise(sorted(opened_at)))


@forall(parts=st.lists(st.tuples(st.integers(0, 3), st.none() | st.integers(0, 4)), min_size=2, max_size=6))
def test_a_duplicate_waits_since_its_case_began_or_went_on_unanswered(parts) -> None:
    siblings = [
        Sibling(
            f"{n}", "late", Stamp(at(hour), "/a", f"{n}"), None if answer is None else Stamp(at(answer), "/b", "by")
        )
        for n, (hour, answer) in enumerate(parts)
    ]
    opening = ComplaintOpened(
        at=at(3), source="/c", id="C", complaint_id="C", channel="app", order_id="O", category="late"
    )
    whole = case(given(opening, told(*siblings)), opening, POLICY.complaint_overdue.merge_within)
    since, answers = whole.unanswered_since("C"), [one.answered for one in whole.parts[:-1]]
    assert since in {one.opened for one in whole.parts}
    assert (since == opening.stamp) == all(by is not None and by.at <= opening.at for by in answers)
    if answers[0] is None:
        assert since == whole.lead.opened
