"""Policy keys with an answer of their own: loss windows, dispatch, maintenance, rates, and calendars by name."""

from datetime import datetime

import pytest

from domain.instant import DAY, HOUR, Instant, instant
from domain.policies.policy import DEFAULT, PolicyInvalid, load

CALENDARS = """
timezone = "Asia/Shanghai"
[calendars.staff]
country = "CN"
hours = ["mon-fri 09:00-18:00"]
[calendars.warehouses."W-1"]
country = "DE"
subdivision = "BY"
timezone = "Europe/Berlin"
closed = [2026-12-24]
open = ["2026-12-27"]
cut_off = "14:00"
[calendars.warehouses."*"]
hours = ["mon-sat 08:00-20:00"]
[calendars.carriers."SF"]
hours = ["mon-sun 07:00-22:00"]
[calendars.destinations."Germany"]
timezone = "Europe/Berlin"
[calendars.feeds."/carriers/sf"]
hours = ["mon-sun 06:00-23:00"]
"""


def here(text: str) -> Instant:
    """Read a time with its offset."""
    return instant(datetime.fromisoformat(text))


def test_calendars_are_found_by_whose_they_are() -> None:
    policy = load(CALENDARS)
    staff = policy.calendar("staff")
    assert staff is not None
    assert (staff.country, staff.timezone) == ("CN", "Asia/Shanghai")
    warehouse = policy.calendar("warehouses", "W-1")
    assert warehouse is not None
    assert (warehouse.timezone, warehouse.subdivision, warehouse.cut_off) == ("Europe/Berlin", "BY", "14:00")
    assert [*map(str, (*warehouse.closed, *warehouse.open))] == ["2026-12-24", "2026-12-27"]
    assert policy.calendar("carriers", "SF") is not None
    assert policy.calendar("feeds", "/carriers/sf") is not None


def test_a_star_stands_for_all_that_are_not_named() -> None:
    other = load(CALENDARS).calendar("warehouses", "W-2")
    assert other is not None
    assert (other.hours, other.timezone) == (("mon-sat 08:00-20:00",), "Asia/Shanghai")
    assert load(CALENDARS).calendar("warehouses", None) == other


def test_whoever_has_no_calendar_works_around_the_clock() -> None:
    policy = load(CALENDARS)
    assert policy.calendar("carriers", "YTO") is None
    assert policy.calendar("destinations", "Germany") is None
    assert DEFAULT.calendar("staff") is None
    assert load("[calendars.staff]").calendar("staff") is None


def test_a_zone_is_a_calendar_s_else_the_policy_s() -> None:
    policy = load(CALENDARS)
    names = ("W-1", "W-2", "Germany", "France", None)
    assert [policy.zone(name).split("/")[1] for name in names] == [
        "Berlin",
        "Shanghai",
        "Berlin",
        "Shanghai",
        "Shanghai",
    ]


@pytest.mark.parametrize(
    ("table", "named", "nearest"),
    [
        ('staff]\ncountry = "China"', "calendars.staff.country", "CN"),
        ('staff]\ncountry = "cn"', "calendars.staff.country", "CN"),
        ('staff]\ncountry = "Germny"', "calendars.staff.country", "DE"),
        ('staff]\ncountry = "DE"\nsubdivision = "BYY"', "calendars.staff.subdivision", "BY"),
        ('staff]\nsubdivision = "BY"', "calendars.staff.subdivision", "country"),
        ('warehouses."W-1"]\ntimezone = "Europe/Berln"', 'calendars.warehouses."W-1".timezone', "Europe/Berlin"),
        ('carriers."SF"]\nhours = ["mo-fri 09:00-18:00"]', 'calendars.carriers."SF".hours', "mon"),
        ('carriers."SF"]\nhours = ["mon-fri 9-18"]', 'calendars.carriers."SF".hours', "mon-fri 09:00-18:00"),
        ('carriers."SF"]\nhours = ["mon-fri 09:00-25:00"]', 'calendars.carriers."SF".hours', "time of day"),
        ('carriers."SF"]\nhours = ["mon-fri 09:60-18:00"]', 'calendars.carriers."SF".hours', "time of day"),
        ('carriers."SF"]\nhours = ["mon 09:00-09:00"]', 'calendars.carriers."SF".hours', "00:00-24:00"),
        ('feeds."/s"]\ncut_off = "2pm"', 'calendars.feeds."/s".cut_off', "15:00"),
        ('staff]\nclosed = [2026-01-01]\nopen = ["2026-01-01"]', "calendars.staff", "both open and closed"),
        ("staff]\nclosed = ['2026-02-30']", "calendars.staff.closed", "date"),
    ],
)
def test_a_calendar_nobody_can_keep_is_refused_with_its_key_and_what_was_meant(
    table: str, named: str, nearest: str
) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        load(f"[calendars.{table}")
    assert named in str(refused.value)
    assert nearest in str(refused.value)


def test_a_carrier_may_have_a_loss_window_of_its_own() -> None:
    policy = load('[presumed_lost.carriers."SF"]\nafter = "9d"')
    assert [policy.loss_window(carrier) // DAY for carrier in ("SF", "YTO", None)] == [9, 15, 15]


def test_no_dispatch_is_due_unless_the_rules_say_so() -> None:
    assert DEFAULT.dispatch_deadline(0, "W") is None
    assert load('[late_shipment]\nwithin = "48h"').dispatch_deadline(5, "W") == 5 + 48 * HOUR


def test_dispatch_in_working_days_keeps_the_warehouse_s_calendar() -> None:
    policy = load("[late_shipment]\nworking_days = 1\n" + CALENDARS.replace('timezone = "Asia/Shanghai"', "", 1))
    new_year_s_eve = here("2026-12-31T14:00+01:00")  # after the cut-off; Friday is free, and so is the weekend
    assert policy.dispatch_deadline(new_year_s_eve, "W-1") == here("2027-01-06T00:00+01:00")
    assert policy.dispatch_deadline(new_year_s_eve, "W-9") == here("2027-01-02T00:00+08:00")
    plain = load("[late_shipment]\nworking_days = 0")
    assert plain.dispatch_deadline(here("2026-03-08T12:00+08:00"), None) == here("2026-03-09T00:00+08:00")


def test_where_hours_and_working_days_are_promised_the_earlier_counts() -> None:
    policy = load('[late_shipment]\nworking_days = 3\nwithin = "24h"')
    assert policy.dispatch_deadline(here("2026-03-06T12:00+08:00"), None) == here("2026-03-07T12:00+08:00")


MAINTENANCE = """
[maintenance."stocktaking"]
warehouse = "W-1"
since = 2026-03-01T00:00:00+08:00
until = "2026-03-02T00:00:00+08:00"
reason = "the year's stocktaking"
[maintenance."move"]
warehouse = "W-1"
since = "2026-03-01T12:00:00+08:00"
until = "2026-03-05T00:00:00+08:00"
reason = "moving house"
[maintenance."sorter"]
carrier = "SF"
since = "2026-03-01T00:00:00+08:00"
until = "2026-03-02T00:00:00+08:00"
reason = "a new sorter"
"""


def test_maintenance_is_known_by_place_and_time() -> None:
    policy = load(MAINTENANCE)

    def reason(text: str, warehouse: str | None = None, carrier: str | None = None) -> str | None:
        found = policy.maintenance_of(here(text), warehouse=warehouse, carrier=carrier)
        return None if found is None else found.reason

    assert reason("2026-03-01T00:00+08:00", "W-1") == "the year's stocktaking"
    assert reason("2026-03-01T12:00+08:00", "W-1") == "moving house"
    assert reason("2026-03-05T00:00+08:00", "W-1") is None
    assert reason("2026-02-28T23:59+08:00", "W-1") is None
    assert reason("2026-03-01T12:00+08:00", "W-2") is None
    assert reason("2026-03-01T12:00+08:00", None, "SF") == "a new sorter"
    assert reason("2026-03-01T12:00+08:00") is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('warehouse = "W-1"\nsince = "', 'since = "'), "maintenance.move: name either"),
        (('carrier = "SF"', 'carrier = "SF"\nwarehouse = "W"'), "maintenance.sorter: name either"),
        (("2026-03-05T00:00:00+08:00", "2026-03-01T12:00:00+08:00"), "maintenance.move.until"),
        (("2026-03-05T00:00:00+08:00", "2026-03-05T00:00:00"), "maintenance.move.until"),
        (('reason = "moving house"', ""), "reason"),
    ],
)
def test_maintenance_that_says_too_little_is_refused(change: tuple[str, str], said: str) -> None:
    with pytest.raises(PolicyInvalid, match=said):
        load(MAINTENANCE.replace(*change))


def test_rates_are_broken_at_their_limit_and_only_where_one_is_set() -> None:
    rates = load("[rates]\nlate_shipment = 0.04\nvalid_tracking = 0.95").rates
    assert rates.broken(late=4, due=100, scanned=95, labelled=100) == ("late_shipment", "valid_tracking")
    assert rates.broken(late=3, due=100, scanned=96, labelled=100) == ()
    seven = load("[rates]\nlate_shipment = 0.07\nvalid_tracking = 0.57").rates
    assert seven.broken(late=7, due=100, scanned=57, labelled=100) == ("late_shipment", "valid_tracking")
    assert rates.broken(late=0, due=0, scanned=0, labelled=0) == ()
    assert DEFAULT.rates.broken(late=9, due=9, scanned=0, labelled=9) == ()
