"""Calendars: China's make-up days, hours over midnight and lunch, clock changes, and the ends of time."""

from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from domain.calendars.calendar import (
    Calendar,
    add_working,
    dispatch_by,
    end_of_day,
    is_midnight,
    is_working,
    midnights,
    next_working_day,
    working_between,
)
from domain.calendars.hours import week
from domain.calendars.midnight import begins
from domain.instant import DAY, FOREVER, HOUR, SECOND, Duration, Instant, instant, moment

SHANGHAI, BERLIN, NEW_YORK = "Asia/Shanghai", "Europe/Berlin", "America/New_York"
OFFICE = ("mon-fri 09:00-18:00",)
STAFF = Calendar(timezone=SHANGHAI, country="CN", hours=OFFICE)


def here(text: str, tz: str = SHANGHAI) -> Instant:
    """Read a wall clock."""
    return instant(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(tz)))


def shown(at: Instant, tz: str = SHANGHAI) -> str:
    """Show a wall clock."""
    return f"{moment(at).astimezone(ZoneInfo(tz)):%Y-%m-%d %H:%M}"


def span(hours: float) -> Duration:
    """Give hours as a span."""
    return Duration(hours * HOUR)


@pytest.mark.parametrize(
    "day",
    [
        "2026-01-04",  # a Sunday, exchanged for the second of January
        "2026-02-13",
        "2026-02-14",  # a Saturday, made up for the Spring Festival
        "2026-02-24",
        "2026-02-28",  # likewise
        "2026-05-09",
        "2026-09-20",
        "2026-10-10",
    ],
)
def test_days_that_the_notice_of_2026_makes_working_days_are_worked(day: str) -> None:
    assert is_working(here(f"{day} 10:00"), STAFF)
    assert not is_working(here(f"{day} 20:00"), STAFF)


@pytest.mark.parametrize(
    "day",
    [
        "2026-01-01",
        "2026-01-02",
        "2026-02-07",  # a Saturday like any other
        "2026-02-15",
        "2026-02-16",
        "2026-02-20",
        "2026-02-23",
        "2026-04-06",  # Tomb-Sweeping Day falls on the Sunday before
        "2026-05-05",
        "2026-06-19",
        "2026-09-25",
        "2026-10-07",
    ],
)
def test_days_that_the_notice_of_2026_makes_free_are_free(day: str) -> None:
    assert not is_working(here(f"{day} 10:00"), STAFF)


def test_a_clock_over_the_spring_festival_runs_on_the_made_up_saturdays_only() -> None:
    friday = here("2026-02-13 17:00")
    assert shown(add_working(friday, span(2), STAFF)) == "2026-02-14 10:00"
    assert shown(add_working(friday, span(11), STAFF)) == "2026-02-24 10:00"
    assert working_between(friday, here("2026-02-24 10:00"), STAFF) == 11 * HOUR


def test_a_clock_that_runs_out_at_closing_time_is_due_at_closing_time() -> None:
    assert shown(add_working(here("2026-03-06 16:00"), span(2), STAFF)) == "2026-03-06 18:00"
    assert shown(add_working(here("2026-03-06 20:00"), span(1), STAFF)) == "2026-03-09 10:00"


def test_no_span_needs_no_work() -> None:
    sunday = here("2026-03-08 12:00")
    assert add_working(sunday, Duration(0), STAFF) == sunday


def test_opening_time_is_work_and_closing_time_is_not() -> None:
    assert is_working(here("2026-03-06 09:00"), STAFF)
    assert not is_working(here("2026-03-06 09:00") - 1, STAFF)
    assert is_working(here("2026-03-06 18:00") - 1, STAFF)
    assert not is_working(here("2026-03-06 18:00"), STAFF)


def test_lunch_is_no_work() -> None:
    kitchen = Calendar(timezone=SHANGHAI, hours=("mon-fri 09:00-12:00", "mon-fri 13:00-18:00"))
    assert shown(add_working(here("2026-03-06 11:00"), span(2), kitchen)) == "2026-03-06 14:00"


def test_spans_that_overlap_count_once() -> None:
    twice = Calendar(timezone=SHANGHAI, hours=("mon-fri 09:00-18:00", "fri 12:00-20:00"))
    assert working_between(here("2026-03-06 00:00"), here("2026-03-07 00:00"), twice) == 11 * HOUR


def test_a_night_shift_goes_on_over_midnight_and_over_the_year() -> None:
    night = Calendar(timezone=SHANGHAI, hours=("mon-sun 22:00-06:00",))
    assert is_working(here("2026-01-01 05:00"), night)
    assert not is_working(here("2026-01-01 06:00"), night)
    assert shown(add_working(here("2025-12-31 23:00"), span(8), night)) == "2026-01-01 23:00"
    friday = Calendar(timezone=SHANGHAI, hours=("fri 22:00-06:00",))
    assert working_between(here("2026-03-02 00:00"), here("2026-03-09 00:00"), friday) == 8 * HOUR
    assert is_working(here("2026-03-07 05:59"), friday)


def test_a_week_may_be_named_over_its_end() -> None:
    assert [len(spans) for spans in week(["sat-mon 10:00-12:00"])] == [1, 0, 0, 0, 0, 1, 1]


def test_days_of_our_own_win_over_the_country_s() -> None:
    ours = Calendar(
        timezone=SHANGHAI, country="CN", hours=OFFICE, closed=(date(2026, 2, 14),), open=(date(2026, 2, 17),)
    )
    assert not is_working(here("2026-02-14 10:00"), ours)
    assert is_working(here("2026-02-17 10:00"), ours)


def test_a_sunday_that_is_opened_has_friday_s_hours_where_sundays_have_none() -> None:
    opened = Calendar(timezone=SHANGHAI, hours=("mon-thu 09:00-18:00", "fri 10:00-16:00"), open=(date(2026, 3, 8),))
    assert working_between(here("2026-03-08 00:00"), here("2026-03-09 00:00"), opened) == 6 * HOUR


def test_without_hours_a_country_works_all_of_its_working_days() -> None:
    country = Calendar(timezone=SHANGHAI, country="CN")
    assert is_working(here("2026-02-14 03:00"), country)
    assert not is_working(here("2026-03-07 12:00"), country)
    riyadh = Calendar(timezone="Asia/Riyadh", country="SA")
    assert not is_working(here("2026-03-06 12:00", "Asia/Riyadh"), riyadh)  # a Friday
    assert is_working(here("2026-03-08 12:00", "Asia/Riyadh"), riyadh)


def test_a_subdivision_has_holidays_of_its_own() -> None:
    epiphany = here("2026-01-06 10:00", BERLIN)
    assert is_working(epiphany, Calendar(timezone=BERLIN, country="DE", hours=OFFICE))
    assert not is_working(epiphany, Calendar(timezone=BERLIN, country="DE", subdivision="BY", hours=OFFICE))


def test_without_a_calendar_all_time_counts() -> None:
    assert add_working(5, span(3), None) == 5 + 3 * HOUR
    assert working_between(9, 4, None) == -5


def test_around_the_clock_is_every_hour_of_a_day_however_long() -> None:
    ever = Calendar(timezone=BERLIN)
    assert ever.always
    spring, next_day = here("2026-03-29 00:00", BERLIN), here("2026-03-30 00:00", BERLIN)
    assert working_between(spring, next_day, ever) == 23 * HOUR
    autumn, next_day = here("2026-10-25 00:00", BERLIN), here("2026-10-26 00:00", BERLIN)
    assert working_between(autumn, next_day, ever) == 25 * HOUR


def test_hours_keep_to_the_wall_clock_when_clocks_change() -> None:
    shop = Calendar(timezone=BERLIN, hours=("mon-sun 01:00-04:00",))
    spring = (here("2026-03-29 00:00", BERLIN), here("2026-03-29 12:00", BERLIN))
    assert working_between(*spring, shop) == 2 * HOUR
    autumn = (here("2026-10-25 00:00", BERLIN), here("2026-10-25 12:00", BERLIN))
    assert working_between(*autumn, shop) == 4 * HOUR


def test_hours_that_begin_in_the_hour_that_is_skipped_begin_with_the_change() -> None:
    shop = Calendar(timezone=BERLIN, hours=("mon-sun 02:30-04:00",))
    assert working_between(here("2026-03-29 00:00", BERLIN), here("2026-03-29 12:00", BERLIN), shop) == HOUR
    skipped = Calendar(timezone=BERLIN, hours=("mon-sun 02:10-02:50",))
    assert working_between(here("2026-03-29 00:00", BERLIN), here("2026-03-29 12:00", BERLIN), skipped) == 0


def test_the_next_working_day_begins_at_midnight() -> None:
    assert shown(next_working_day(here("2026-02-13 23:59"), STAFF)) == "2026-02-14 00:00"
    assert shown(next_working_day(here("2026-02-14 00:00"), STAFF)) == "2026-02-24 00:00"


@pytest.mark.parametrize(
    ("ordered", "days", "by"),
    [
        ("2026-03-06 13:59", 0, "2026-03-07 00:00"),
        ("2026-03-06 14:00", 0, "2026-03-10 00:00"),  # Friday after the cut-off counts for Monday
        ("2026-03-06 13:59", 1, "2026-03-10 00:00"),
        ("2026-03-07 08:00", 0, "2026-03-10 00:00"),
        ("2026-03-07 08:00", 2, "2026-03-12 00:00"),
        ("2026-02-14 15:00", 1, "2026-02-26 00:00"),
    ],
)
def test_dispatch_is_due_when_the_last_working_day_ends(ordered: str, days: int, by: str) -> None:
    shop = Calendar(timezone=SHANGHAI, country="CN", hours=OFFICE, cut_off="14:00")
    assert shown(dispatch_by(here(ordered), days, shop)) == by


def test_without_a_cut_off_all_of_a_working_day_counts() -> None:
    assert shown(dispatch_by(here("2026-03-06 23:59"), 0, STAFF)) == "2026-03-07 00:00"


def test_midnights_are_the_place_s_own() -> None:
    assert shown(end_of_day(here("2026-03-06 00:00"), SHANGHAI)) == "2026-03-07 00:00"
    assert is_midnight(here("2026-03-06 00:00"), SHANGHAI)
    assert not is_midnight(here("2026-03-06 00:00") + 1, SHANGHAI)
    assert not is_midnight(here("2026-03-06 00:00"), BERLIN)


def test_midnights_are_walked_after_one_instant_and_up_to_another() -> None:
    first, last = here("2026-03-06 00:00"), here("2026-03-09 00:00")
    assert [shown(one) for one in midnights(first, last, SHANGHAI)] == [f"2026-03-{day:02} 00:00" for day in (7, 8, 9)]
    assert list(midnights(first, last - 1, SHANGHAI)) == list(midnights(first, last, SHANGHAI))[:-1]
    assert list(midnights(first, first, SHANGHAI)) == []


def test_days_are_as_long_as_clock_changes_make_them() -> None:
    walked = list(midnights(here("2026-03-28 00:00", BERLIN), here("2026-03-31 00:00", BERLIN), BERLIN))
    assert [(b - a) // HOUR for a, b in pairwise(walked)] == [23, 24]


@pytest.mark.parametrize(
    ("tz", "day", "first"),
    [
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00:00+00:00"),  # clocks went from 0:00 to 1:00
        ("America/Havana", date(2024, 11, 3), "2024-11-03T04:00:00+00:00"),  # and here midnight came twice
    ],
)
def test_a_day_whose_midnight_is_skipped_or_comes_twice_begins_once(tz: str, day: date, first: str) -> None:
    assert begins(day, tz) == instant(datetime.fromisoformat(first))
    walked = list(midnights(begins(day, tz) - 2 * DAY, begins(day, tz) + 2 * DAY + HOUR, tz))
    assert [int(shown(one, tz)[8:10]) - day.day for one in walked] == [-1, 0, 1, 2]
    assert is_midnight(begins(day, tz), tz)


def test_a_day_that_was_left_out_has_no_midnight() -> None:
    samoa = "Pacific/Apia"
    walked = list(midnights(here("2011-12-28 12:00", samoa), here("2012-01-01 12:00", samoa), samoa))
    assert [shown(one, samoa)[:10] for one in walked] == ["2011-12-29", "2011-12-31", "2012-01-01"]


def test_the_end_of_a_day_is_later_even_where_clocks_are_put_back_over_midnight() -> None:
    newfoundland = "America/St_Johns"
    change = instant(datetime.fromisoformat("2010-11-07T02:31:00+00:00"))  # 0:01 became 23:01 of the day before
    ends = [end_of_day(change + minutes * 60 * SECOND, newfoundland) for minutes in range(-5, 125)]
    assert all(end > change + minutes * 60 * SECOND for minutes, end in zip(range(-5, 125), ends, strict=True))
    walked = list(midnights(change - 3 * DAY, change + 3 * DAY, newfoundland))
    assert [shown(one, newfoundland)[8:] for one in walked] == [f"{day:02} 00:00" for day in (5, 6, 7, 8, 9)]


@pytest.mark.parametrize("impossible", [-FOREVER, -(10**18), -(10**17) + 1, 2**60, 10**17, FOREVER - 1])
def test_impossible_dates_are_judged_around_the_clock(impossible: Instant) -> None:
    assert is_working(impossible, STAFF)
    assert add_working(impossible, span(1), STAFF) == min(impossible + HOUR, FOREVER)
    assert end_of_day(impossible, SHANGHAI) > min(impossible, FOREVER - 1)
    assert is_midnight(impossible, NEW_YORK) is False
    assert list(midnights(impossible, impossible + 1, "UTC")) == []
    assert next_working_day(impossible, STAFF) <= dispatch_by(impossible, 2, STAFF)


def test_from_the_beginning_to_the_end_of_time_is_a_span() -> None:
    assert 0 < working_between(-FOREVER, FOREVER, STAFF) < 2 * FOREVER
    assert add_working(0, Duration(FOREVER), STAFF) == FOREVER
