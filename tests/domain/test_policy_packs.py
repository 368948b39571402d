"""The rule packs of docs/example/policies: each loads, is dated, names its source, and judges a case as it says."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from domain.detectors import unconfirmed_handover
from domain.events import Fact
from domain.instant import HOUR, Instant, instant, iso
from domain.policies.policy import Policy, load_versions
from tests.members import ROOT
from tests.story import DAWN, Given, approved, at, hours, labelled, late, moved, placed, requested, scanned

PACKS = sorted((ROOT / "docs" / "example" / "policies").glob("*.toml"))
PLATFORM, RATES, BUSINESS = ("platform-48h-shipping", "marketplace-late-shipment-rate", "business-day-dispatch")


def pack(name: str) -> Policy:
    """Read the only version of a pack."""
    [(_, policy)] = load_versions((ROOT / "docs" / "example" / "policies" / f"{name}.toml").read_text(encoding="utf-8"))
    return policy


def here(text: str) -> Instant:
    """Read a time with its offset."""
    return instant(datetime.fromisoformat(text))


def unconfirmed(policy: Policy, *facts: Fact) -> list[tuple[float | None, float | None]]:
    """Say (due, ended) of the label that nobody picks up."""
    found = unconfirmed_handover.findings(Given(*facts).parcel(), at(999), policy)
    return [(hours(one.due_at), hours(one.ended_at)) for one in found]


def test_the_packs_are_those_that_are_tested() -> None:
    assert {path.stem for path in PACKS} == {PLATFORM, RATES, BUSINESS}


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_a_pack_is_dated_and_names_its_source(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    [(since, policy)] = load_versions(text)
    assert since is not None
    assert since < DAWN
    head = text[: text.index("valid_from")]
    assert re.search(r"^# Source: .+ publish", head, re.MULTILINE)
    assert all(line.startswith("#") for line in head.splitlines())
    assert "late_shipment" in policy.kinds.enabled


def test_48_hours_after_the_request_a_paid_order_without_a_date_is_late() -> None:
    policy = pack(PLATFORM)
    due = policy.dispatch_deadline(at(0), "W")
    assert hours(due) == 48
    ship_by = hours(due)
    story = (placed(0), requested(0, ship_by=ship_by))
    assert late(*story, policy=policy) == []  # nobody has paid
    assert late(*story, approved(0), policy=policy) == [("F", 48, None)]
    assert late(*story, approved(0), scanned(48), policy=policy) == []


def test_a_label_that_no_carrier_scans_within_24_hours_is_fake_shipment() -> None:
    story = (placed(0), requested(0), labelled(5, order_ids=("O",), fulfillment_ids=("F",)))
    assert unconfirmed(pack(PLATFORM), *story) == [(29, None)]
    assert unconfirmed(pack(PLATFORM), *story, scanned(29)) == []
    assert unconfirmed(pack(PLATFORM), *story, scanned(40)) == [(29, 40)]


def test_a_rating_marketplace_keeps_to_the_date_it_expected() -> None:
    story = (placed(0), requested(0, ship_by=10), moved(1, 30, "customer"), scanned(20))
    assert late(*story, policy=pack(RATES)) == [("F", 10, 20)]


def test_four_late_of_a_hundred_and_five_without_a_scan_cost_the_rating() -> None:
    rates = pack(RATES).rates
    assert rates.broken(late=4, due=100, scanned=95, labelled=100) == ("late_shipment", "valid_tracking")
    assert rates.broken(late=3, due=100, scanned=97, labelled=100) == ()


def test_a_number_that_nobody_scans_within_two_days_is_not_valid_tracking() -> None:
    story = (placed(0), requested(0), labelled(5, order_ids=("O",), fulfillment_ids=("F",)))
    assert unconfirmed(pack(RATES), *story) == [(53, None)]


@pytest.mark.parametrize(
    ("paid", "due"),
    [
        ("2026-07-01T13:59-04:00", "2026-07-03T00:00-04:00"),  # Wednesday before the cut-off
        ("2026-07-01T14:00-04:00", "2026-07-07T00:00-04:00"),  # counts for Thursday; Independence Day is kept on Friday
        ("2026-03-06T15:00-05:00", "2026-03-11T00:00-04:00"),  # Friday late; clocks change on Sunday
        ("2026-03-07T09:00-05:00", "2026-03-11T00:00-04:00"),
    ],
)
def test_dispatch_is_due_when_the_next_working_day_ends_where_the_seller_is(paid: str, due: str) -> None:
    policy = pack(BUSINESS)
    deadline = policy.dispatch_deadline(here(paid), "any warehouse")
    assert deadline is not None
    assert iso(deadline) == iso(here(due))
    begun, ship_by = (here(paid) - DAWN) / HOUR, (deadline - DAWN) / HOUR
    story = (placed(begun), approved(begun), requested(begun, ship_by=ship_by))
    assert late(*story, now=9_000, policy=policy) == [("F", ship_by, None)]
    assert late(*story, scanned(ship_by), now=9_000, policy=policy) == []
