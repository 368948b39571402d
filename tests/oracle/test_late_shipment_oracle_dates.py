"""Hand-computed cases for the oracle: promises that move and clocks that stop."""

import pytest

from tests.oracle.story import at, findings, held, late, moved, placed, released, requested, scanned, told

ORDER = (placed(0), requested(0, ship_by=10))


@pytest.mark.parametrize("agreed_by", ["customer", "platform"])
def test_a_date_agreed_in_time_moves_the_deadline(agreed_by: str) -> None:
    assert late(*ORDER, moved(5, 20, agreed_by), scanned(15)) == []
    assert late(*ORDER, moved(5, 20, agreed_by)) == [("F", 20, None)]


def test_a_date_that_the_merchant_moved_alone_does_not() -> None:
    assert late(*ORDER, moved(5, 20, "merchant"), scanned(15)) == [("F", 10, 15)]


def test_policy_may_read_the_original_promise_or_the_latest() -> None:
    world = (*ORDER, moved(4, 30), moved(5, 20, "merchant"))
    assert late(*world, promise="original") == [("F", 10, None)]
    assert late(*world, promise="latest") == [("F", 20, None)]


def test_a_date_agreed_after_the_deadline_ends_the_lateness_and_can_be_broken_again() -> None:
    first, second = findings(*ORDER, moved(15, 20), scanned(30))
    assert (first["due_at"], first["ended_at"], first["ended_by"]) == (at(10), at(15), "/s#promise_changed@15")
    assert (second["due_at"], second["ended_at"], second["ended_by"]) == (at(20), at(30), "/s#scanned@30")
    assert second["proof"] == ["/s#placed@0", "/s#requested@0", "/s#promise_changed@15"]


def test_a_date_agreed_at_the_very_instant_of_the_deadline_has_already_moved_it() -> None:
    assert late(*ORDER, moved(10, 20)) == [("F", 20, None)]


def test_a_date_agreed_after_it_had_passed_is_due_when_it_is_made() -> None:
    assert late(*ORDER, moved(15, 5)) == [("F", 10, 15), ("F", 15, None)]


def test_a_passed_date_agreed_on_after_the_hand_over_is_no_lateness() -> None:
    assert late(*ORDER, scanned(8), moved(15, 5)) == []


def test_a_passed_date_agreed_on_during_a_hold_is_due_at_the_release() -> None:
    assert late(*ORDER, held(8), moved(12, 5), released(30)) == [("F", 30, None)]


def test_only_the_original_keeps_a_ship_by_before_the_placing() -> None:
    assert late(placed(20, ship_by=10), scanned(30, fulfillment_ids=["O"])) == [("O", 10, 30)]


def test_an_original_that_had_passed_when_given_is_not_late_while_it_is_held() -> None:
    assert late(placed(10, ship_by=5), held(3), released(12)) == [("O", 12, None)]
    assert late(placed(10, ship_by=5), held(6), released(12)) == [("O", 5, None)]


def test_a_change_of_another_fulfilment_or_of_deliver_by_alone_moves_nothing() -> None:
    other = moved(5, 20, fulfillment_id="G")
    deliver_by = told("promise_changed", 6, deliver_by=at(40), agreed_by="customer")
    assert late(*ORDER, other, deliver_by) == [("F", 10, None)]
    assert late(*ORDER, moved(5, 20, fulfillment_id="F")) == [("F", 20, None)]


def test_where_there_was_no_promise_the_first_date_by_anyone_is_the_promise() -> None:
    world = (placed(0), requested(0), moved(5, 20, "merchant"), moved(6, 30, "merchant"))
    assert late(*world) == [("F", 20, None)]
    assert late(*world, promise="original") == [("F", 20, None)]


def test_a_start_after_ship_by_makes_the_deadline_unknown_until_a_later_promise() -> None:
    world = (placed(0), requested(0, ship_by=10, starts_at=20))
    assert late(*world) == []
    assert late(*world, moved(12, 19)) == []
    assert late(*world, moved(12, 20)) == [("F", 20, None)]
    assert late(placed(0), requested(0, ship_by=10, starts_at=10)) == [("F", 10, None)]


def test_a_hold_moves_the_deadline_by_its_length_and_proves_it() -> None:
    [found] = findings(*ORDER, held(4), released(7))
    assert found["due_at"] == at(13)
    assert found["proof"] == ["/s#placed@0", "/s#requested@0", "/s#held@4", "/s#released@7"]


def test_a_hold_over_the_deadline_resumes_the_rest_at_release() -> None:
    assert late(*ORDER, held(4), released(30)) == [("F", 36, None)]


def test_an_open_hold_makes_nothing_late() -> None:
    assert late(*ORDER, held(4)) == []


def test_held_at_the_very_instant_of_the_deadline_is_not_late() -> None:
    assert late(*ORDER, held(10)) == []
    assert late(*ORDER, held(10), released(12)) == [("F", 12, None)]


def test_a_hold_after_the_deadline_changes_nothing() -> None:
    [found] = findings(*ORDER, held(11), released(12))
    assert (found["due_at"], len(found["proof"])) == (at(10), 2)


def test_a_hold_reached_only_because_of_an_earlier_one_counts_too() -> None:
    assert late(*ORDER, held(4), released(7), held(12), released(14)) == [("F", 15, None)]


def test_overlapping_holds_count_once_and_each_reason_has_its_own_switch() -> None:
    world = (held(2), held(4, "fraud"), released(5), released(8, "fraud"))
    assert late(*ORDER, *world) == [("F", 16, None)]
    assert late(*ORDER, held(2), released(4, "fraud"), released(5)) == [("F", 13, None)]
    assert late(*ORDER, held(4), held(12, "fraud"), released(14, "fraud"), released(20)) == [("F", 26, None)]


def test_a_hold_of_one_fulfilment_leaves_the_others_alone() -> None:
    world = (placed(0), requested(0, ship_by=10), requested(0, "G", ship_by=10, key="g"))
    assert late(*world, held(4, fulfillment_id="G"), released(5)) == [("F", 10, None)]
    assert late(*world, held(4), released(5)) == [("F", 11, None), ("G", 11, None)]


def test_a_new_promise_is_not_moved_by_the_part_of_a_hold_before_it() -> None:
    [found] = findings(*ORDER, held(1), released(3), held(4), moved(6, 20), released(9))
    assert found["due_at"] == at(23)
    assert "/s#held@1" not in found["proof"]
    assert "/s#held@4" in found["proof"]


def test_holding_twice_or_releasing_what_is_not_held_is_no_switch() -> None:
    [found] = findings(*ORDER, released(1), held(2), held(3), released(5), released(6))
    assert found["due_at"] == at(13)
    assert found["proof"] == ["/s#placed@0", "/s#requested@0", "/s#held@2", "/s#released@5"]


def test_held_and_released_at_one_instant_is_no_hold() -> None:
    [found] = findings(*ORDER, held(5, key="a"), released(5, key="b"))
    assert (found["due_at"], len(found["proof"])) == (at(10), 2)
    assert late(*ORDER, held(5, key="b"), released(5, key="a")) == []
