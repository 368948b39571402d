"""mis_shipment, reported only: what customers say, where no packing record shows it."""

import pytest

from domain.complaints.complaint import ComplainedItem
from domain.detection import Finding
from domain.detectors.mis_shipment_reported import findings, look_again
from domain.policies.policy import DEFAULT
from domain.severity import Stake
from tests.domain.complaints import answered, categorised, given, opened, reopened, resolved, sibling, told, waiting
from tests.story import at, complained, hours

WRONG = opened(2, "wrong_item")


def found(*heard, now: float = 999) -> tuple[Finding, ...]:
    return findings(given(*heard), at(now), DEFAULT)


@pytest.mark.parametrize(
    ("category", "reports"),
    [
        ("wrong_item", True),
        ("missing_item", True),
        ("extra_item", True),
        ("late", False),
        ("not_received", False),
        ("damaged", False),
        ("defective", False),
        ("price_difference", False),
        ("other", False),
        (None, False),
    ],
)
def test_wrong_missing_and_extra_items_are_mis_shipments(category, reports) -> None:
    assert bool(found(opened(2, category))) == reports
    assert bool(found(opened(2, "late"), categorised(3, category))) == reports if category else True


def test_it_holds_from_the_opening_on() -> None:
    [one] = found(WRONG)
    assert (one.kind, one.rule, one.subject, one.clock) == ("mis_shipment", "reported", "C", "")
    assert (hours(one.since), hours(one.due_at), one.ended_at, one.order_ids) == (2, 2, None, ("O",))
    assert "knowable_at" not in one.detail


def test_time_must_have_passed_the_opening() -> None:
    assert found(WRONG, now=2) == ()
    assert found(WRONG, now=2 + 1e-9)


def test_a_complaint_that_names_no_order_reports_none() -> None:
    assert found(complained(2, category="wrong_item")) == ()


def test_what_was_never_opened_reports_none() -> None:
    assert found(categorised(2, "wrong_item")) == ()
    assert look_again(given(categorised(2, "wrong_item")), at(0), DEFAULT) is None


def test_it_joins_the_mis_shipment_that_a_packing_record_shows() -> None:
    assert found(WRONG, told(mis_shipped=("P",))) == ()
    assert found(told(mis_shipped=("P",)), WRONG) == ()
    assert found(WRONG, told(mis_shipped=("P",)), told(version=2)) == found(WRONG, told())
    assert found(WRONG, told(mis_shipped=("P",), of="another"))


@pytest.mark.parametrize(
    ("heard", "ended"),
    [
        ((resolved(5),), 5),
        ((resolved(5), resolved(7)), 5),
        ((resolved(5), reopened(6)), None),
        ((resolved(5), reopened(6), resolved(9)), 9),
        ((resolved(1), reopened(3)), None),
        ((resolved(1), reopened(3), resolved(4)), 4),
        ((reopened(3), answered(3), waiting(4)), None),
    ],
)
def test_the_resolution_that_no_reopening_followed_ends_it(heard, ended) -> None:
    [one] = found(WRONG, *heard)
    assert hours(one.ended_at) == ended
    assert one.detail.get("ended_by") == (None if ended is None else f"/s#complaint.resolved@{ended}")


@pytest.mark.parametrize("when", [1, 2])
def test_resolved_by_the_time_it_was_opened_it_never_held(when) -> None:
    assert found(WRONG, resolved(when)) == ()
    assert look_again(given(WRONG, resolved(when)), at(0), DEFAULT) is None


def test_resolved_before_somebody_said_so_it_held_until_then() -> None:
    complaint = given(opened(2, "late"), resolved(4), categorised(5, "wrong_item"))
    assert findings(complaint, at(5), DEFAULT) == ()
    [one] = findings(complaint, at(5) + 1, DEFAULT)
    assert (hours(one.due_at), hours(one.knowable_at), hours(one.ended_at)) == (2, 5, 4)


@pytest.mark.parametrize(
    ("heard", "known", "proof"),
    [
        ((opened(2, "late"), categorised(5, "wrong_item")), "05:00", "categorised@5"),
        ((opened(2), categorised(5, "late"), categorised(6, "extra_item")), "06:00", "categorised@6"),
        ((opened(2, "late"), categorised(5, "wrong_item"), categorised(7, "missing_item")), "05:00", "categorised@7"),
        ((WRONG, categorised(4, "late"), categorised(5, "wrong_item")), "05:00", "categorised@5"),
        ((WRONG, categorised(5, "missing_item")), None, "categorised@5"),
        ((WRONG, categorised(1, "missing_item")), None, "categorised@1"),
        ((WRONG,), None, None),
    ],
)
def test_it_is_known_since_it_was_said_and_the_last_word_is_its_proof(heard, known, proof) -> None:
    [one] = found(*heard)
    assert one.detail.get("knowable_at") == (known and f"2026-03-01T{known}:00Z")
    assert hours(one.due_at) == 2
    assert set(one.proof) == {"/s#complaint.opened@2"} | ({f"/s#complaint.{proof}"} if proof else set())


def test_it_is_not_found_before_somebody_said_so() -> None:
    complaint = given(opened(2, "late"), categorised(5, "wrong_item"))
    assert findings(complaint, at(5), DEFAULT) == ()
    assert look_again(complaint, at(0), DEFAULT) == at(5)
    assert look_again(complaint, at(5) + 1, DEFAULT) is None
    assert look_again(given(WRONG), at(2), DEFAULT) == at(2)


@pytest.mark.parametrize(("items", "sku"), [((), None), (("A",), "A"), (("A", "A"), "A"), (("A", "B"), None)], ids=str)
def test_one_item_names_its_sku(items, sku) -> None:
    [one] = found(opened(2, "wrong_item", items=tuple(ComplainedItem(one) for one in items)))
    assert one.sku == sku


@pytest.mark.parametrize(
    ("stake", "severity", "parts"),
    [
        (None, "medium", {"complaint": 1}),
        (Stake("5000", "vip"), "critical", {"complaint": 1, "money": 1, "customer": 1}),
    ],
)
def test_severity_is_made_of_its_parts(stake, severity, parts) -> None:
    [one] = found(WRONG, told(sibling(0), stake=stake))
    assert (one.severity, one.detail["severity"], one.policy) == (severity, parts, DEFAULT.hash)
    assert "resolution" in one.detail["cleared_by"]
