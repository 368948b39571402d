"""Two people who decide at the same time: one is answered that it is done, the other that somebody was quicker."""

import threading

import pytest

from api.tokens import Token
from domain.detection import Finding, FindingOpened
from domain.history.log import Beside, Recorded
from domain.instant import iso
from domain.judging.adoption import adopt
from tests.api.test_desk import F, G, Staffed
from tests.story import at

H = "incident-late_shipment-F3"
PRICE = "incident-price_difference-TEA%3Acut"
MONEY = {"member": "O1", "amount": "36.50", "currency": "CNY", "form": "coupon"}
DEAR = {**MONEY, "amount": "200", "form": "refund"}
PHONE = {"channel": "phone", "outcome": "agreed", "agreement": "wait", "contact_id": "c"}
BOTH = ({}, {})

QUICKER = {
    "acknowledge": ([], BOTH, "acknowledged_by_other"),
    "give-back": ([("acknowledge", {})], BOTH, "not_acknowledged"),
    "wake": ([("snooze", {"next_event": True})], BOTH, "not_snoozed"),
    "confirm": ([("contact", PHONE)], ({"contact_id": "c", "channel": "email"},) * 2, "already_confirmed"),
    "compensate": ([], (MONEY, {**MONEY, "amount": "40"}), "already_paid"),
    "compensate/approve": ([("compensate", DEAR)], ({"member": "O1"},) * 2, "already_paid"),
    "compensate/withdraw": ([("compensate", DEAR)], ({"member": "O1"},) * 2, "nothing_proposed"),
    "resolve": ([], ({"outcome": "sent"}, {"outcome": "paid"}), "already_resolved"),
    "dismiss": ([], ({"why": "one"}, {"why": "other"}), "already_dismissed"),
    "reopen": ([("resolve", {})], BOTH, "not_closed"),
    "merge": ([], ({"into": G}, {"into": H}), "merged"),
    "split": ([("merge", {"into": G})], BOTH, "not_merged"),
}
"""What was done before, what the two say, and why the second is refused."""
LAST_WORD = {
    "assign": ({"person": "zhou"}, {"person": "qian"}),
    "snooze": ({"until": iso(at(50))}, {"until": iso(at(60))}),
    "liability": ({"party": "carrier"}, {"party": "warehouse"}),
    "escalate": ({"to": "lead"}, {"to": "boss"}),
    "answer": ({"mistake": True, "why": "a typo"}, {"mistake": False, "why": "it is meant"}),
}
"""Steps of which the last word counts, and what the two say."""


@pytest.fixture(name="desk")
def a_desk(told):
    made = Staffed(told)
    made.late("1", "2", "3")
    adopt(told.log, '[compensation]\nsecond_approval_above = "100"', at(40))
    found = Finding(
        kind="price_difference",
        subject="TEA:cut",
        since=at(28),
        due_at=at(28),
        order_ids=("O1",),
        rule="cut",
        policy="p",
        proof=(),
        severity="medium",
        detail={"severity": {}, "cleared_by": "staff"},
    )
    told.log.append([Recorded("price_cut-TEA%3Acut", 1, FindingOpened(finding=found, known_up_to=at(28)))], Beside())
    told.follow()
    made.now = at(41)
    return made


def together(desk, monkeypatch, step, bodies, incident=F):
    """Let li and wang send a command each, both decided before either is written; gives the two answers, sorted."""
    append, both_decided = desk.told.log.append, threading.Barrier(2, timeout=20)
    answers, first_try = [], threading.local()

    def appending(recorded, beside):
        if not getattr(first_try, "over", False):
            first_try.over = True
            both_decided.wait()
        return append(recorded, beside)

    with monkeypatch.context() as patch:
        patch.setattr(desk.told.log, "append", appending)
        threads = [
            threading.Thread(
                target=lambda one=one: answers.append(desk.post(step, one[1], who=one[0], incident=incident))
            )
            for one in zip(("li", "wang"), bodies, strict=True)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    return sorted(answers, key=lambda one: one.status_code)


@pytest.mark.parametrize("step", QUICKER)
def test_of_two_who_decide_at_the_same_time_one_is_told_that_the_other_was_quicker(desk, monkeypatch, step):
    before, bodies, code = QUICKER[step]
    for name, body in before:
        desk.do(name, body, who="zhou")
    done, refused = together(desk, monkeypatch, step, bodies)
    assert (done.status_code, refused.status_code, refused.json()["code"]) == (200, 409, code), refused.text


def test_notes_of_two_stand_beside_each_other(desk, monkeypatch):
    answers = together(desk, monkeypatch, "note", ({"text": "one"}, {"text": "other"}))
    assert [one.status_code for one in answers] == [200, 200]
    assert sorted(event.text for event in desk.told.log.stream(F)) == ["one", "other"]


def test_contacts_of_two_stand_beside_each_other(desk, monkeypatch):
    said = {"channel": "phone", "outcome": "busy"}
    answers = together(desk, monkeypatch, "contact", (said, said))
    assert [one.status_code for one in answers] == [200, 200]
    assert len(desk.told.log.stream(F)) == 2


def in_path(identity):
    """Quote an identity; the client undoes one layer of its own, as no other does."""
    return identity.replace("%", "%2525")


def about(step):
    return PRICE if step == "answer" else F


def read_at(desk, incident):
    desk.told.follow()
    return desk.read(f"/v1/incidents/{in_path(incident)}")["workflow"]["position"]


def pair(step, **more):
    return tuple({**one, **more} for one in LAST_WORD[step])


def said_of(step, answer):
    names = {"assign": "person", "snooze": "snoozed_until", "liability": "liable", "escalate": "escalated_to"}
    return answer["price_answer"]["mistake"] if step == "answer" else answer[names[step]]


@pytest.mark.parametrize("step", LAST_WORD)
def test_where_the_last_word_counts_it_overrules_nothing_that_was_not_read(desk, monkeypatch, step):
    incident = in_path(about(step))
    bodies = pair(step, read_at=read_at(desk, about(step)))
    done, refused = together(desk, monkeypatch, step, bodies, incident)
    assert (done.status_code, refused.status_code, refused.json()["code"]) == (200, 409, "decided_meanwhile")
    [quicker] = [event.by for event in desk.told.log.stream(about(step))]
    assert quicker in refused.json()["detail"]
    who, again = ("wang", bodies[1]) if quicker == "li" else ("li", bodies[0])
    assert desk.refused(step, again, who=who, incident=incident) == "decided_meanwhile"
    read = {"read_at": read_at(desk, about(step))}
    overruled = desk.do(step, {**again, **read}, who=who, incident=incident)
    assert said_of(step, overruled) != said_of(step, done.json())


@pytest.mark.parametrize("step", LAST_WORD)
def test_whoever_does_not_say_what_was_read_takes_the_place_of_the_other(desk, monkeypatch, step):
    answers = together(desk, monkeypatch, step, pair(step), in_path(about(step)))
    assert [one.status_code for one in answers] == [200, 200]
    assert sorted(event.by for event in desk.told.log.stream(about(step))) == ["li", "wang"]


def test_what_oneself_said_or_what_is_the_same_or_else_is_overruled_by_whoever_has_not_read_it(desk):
    read = {"read_at": read_at(desk, F)}
    desk.do("assign", {"person": "zhou"})
    desk.do("liability", {"party": "carrier"}, who="wang")
    assert desk.do("assign", {"person": "qian", **read})["person"] == "qian"
    assert desk.do("assign", {"person": "qian", **read}, who="wang")["person"] == "qian"
    assert desk.refused("assign", {"person": "zhou", **read}, who="wang") == "decided_meanwhile"


def test_a_command_that_was_carried_out_is_not_refused_when_it_is_sent_again(desk):
    said = {"person": "zhou", "read_at": read_at(desk, F)}
    desk.do("assign", said, key="k")
    desk.do("assign", {"person": "qian"}, who="wang")
    assert desk.do("assign", said, key="k")["person"] == "qian"


def test_what_was_read_of_another_log_is_no_position(desk):
    read = Token.read(read_at(desk, F))._replace(epoch="abc")
    answer = desk.post("assign", {"person": "zhou", "read_at": str(read)})
    assert answer.status_code == 410, answer.text
