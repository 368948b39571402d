"""Carriers with a calendar: only the time they work counts; without one, all of it does."""

import pytest

from domain.detectors import presumed_lost, stalled_parcel, unconfirmed_handover
from domain.events import Fact
from domain.policies.policy import Policy, load
from tests.story import Given, at, hours, labelled, scanned

# Dawn is a Sunday midnight in UTC.
OFFICE = '[calendars.carriers."SF"]\ntimezone = "UTC"\nhours = ["mon-fri 09:00-17:00"]\n'
POLICY = load(
    '[stalled_parcel]\nafter = "10h"\n[unconfirmed_handover]\nafter = "10h"\n[presumed_lost]\nafter = "4d"\n' + OFFICE
)
MONDAY, TUESDAY, NEXT_MONDAY = 24, 48, 8 * 24


def scan(when: float, status: str = "in_transit", carrier: str = "SF") -> Fact:
    """Let a carrier scan parcel P."""
    return scanned(when, status=status, carrier=carrier, order_ids=("O",))


def stalls(*facts: Fact, policy: Policy = POLICY, now: float = 999) -> list[tuple[float | None, ...]]:
    """Say (since, due, ended) of every stall."""
    found = stalled_parcel.findings(Given(*facts).parcel(), at(now), policy)
    return [(hours(one.since), hours(one.due_at), hours(one.ended_at)) for one in found]


def test_a_parcel_may_stand_still_for_so_much_of_its_carrier_s_working_time() -> None:
    assert stalls(scan(MONDAY + 10)) == [(MONDAY + 10, TUESDAY + 12, None)]
    assert stalls(scan(MONDAY - 20)) == [(MONDAY - 20, TUESDAY + 11, None)]


def test_a_week_end_is_no_stall() -> None:
    friday = 5 * 24 + 16
    assert stalls(scan(friday), scan(NEXT_MONDAY + 17, "delivered")) == []
    assert stalls(scan(friday), scan(NEXT_MONDAY + 24 + 11, "delivered")) == [
        (friday, NEXT_MONDAY + 24 + 10, NEXT_MONDAY + 24 + 11)
    ]


def test_a_movement_on_the_dot_is_in_time() -> None:
    assert stalls(scan(MONDAY + 10), scan(TUESDAY + 12, "delivered")) == []


def test_another_carrier_s_hours_are_its_own() -> None:
    assert stalls(scan(MONDAY + 10, carrier="YTO")) == [(MONDAY + 10, MONDAY + 20, None)]


def test_a_calendar_for_all_carriers_is_named_with_a_star() -> None:
    policy = load('[stalled_parcel]\nafter = "10h"\n' + OFFICE.replace("SF", "*"))
    assert stalls(scan(MONDAY + 10, carrier="YTO"), policy=policy) == [(MONDAY + 10, TUESDAY + 12, None)]


def test_without_calendars_all_time_counts() -> None:
    policy = load('[stalled_parcel]\nafter = "10h"')
    assert stalls(scan(MONDAY + 16), policy=policy) == [(MONDAY + 16, MONDAY + 26, None)]


def test_public_holidays_count_as_no_time() -> None:
    text = '[calendars.carriers."SF"]\ntimezone = "UTC"\ncountry = "DE"\n'
    good_friday = 33 * 24  # the third of April; Easter Monday is free as well
    policy = load('[stalled_parcel]\nafter = "24h"\n' + text)
    thursday = good_friday - 12
    assert stalls(scan(thursday), policy=policy, now=9999) == [(thursday, good_friday + 4 * 24 + 12, None)]


@pytest.mark.parametrize(("labelled_at", "due"), [(MONDAY + 10, TUESDAY + 12), (MONDAY + 20, TUESDAY + 24 + 11)])
def test_a_label_waits_for_the_pick_up_in_working_time(labelled_at: float, due: float) -> None:
    label = labelled(labelled_at, order_ids=("O",))
    [one] = unconfirmed_handover.findings(Given(label).parcel(), at(999), POLICY)
    assert hours(one.due_at) == due
    assert unconfirmed_handover.look_again(Given(label).parcel(), at(0), POLICY) == at(due)
    assert unconfirmed_handover.findings(Given(label, scan(due)).parcel(), at(999), POLICY) == ()


def test_a_loss_window_is_in_days_as_carriers_write_it() -> None:
    [one] = presumed_lost.findings(Given(scan(MONDAY + 10)).parcel(), at(999), POLICY)
    assert hours(one.due_at) == MONDAY + 10 + 4 * 24
