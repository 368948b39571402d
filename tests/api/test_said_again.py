"""Every command, sent with nothing in it, again as it was, and again with other words: nothing is lost unsaid."""

from typing import Any, NamedTuple

import pytest

from domain.incidents.steps import COMMANDS
from domain.instant import iso
from tests.api.test_desk import F, G, Staffed
from tests.story import at

EMPTY_IS_ENOUGH = {"acknowledge", "give-back", "wake", "resolve", "reopen", "split"}
"""Commands that say everything by their name."""


class Twice(NamedTuple):
    """A command after some others, and what it might say otherwise the second time."""

    step: str
    body: dict[str, Any]
    otherwise: dict[str, Any]
    code: str
    before: tuple[tuple[str, dict[str, Any]], ...] = ()


PAID = {"member": "O1", "amount": "5.00", "currency": "CNY", "form": "refund"}
AGREED = ("contact", {"channel": "phone", "outcome": "agreed", "agreement": "a coupon", "contact_id": "c"})
CASES = [
    Twice("acknowledge", {"why": "mine"}, {"why": "all mine"}, "already_so"),
    Twice("assign", {"person": "zhou", "why": "knows W"}, {"why": "is free"}, "already_so"),
    Twice("snooze", {"until": iso(at(50)), "why": "call at 50"}, {"why": "asked to"}, "already_so"),
    Twice("liability", {"party": "carrier", "why": "wet box"}, {"why": "late"}, "already_so"),
    Twice("escalate", {"to": "lead", "why": "vip"}, {"why": "twice"}, "already_so"),
    Twice("resolve", {"outcome": "reshipped"}, {"outcome": "done"}, "already_resolved"),
    Twice("resolve", {"why": "said so"}, {"why": "otherwise"}, "already_resolved"),
    Twice("dismiss", {"why": "test order"}, {"why": "no order"}, "already_dismissed"),
    Twice("merge", {"into": G, "why": "one truck"}, {"why": "one day"}, "already_so"),
    Twice("give-back", {}, {"why": "lunch"}, "not_acknowledged", (("acknowledge", {}),)),
    Twice("wake", {}, {"why": "now"}, "not_snoozed", (("snooze", {"next_event": True}),)),
    Twice("reopen", {}, {"why": "again"}, "not_closed", (("resolve", {}),)),
    Twice("split", {}, {"why": "apart"}, "not_merged", (("merge", {"into": G}),)),
    Twice("compensate", PAID, {"amount": "6.00"}, "already_paid"),
    Twice("compensate", PAID, {"evidence": ["photo"]}, "already_paid"),
    Twice("confirm", {"contact_id": "c", "channel": "email"}, {"evidence": "mail 7"}, "already_confirmed", (AGREED,)),
]


@pytest.fixture
def desk(told):
    made = Staffed(told)
    made.late("1", "2")
    made.now = at(40)
    return made


def words(desk) -> list[Any]:
    """List what was written of an incident by people."""
    desk.told.follow()
    return [(one["step"], one["why"], one["detail"]) for one in desk.read(f"/v1/incidents/{F}/history")["history"]]


@pytest.mark.parametrize("case", CASES, ids=lambda one: f"{one.step} {'+'.join(one.otherwise)}")
def test_what_is_done_already_is_not_done_again_and_what_it_says_otherwise_is_refused_by_name(desk, case):
    for step, body in case.before:
        desk.do(step, body)
    desk.do(case.step, case.body, key="once")
    written = words(desk)
    assert desk.do(case.step, case.body, key="once"), "the same command under its key has one effect"
    assert desk.refused(case.step, {**case.body, **case.otherwise}) == case.code
    assert words(desk) == written


@pytest.mark.parametrize("case", [one for one in CASES if one.body and not one.before], ids=lambda one: one.step)
def test_the_same_words_without_a_key_are_no_second_step(desk, case):
    desk.do(case.step, case.body)
    written = words(desk)
    desk.do(case.step, case.body)
    assert words(desk) == written


def test_every_command_is_looked_at_with_nothing_in_it(desk):
    routes = desk.read("/openapi.json")["paths"]
    prefix = "/v1/incidents/{incident_id}/"
    ours = {path for path, of in routes.items() if of.get("post", {}).get("tags") == ["desk"]}
    steps = {path.removeprefix(prefix) for path in ours if path.startswith(prefix)}
    assert len(steps) == len(COMMANDS)
    taken = {step for step in steps if desk.post(step).status_code != 422}
    assert taken == EMPTY_IS_ENOUGH


def test_nobody_is_taken_off_an_incident_unless_that_is_said(desk):
    desk.do("assign", {"person": "zhou", "team": "night"})
    assert desk.post("assign", {"why": "x"}).status_code == 422
    assert desk.do("assign", {"person": None})["person"] is None
