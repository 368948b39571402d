"""Return or destroy: what is asked for until when, what counts as proof, and which refunds wait for it."""

import threading
from pathlib import Path
from typing import Any, Final

import pytest

from domain.dispositions.commands import CancelDisposition, ProveDisposition, RequestDisposition
from domain.dispositions.events import DispositionOverdue
from domain.errors import IllegalStep
from domain.history.log import Log
from domain.incidents.commands import Approve
from tests.domain.paid import F, Till, skipped
from tests.story import at, file_log, hours, labelled, line, packed, piece, placed, scanned

GOODS = "disposition-O-TEA"
OURS: Final[dict[str, Any]] = {"order_ids": ("O",)}
THEIRS: Final[dict[str, Any]] = {"order_ids": ("X",)}
NOBODYS: Final[dict[str, Any]] = {"order_ids": ()}


@pytest.fixture(name="till")
def a_till(log: Log) -> Till:
    made = Till(log)
    made.late("O", "F", "G")
    return made


def ask(till: Till, action: str = "return", *, until: float = 50, by: str = "li", **more: object) -> str:
    said = {"order_id": "O", "sku": "TEA", "why": "broken lid"} | more
    command = RequestDisposition(by=by, action=action, until=at(until), **said)  # type: ignore[arg-type]  # each test names its own
    return till.goods.request(F.id, command, at=at(till.now))[0]


def prove(till: Till, parcel: str | None = None, *evidence: str, **more: str) -> None:
    said = ProveDisposition(by="wang", parcel_id=parcel, evidence=evidence, **more)
    till.goods.prove(GOODS, said, at=at(till.now))


def code(act: Any) -> str:
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
def test_what_cannot_be_asked_for_is_refused(till: Till, wanted: str, more: dict[str, Any]) -> None:
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


def sent(name: str = "P", **named: Any) -> list[Any]:
    return [scanned(35, name, **named), scanned(40, name, "delivered", **named)]


BOXES: Final[dict[str, tuple[list[Any], str | None]]] = {
    "came back": ([scanned(40, "P", "returned", order_ids=("O",))], "returned"),
    "sent back": ([scanned(20, "P", **OURS), scanned(40, "P", "return_to_sender", **NOBODYS)], "return_to_sender"),
    "our box came back": (
        [packed(5, "P", piece("TEA")), labelled(6, "P", **OURS), scanned(40, "P", "returned", **OURS)],
        "returned",
    ),
    "sent back before, here since": (
        [scanned(20, "P", "return_to_sender", **OURS), scanned(40, "P", "returned", **OURS)],
        "returned",
    ),
    "came back before": ([scanned(20, "P", "returned", **OURS)], None),
    "packed since and came back": ([packed(31, "P", piece("TEA")), scanned(40, "P", "returned", **OURS)], None),
    "labelled since and came back": ([labelled(31, "P", **OURS), scanned(40, "P", "returned", **OURS)], None),
    "another order": ([scanned(40, "P", "returned", order_ids=("another",))], None),
    "nobody's": ([scanned(40, "P", "returned", **NOBODYS)], None),
    "sent by the customer": (sent(**NOBODYS)[::-1], "delivered"),
    "on its way": ([scanned(40, "P", "in_transit", **NOBODYS)], None),
    "delivered once more": ([scanned(20, "P", **NOBODYS), scanned(40, "P", "delivered", **NOBODYS)], None),
    "packed again": ([packed(31, "P", piece("TEA")), *sent(**NOBODYS)], None),
    "labelled again": ([labelled(33, "P", **OURS), *sent(**OURS)], None),
    "labelled for nobody": ([labelled(33, "P"), *sent(**NOBODYS)], None),
    "of a fulfilment": ([scanned(35, "P"), scanned(40, "P", "delivered", **NOBODYS)], None),
    "to the customer": (sent(**OURS), None),
    "to another customer": (sent(**THEIRS), None),
    "labelled for another customer": ([labelled(33, "P", **THEIRS), *sent(**THEIRS)], None),
}
"""What was told of a box, and which word of it is proof."""


@pytest.mark.parametrize(("facts", "seen"), BOXES.values(), ids=BOXES)
def test_a_parcel_is_proof_once_a_carrier_says_that_it_came_back(
    till: Till, facts: list[Any], seen: str | None
) -> None:
    ask(till)
    till.ingest.take(*facts, until=41)
    till.now = 42
    if seen is None:
        assert code(lambda: prove(till, "P")) == "parcel_not_returned"
    else:
        prove(till, "P")
        said = till.log.stream(GOODS)[-1]
        assert (said.parcel_id, said.seen) == ("P", seen)  # type: ignore[attr-defined]  # the last event is of this kind


def sent_by_the_customer(till: Till, name: str = "R") -> None:
    till.ingest.take(*sent(name, **NOBODYS), until=41)
    till.now = 42


def test_a_box_brings_back_several_goods_of_one_order_and_none_of_another(till: Till) -> None:
    till.late("P", "H")
    ask(till)
    ask(till, sku="CUP")
    ask(till, order_id="P", refund_on_proof=True)
    sent_by_the_customer(till)
    prove(till, "R", command_id="k")
    till.goods.prove("disposition-O-CUP", ProveDisposition(by="wang", parcel_id="R"), at=at(42))
    theirs = ProveDisposition(by="wang", parcel_id="R")
    assert code(lambda: till.goods.prove("disposition-P-TEA", theirs, at=at(42))) == "parcel_used"
    assert till.goods.read("disposition-P-TEA").status == "open"
    assert [one.sku for one in till.account("P").held] == ["TEA"]
    prove(till, "R", command_id="k")


def test_orders_whose_names_begin_alike_are_other_orders(till: Till) -> None:
    till.ingest.take(placed(0, line("1", "TEA"), of="O-1"), placed(0, line("1", "TEA"), of="O-2"), until=20)
    names = [ask(till, order_id=order) for order in ("O-1", "O-2")]
    sent_by_the_customer(till)
    till.goods.prove(names[0], ProveDisposition(by="wang", parcel_id="R"), at=at(42))
    again = ProveDisposition(by="wang", parcel_id="R")
    assert code(lambda: till.goods.prove(names[1], again, at=at(42))) == "parcel_used"


def test_goods_that_are_asked_for_again_are_not_proven_by_the_same_box(till: Till) -> None:
    ask(till)
    sent_by_the_customer(till)
    prove(till, "R")
    till.now = 34
    ask(till, until=60)
    assert code(lambda: prove(till, "R")) == "parcel_used"


def test_of_two_who_name_one_box_for_two_orders_at_once_one_has_proof(tmp_path: Path) -> None:
    with file_log(tmp_path / "log.db") as log:
        till = Till(log)
        till.late("O", "F")
        orders = [*"ABCDEF"]
        for order in orders:
            till.late(order, f"F-{order}")
            ask(till, order_id=order)
        sent_by_the_customer(till)
        ready, codes = threading.Barrier(len(orders)), []

        def claim(order: str) -> None:
            ready.wait()
            try:
                said = ProveDisposition(by=order, parcel_id="R")
                till.goods.prove(f"disposition-{order}-TEA", said, at=at(42))
            except IllegalStep as refused:
                codes.append(refused.code)

        threads = [threading.Thread(target=claim, args=(order,)) for order in orders]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert codes == ["parcel_used"] * (len(orders) - 1)
        assert sum(till.goods.read(f"disposition-{order}-TEA").status == "proven" for order in orders) == 1


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

    def overtaken(*what: Any) -> Any:
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
