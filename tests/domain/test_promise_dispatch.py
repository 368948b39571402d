"""Where nobody promised a date, policy may: so long after request, approval and start, or the end of working days."""

import pytest

from consumers import backtest
from consumers.translate import Translator
from domain.detectors import late_shipment
from domain.events import Fact
from domain.history.log import Log
from domain.instant import Instant, iso
from domain.judging.adoption import adopt
from domain.judging.report import final
from domain.orders.fulfillment import fulfillments
from domain.orders.promise import promises
from domain.policies.policy import DEFAULT, Policy, load
from domain.tracker import Tracker
from tests.members import ROOT
from tests.story import (
    LATER,
    Given,
    approved,
    at,
    cancelled,
    heartbeat,
    held,
    hours,
    labelled,
    late,
    memory_log,
    moved,
    placed,
    released,
    requested,
    scanned,
    written,
)

WITHIN = load('[late_shipment]\nwithin = "48h"')
REQUIRED = load('[late_shipment]\nwithin = "48h"\napproval = "required"')
ORDER = (placed(0), requested(2))
PACKS = ROOT / "docs" / "example" / "policies"


def deadlines(*facts: Fact, policy: Policy = WITHIN) -> list[float | None]:
    """List the deadlines of the first fulfilment of order O."""
    order = Given(*facts).order()
    assert order.placed is not None
    return [hours(one.deadline) for one in promises(order, fulfillments(order, order.placed)[0], policy)]


def proof(*facts: Fact) -> set[str]:
    """Say what the only finding about these facts rests on."""
    [one] = late_shipment.findings(Given(*facts).order(), at(999), WITHIN)
    return set(one.proof)


def test_by_default_what_nobody_dated_is_never_late() -> None:
    assert deadlines(*ORDER, approved(3), policy=DEFAULT) == []
    assert late(*ORDER, now=9999) == []


@pytest.mark.parametrize(
    ("facts", "due"),
    [
        (ORDER, 50),
        ((*ORDER, approved(1)), 50),
        ((*ORDER, approved(7)), 55),
        ((*ORDER, approved(7), approved(9)), 55),
        ((placed(0), requested(2, starts_at=30)), 78),
        ((placed(0), requested(2, starts_at=30), approved(40)), 88),
    ],
)
def test_the_clock_starts_with_the_last_of_request_approval_and_start(facts: tuple[Fact, ...], due: float) -> None:
    assert late(*facts, now=due, policy=WITHIN) == []
    assert late(*facts, policy=WITHIN) == [("F", due, None)]
    assert late(*facts, scanned(due), policy=WITHIN) == []
    assert late(*facts, scanned(due + 1), policy=WITHIN) == [("F", due, due + 1)]


def test_a_date_that_was_promised_stands() -> None:
    assert deadlines(placed(0), requested(2, ship_by=10)) == [10]
    assert deadlines(placed(0, ship_by=90), requested(2)) == [90]
    assert deadlines(placed(0, ship_by=90)) == [90]


def test_where_approval_is_required_nothing_runs_before_it() -> None:
    assert deadlines(*ORDER, policy=REQUIRED) == []
    assert deadlines(*ORDER, approved(5), policy=REQUIRED) == [53]


def test_an_order_without_a_request_has_no_clock() -> None:
    assert late(placed(0), approved(1), policy=WITHIN) == []


def test_the_deadline_rests_on_request_and_approval() -> None:
    assert proof(*ORDER, approved(7)) == {"/s#F@2", "/s#order.approved@7", "/s#order.placed@0"}
    order = Given(*ORDER, approved(7)).order()
    assert order.placed is not None
    [promise] = promises(order, fulfillments(order, order.placed)[0], WITHIN)
    assert [one.id for one in promise.proof] == ["F@2", "order.approved@7"]
    assert hours(promise.since) == 7


def test_a_hold_moves_it_by_the_time_held_after_the_start() -> None:
    assert deadlines(*ORDER, held(10), released(20)) == [60]
    assert deadlines(*ORDER, held(1), released(6)) == [54]
    assert deadlines(*ORDER, held(1), approved(4), released(6)) == [54]
    assert deadlines(*ORDER, held(10)) == [None]


def test_a_date_agreed_later_takes_its_place_and_the_merchant_s_alone_does_not() -> None:
    assert deadlines(*ORDER, moved(10, 90)) == [50, 90]
    assert late(*ORDER, moved(10, 90), policy=WITHIN) == [("F", 90, None)]
    assert late(*ORDER, moved(10, 90, "merchant"), policy=WITHIN) == [("F", 50, None)]
    assert deadlines(*ORDER, moved(10, 90, "merchant"), policy=DEFAULT) == [90]


def test_each_fulfilment_has_its_own_and_a_cancelled_one_none() -> None:
    both = (placed(0), requested(2), requested(9, "G"))
    assert late(*both, policy=WITHIN) == [("F", 50, None), ("G", 57, None)]
    assert late(*both, cancelled(3), policy=WITHIN) == []


def test_it_is_looked_at_again_when_it_runs_out() -> None:
    assert late_shipment.look_again(Given(*ORDER).order(), at(2), WITHIN) == at(50)


def test_working_days_are_those_of_the_warehouse_that_was_asked() -> None:
    policy = load(
        'timezone = "UTC"\n[late_shipment]\nworking_days = 1\n'
        '[calendars.warehouses."W"]\nhours = ["mon-fri 09:00-17:00"]\n'
        '[calendars.warehouses."X"]\nhours = ["mon-sun 09:00-17:00"]\n'
    )
    # Dawn is a Sunday: W begins to count on Monday and has Tuesday, X has Monday.
    assert deadlines(*ORDER, policy=policy) == [72]
    assert deadlines(placed(0), requested(2, warehouse_id="X"), policy=policy) == [48]


# The shipped packs, from a file of events to the findings


def judged(log: Log, pack: str, *said: Fact) -> list[tuple[str, str, Instant, Instant | None]]:
    """Run a backtest of these messages by a pack; says (kind, subject, due, ended)."""
    text = (PACKS / f"{pack}.toml").read_text(encoding="utf-8")
    tracker = Tracker(log, adopt(log, text, LATER))
    done = backtest.run([written(one) for one in said], tracker, Translator({}), LATER)
    assert done.taken == len({one.id for one in said if not one.id.startswith("heartbeat")})
    assert not done.quarantined
    return [(one.finding.kind, one.finding.subject, one.finding.due_at, one.finding.ended_at) for one in final(log)]


def test_48_hours_after_payment_and_24_after_the_label_are_found_in_a_backtest() -> None:
    story = (placed(0), requested(0), approved(3), labelled(20, order_ids=("O",), fulfillment_ids=("F",)))
    with memory_log() as log:
        found = judged(log, "platform-48h-shipping", *story, scanned(60, source="/sf"), heartbeat(99, "/sf"))
    assert found == [("late_shipment", "F", at(51), at(60)), ("unconfirmed_handover", "P", at(44), at(60))]


def test_dispatch_in_working_days_is_found_in_a_backtest() -> None:
    # Dawn is Saturday 19:00 in New York: Monday counts, and Tuesday is the working day after it.
    with memory_log() as log:
        found = judged(log, "business-day-dispatch", placed(0), requested(0), approved(1), heartbeat(120))
    assert [(kind, iso(due), ended) for kind, _, due, ended in found] == [
        ("late_shipment", "2026-03-04T05:00:00Z", None)
    ]


def test_a_rating_marketplace_s_expected_date_is_found_in_a_backtest() -> None:
    story = (placed(0), requested(0, ship_by=10), moved(1, 30, "customer"), scanned(20))
    with memory_log() as log:
        found = judged(log, "marketplace-late-shipment-rate", *story, heartbeat(60))
    assert found == [("late_shipment", "F", at(10), at(20))]


def test_a_pack_judges_nothing_that_came_due_before_its_date() -> None:
    text = (PACKS / "platform-48h-shipping.toml").read_text(encoding="utf-8").replace("2026-01-01", "2026-03-03")
    story = [written(one) for one in (placed(0), requested(0), approved(0), requested(9, "G"), heartbeat(99))]
    with memory_log() as log:
        backtest.run(story, Tracker(log, adopt(log, text, LATER)), Translator({}), LATER)
        found = [(one.finding.subject, one.finding.due_at) for one in final(log)]
    assert found == [("F", at(48)), ("G", at(57))]
    text = text.replace("2026-03-03", "2026-03-04")
    with memory_log() as log:
        backtest.run(story, Tracker(log, adopt(log, text, LATER)), Translator({}), LATER)
        assert final(log) == []
