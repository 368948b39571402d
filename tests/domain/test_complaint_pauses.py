"""complaint_overdue: when its clocks stand still, because the customer is asked or staff do not work."""

import pytest

from domain.detectors.complaint_overdue import look_again
from domain.policies.policy import DEFAULT, load
from tests.domain.complaints import (
    FIRST,
    QUICK,
    answered,
    found,
    given,
    opened,
    overdue,
    reopened,
    resolution,
    resolved,
    waiting,
)
from tests.story import at, hours

# Waiting on the customer


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ((waiting(10), waiting(14, "staff")), [(0, 28, None)]),
        ((waiting(10), waiting(14, "carrier")), [(0, 28, None)]),
        ((waiting(10, "carrier"), waiting(14, "staff")), [(0, 24, None)]),
        ((waiting(10, "staff"), waiting(14, "carrier")), [(0, 24, None)]),
        ((waiting(10), waiting(12), waiting(14, "staff")), [(0, 28, None)]),
        ((waiting(10), waiting(14, "staff"), waiting(20), waiting(26, "staff")), [(0, 34, None)]),
        ((waiting(10),), []),
        ((waiting(24),), []),
        ((waiting(24), waiting(30, "staff")), [(0, 30, None)]),
        ((waiting(24 + 1e-9),), [(0, 24, None)]),
        ((waiting(25), waiting(30, "staff")), [(0, 24, None)]),
        ((waiting(10), waiting(14, "staff"), waiting(28)), []),
        ((waiting(10), waiting(14, "staff"), waiting(29)), [(0, 28, None)]),
        ((waiting(-5), waiting(3, "staff")), [(0, 27, None)]),
        ((waiting(-5), waiting(-3, "staff")), [(0, 24, None)]),
        ((waiting(-5),), []),
        ((waiting(-5), reopened(4)), [(0, 28, None)]),
        ((waiting(-9), resolved(-5), waiting(-3), reopened(6)), [(6, 30, None)]),
        ((waiting(10), reopened(14)), [(0, 28, None)]),
        ((waiting(10), resolved(14)), []),
        ((waiting(10), resolved(14), reopened(20)), [(20, 44, None)]),
        ((resolved(10), waiting(12), reopened(20)), [(20, 44, None)]),
        ((resolved(10), reopened(20), waiting(30), waiting(40, "staff")), [(20, 54, None)]),
        ((waiting(2), waiting(8, "staff"), resolved(10), reopened(20)), [(20, 44, None)]),
        ((waiting(10), answered(14)), []),
        ((waiting(10), waiting(14, "staff"), resolved(28)), []),
        ((waiting(10), waiting(14, "staff"), resolved(29)), [(0, 28, 29)]),
    ],
)
def test_the_time_to_resolve_stands_while_it_waits_on_the_customer(heard, expected) -> None:
    assert resolution(*heard) == expected


def test_the_time_to_respond_never_waits() -> None:
    assert overdue(opened(), waiting(0.2), now=5) == [FIRST]


def test_a_deadline_that_waits_on_the_customer_is_not_asked_for() -> None:
    assert look_again(given(opened(), QUICK, waiting(10)), at(0), DEFAULT) is None
    assert look_again(given(opened(), QUICK, waiting(10), waiting(14, "staff")), at(0), DEFAULT) == at(28)


# Working hours of staff: an hour after dawn is nine o'clock in Shanghai, and dawn is a Sunday


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ((opened(25),), [(25, 27, None), (25, 51, None)]),
        ((opened(25), answered(27)), [(25, 51, None)]),
        ((opened(0),), [(0, 27, None), (0, 51, None)]),
        ((opened(33),), [(33, 50, None), (33, 74, None)]),
        ((opened(33), answered(49)), [(33, 74, None)]),
        ((opened(25), answered(26), waiting(27), waiting(29, "staff")), [(25, 53, None)]),
        ((opened(25), answered(26), waiting(33), waiting(50, "staff")), [(25, 53, None)]),
        ((opened(25), answered(26), waiting(35), waiting(45, "staff")), [(25, 51, None)]),
        ((opened(25), answered(26), resolved(27), reopened(40)), [(40, 75, None)]),
        ((opened(25), answered(26), waiting(27)), []),
    ],
)
def test_clocks_run_while_staff_work(heard, expected) -> None:
    policy = load(
        '[complaint_overdue]\nfirst_response = "2h"\ngeneral = "11h"\n'
        '[calendars.staff]\ntimezone = "Asia/Shanghai"\nhours = ["mon-fri 09:00-18:00"]'
    )
    assert [one[1:] for one in overdue(*heard, policy=policy)] == expected


def test_a_deadline_that_falls_to_closing_time_is_due_at_closing_time() -> None:
    policy = load(
        '[complaint_overdue]\nfirst_response = "9h"\n'
        '[calendars.staff]\ntimezone = "Asia/Shanghai"\nhours = ["mon-fri 09:00-18:00"]'
    )
    assert [hours(one.due_at) for one in found(opened(25), now=35, policy=policy)] == [34]
