"""Return or destroy: what is asked for until when, what counts as proof, and which refunds wait for it."""

import pytest

from domain.disposition_commands import CancelDisposition, ProveDisposition, RequestDisposition
from domain.disposition_events import DispositionOverdue
from domain.errors import IllegalStep
from domain.incident_commands import Approve
from domain.log import Log
from tests.domain.paid import F, Till, skipped
from tests.story import at, hours, packed, piece, scanned

GOODS = "disposition-O-TEA"


@pytest.fixture(name="till")
def a_till(log: Log) -> Till:
    made = Till(log)
    made.late("O", "F", "G")
    return made


def ask(till: Till, action: str = "return", *, until: float = 50, by: str = "li", **more: object) -> str:
    said = {"order_id": "O", "sku": "TEA", "why": "broken lid"} | more
    command = RequestDisposition(by=by, action=action, until=at(until), **said)  # type: ignore[arg-type]
    return till.goods.request(F.id, command, at=at(till.now))[0]


def prove(till: Till, parcel: str | None = None, *evidence: str, **more: str) -> None:
    said = ProveDisposition(by="wang", parcel_id=parcel, evidence=evidence, **more)
    till.goods.prove(GOODS, said, at=at(till.now))


def code(act) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(IllegalStep) as refused:
        act()
    assert refused.value.reason
    return refused.value.code


def status(till: Till) -> str:
    return till.goods.read(GOODS).status


def test_goods_are_asked_for_until_a_time_and_are_open_until_there_is_proof(till: Till) -> None:
    assert (ask(till), status(till)) == (GOODS, "open")
    assert till.log.store.armed([GOODS])[GOODS].due == at(50)
    prove(till, None, "https://desk.example/photo")
    assert (status(till), till.log.store.armed([GOODS])) == ("proven", {})
    assert code(lambda: prove(till, None, "x")) == "already_proven"


def test_what_is_not_proven_in_time_is_overdue_once_at_its_time_and_can_still_be_proven(till: Till) -> None:
    ask(till)
    till.ingest.tick(50)
    assert status(till) == "open"
    till.ingest.tick(99)
    till.ingest.tick(100)
    [said] = [one for one in till.log.stream(GOODS) if isinstance(one, DispositionOverdue)]
    assert (hours(said.at), said.by, status(till)) == (50, "clock", "overdue")
    prove(till, None, "x")
    assert status(till) == "proven"


def test_a_clock_that_stood_still_over_the_deadline_catches_up_once(till: Till) -> None:
    ask(till)
    for _ in range(2):
        Till(till.log).ingest.tick(500)
    assert [one.TOPIC for one in till.log.stream(GOODS)] == ["disposition.requested.v1", "disposition.overdue.v1"]


def test_goods_are_asked_for_once_at_a_time(till: Till) -> None:
    ask(till)
    assert code(lambda: ask(till, "destroy")) == "already_requested"
    till.goods.cancel(GOODS, CancelDisposition(by="li", why="a gift now"), at=at(31))
    assert status(till) == "cancelled"
    ask(till, "destroy")
    assert status(till) == "open"


@pytest.mark.parametrize(("wanted", "more"), [("in_the_past", {"until": 29}), ("unknown_order", {"order_id": "X"})])
def test_what_cannot_be_asked_for_is_refused(till: Till, wanted: str, more: dict) -> None:  # type: ignore[type-arg]
    assert code(lambda: ask(till, **more)) == wanted


def test_nothing_is_proven_or_called_off_that_nobody_asked_for(till: Till) -> None:
    assert code(lambda: prove(till, None, "x")) == "nothing_requested"
    assert code(lambda: till.goods.read("order-O")) == "nothing_requested"
    ask(till)
    assert code(lambda: till.goods.cancel(GOODS, CancelDisposition(by="li"), at=at(31))) == "reason_missing"


def test_a_command_has_one_effect(till: Till) -> None:
    ask(till, command_id="k")
    prove(till, None, "x")
    assert ask(till, command_id="k") == GOODS
    assert status(till) == "proven"
    assert code(lambda: ask(till, "destroy", command_id="k")) == "command_id_reused"


# Proof


def test_destruction_needs_evidence(till: Till) -> None:
    till.ingest.take(scanned(40, "P", "returned", order_ids=("O",)), until=41)
    ask(till, "destroy")
    assert code(lambda: prove(till, "P")) == "evidence_missing"
    prove(till, None, "https://desk.example/video")


def test_a_return_needs_a_parcel_or_evidence(till: Till) -> None:
    ask(till)
    assert code(lambda: prove(till)) == "evidence_missing"
    assert code(lambda: prove(till, "P")) == "parcel_not_returned"


@pytest.mark.parametrize(
    ("facts", "seen"),
    [
        ([scanned(40, "P", "returned", order_ids=("O",))], "returned"),
        ([scanned(20, "P", "return_to_sender", order_ids=("O",))], "return_to_sender"),
        ([scanned(40, "P", "returned", order_ids=("another",))], None),
        ([scanned(40, "P", "delivered", order_ids=("O",)), scanned(35, "P")], "delivered"),
        ([scanned(40, "P", "in_transit", order_ids=("O",))], None),
        ([scanned(20, "P"), scanned(40, "P", "delivered", order_ids=("O",))], None),
        ([packed(31, "P", piece("TEA", of="O")), scanned(35, "P"), scanned(40, "P", "delivered")], None),
    ],
    ids=["came back", "sent back", "another order", "sent by the customer", "on its way", "ours before", "ours again"],
)
def test_a_parcel_is_proof_once_a_carrier_says_that_it_came_back(till: Till, facts: list, seen: str | None) -> None:  # type: ignore[type-arg]
    ask(till)
    till.ingest.take(*facts, until=41)
    till.now = 42
    if seen is None:
        assert code(lambda: prove(till, "P")) == "parcel_not_returned"
    else:
        prove(till, "P")
        said = till.log.stream(GOODS)[-1]
        assert (said.parcel_id, said.seen) == ("P", seen)  # type: ignore[attr-defined]


# Refunds that wait


def test_a_refund_waits_for_proof_where_that_was_asked_and_other_forms_do_not(till: Till) -> None:
    ask(till, refund_on_proof=True)
    assert till.refuses(F, form="refund").code == "awaits_proof"
    till.pay(F, form="coupon", member="O:1")
    assert skipped(till.release(till.draft(F, amount="5", form="refund"))) == {"O": "awaits_proof"}
    prove(till, None, "x")
    till.pay(F, form="refund")
    assert till.total() == 20


def test_a_refund_waits_for_all_goods_and_for_none_that_was_called_off(till: Till) -> None:
    ask(till, refund_on_proof=True)
    till.goods.request(
        F.id,
        RequestDisposition(by="li", order_id="O", sku="CUP", action="destroy", until=at(50), refund_on_proof=True),
        at=at(30),
    )
    prove(till, None, "x")
    assert till.refuses(F, form="refund").code == "awaits_proof"
    till.goods.cancel("disposition-O-CUP", CancelDisposition(by="li", why="a cup"), at=at(31))
    till.pay(F, form="refund")


def test_a_proposed_refund_waits_too(till: Till) -> None:
    till.pay(F, "60", form="refund")
    ask(till, refund_on_proof=True)
    assert code(lambda: till.do(F, Approve(by="wang", member="O"))) == "awaits_proof"


def test_without_that_condition_a_refund_waits_for_nothing(till: Till) -> None:
    ask(till)
    till.pay(F, form="refund")


def test_a_refund_that_is_overtaken_by_such_a_request_is_decided_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = till.log.append

    def overtaken(*what):  # type: ignore[no-untyped-def]
        monkeypatch.setattr(till.log, "append", append)
        ask(till, refund_on_proof=True)
        return append(*what)

    monkeypatch.setattr(till.log, "append", overtaken)
    assert code(lambda: till.pay(F, form="refund")) == "awaits_proof"
    assert till.total() == 0


def test_a_clock_that_is_overtaken_by_proof_says_nothing(till: Till) -> None:
    ask(till)
    ticker = Till(till.log).ingest
    ticker.tick(40)
    prove(till, None, "x")
    ticker.tick(99)
    assert [one.TOPIC for one in till.log.stream(GOODS)] == ["disposition.requested.v1", "disposition.proven.v1"]
