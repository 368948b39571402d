"""Laws of working time: what is added is found again, later stays later, and years fit together."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.calendars.calendar import Calendar, add_working, end_of_day, is_working, midnights, working_between
from domain.calendars.hours import DAYS, week
from domain.instant import DAY, HOUR, SECOND, Duration, Instant, instant, moment

ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana")
FROM, TO = (instant(datetime(year, 1, 1, tzinfo=UTC)) for year in (2024, 2028))
MINUTE = 60 * SECOND

instants = st.integers(FROM, TO)
spans = st.integers(0, 60 * DAY).map(Duration)


@st.composite
def hours(draw: st.DrawFn) -> str:
    days = sorted(draw(st.lists(st.integers(0, 6), min_size=2, max_size=2)))
    opening, closing = draw(st.lists(st.integers(0, 95), min_size=2, max_size=2, unique=True))
    times = (f"{quarter // 4:02}:{quarter % 4 * 15:02}" for quarter in (opening, closing))
    return f"{DAYS[days[0]]}-{DAYS[days[1]]} {'-'.join(times)}"


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    days = draw(st.lists(st.dates(date(2024, 1, 1), date(2027, 12, 31)), max_size=6, unique=True))
    cut = draw(st.integers(0, len(days)))
    return Calendar(
        timezone=draw(st.sampled_from(ZONES)),
        country=draw(st.sampled_from((None, "CN", "DE", "SA"))),
        hours=tuple(draw(st.lists(hours(), max_size=3))),
        closed=tuple(days[:cut]),
        open=tuple(days[cut:]),
    )


def walked(a: Instant, b: Instant, calendar: Calendar) -> int:
    """Count working time by looking at every quarter of an hour, by other means than the calendar's own."""
    return sum(15 * MINUTE for at in range(a, b, 15 * MINUTE) if is_working(at, calendar))


@given(instants, spans, calendars())
def test_what_was_added_lies_between(start: Instant, span: Duration, calendar: Calendar) -> None:
    assert working_between(start, add_working(start, span, calendar), calendar) == span


@given(instants, spans.filter(bool), calendars())
def test_nothing_earlier_would_do(start: Instant, span: Duration, calendar: Calendar) -> None:
    due = add_working(start, span, calendar)
    assert is_working(due - 1, calendar)
    assert working_between(start, due - 1, calendar) == span - 1


@given(instants, instants, spans, calendars())
def test_what_starts_later_is_due_no_earlier(one: Instant, other: Instant, span: Duration, calendar: Calendar) -> None:
    first, second = sorted((one, other))
    assert add_working(first, span, calendar) <= add_working(second, span, calendar)


@given(instants, spans, spans, calendars())
def test_more_is_due_later(start: Instant, one: Duration, other: Duration, calendar: Calendar) -> None:
    first, second = sorted((one, other))
    assert add_working(start, first, calendar) <= add_working(start, second, calendar)


@given(instants, instants, instants, calendars())
def test_spans_of_work_add_up(a: Instant, b: Instant, c: Instant, calendar: Calendar) -> None:
    assert working_between(a, b, calendar) + working_between(b, c, calendar) == working_between(a, c, calendar)
    assert abs(working_between(a, b, calendar)) <= abs(b - a)


@given(st.integers(FROM // HOUR, TO // HOUR), st.integers(1, 40), calendars())
def test_the_sum_is_what_looking_at_every_quarter_gives(start: int, days: int, calendar: Calendar) -> None:
    a = start * HOUR
    assert working_between(a, a + days * DAY, calendar) == walked(a, a + days * DAY, calendar)


@given(instants, st.sampled_from(ZONES), st.lists(hours(), min_size=1, max_size=3))
def test_the_wall_clock_says_when_work_is(at: Instant, tz: str, texts: list[str]) -> None:
    shown = moment(at).astimezone(ZoneInfo(tz)).replace(tzinfo=None)
    minutes = shown.hour * 60 + shown.minute
    spans_of = week(texts)
    today = any(opening <= minutes < closing for opening, closing in spans_of[shown.weekday()])
    before = any(minutes < closing - 1440 for _, closing in spans_of[(shown - timedelta(days=1)).weekday()])
    assert is_working(at, Calendar(timezone=tz, hours=tuple(texts))) is (today or before)


@given(instants, st.integers(0, 20 * DAY), st.sampled_from(ZONES))
def test_midnights_follow_each_other_a_day_at_a_time(after: Instant, span: int, tz: str) -> None:
    found = list(midnights(after, after + span, tz))
    assert all(after < one <= after + span for one in found)
    assert [end_of_day(one, tz) for one in found[:-1]] == found[1:]
    dates = [moment(one).astimezone(ZoneInfo(tz)).date() for one in found]
    assert all(b - a == timedelta(days=1) for a, b in pairwise(dates))
