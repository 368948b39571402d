"""Backlogs: what a place records, what its findings say, and when they are looked for again."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.detection import FindingOpened, Look
from domain.detectors import carrier_backlog, warehouse_backlog
from domain.groups import crowd
from domain.groups.backlog import Backlog, BacklogMemberChanged, decide, evolve
from domain.groups.census import MEMORY, Midnight
from domain.history.streams import Stream
from domain.instant import DAY, FOREVER, HOUR, Instant, instant, moment
from domain.naming import stream
from domain.policies.policy import Backlog as Rule
from domain.policies.policy import load

POLICY = load('timezone = "UTC"\n[warehouse_backlog]\nminimum = 3\n[carrier_backlog]\nminimum = 3')
FIRST, LAST = -62_135_596_800_000_000, 253_402_300_799_999_999


def member(name: str, since: float = 0.5, until: float | None = None, **said: Any) -> BacklogMemberChanged:
    ends = None if until is None else int(until * DAY)
    told = {"order_ids": (f"O{name}",), "proof": (f"/s#{name}",), **said}
    return BacklogMemberChanged(member=name, since=int(since * DAY), until=ends, **told)


def place(*members: BacklogMemberChanged, identity: str = "warehouse-W") -> Backlog:
    state = Backlog(identity)
    for one in members:
        for event in decide(state, one):
            evolve(state, event)
    return state


def look(state: Backlog, until: float) -> Look:
    return warehouse_backlog.DETECTOR.look(state, int(until * DAY), POLICY)


def three(since: float = 0.5, until: float | None = None) -> list[BacklogMemberChanged]:
    return [member(name, since, until) for name in "abc"]


def test_a_name_with_dashes_is_kept_whole() -> None:
    state = Stream(stream("backlog", "warehouse", "W-1 Ü")).state
    assert (state.what, state.name, state.id) == ("warehouse", "W-1 Ü", "warehouse-W-1 Ü")


def test_what_is_known_is_recorded_once() -> None:
    state = place(member("a"))
    assert decide(state, member("a")) == ()
    assert decide(state, member("a", until=3)) == (member("a", until=3),)
    assert decide(state, member("a", gone=True)) == (member("a", gone=True),)


def test_what_never_counted_cannot_go() -> None:
    assert decide(place(), member("a", gone=True)) == ()
    assert decide(place(member("a"), member("a", gone=True)), member("a", gone=True)) == ()


def test_a_finding_says_who_since_when_and_why() -> None:
    members = [member(name, 0.5 + n / 24) for n, name in enumerate("abcde")]
    [found] = look(place(*members), 3.5).findings
    assert (found.kind, found.subject, found.warehouse_id) == ("warehouse_backlog", "W", "W")
    assert (found.since, found.due_at, found.ended_at) == (DAY, DAY, None)
    assert found.order_ids == ("Oa", "Ob", "Oc", "Od", "Oe")
    assert found.proof == ("/s#a", "/s#b", "/s#c")
    assert found.knowable_at == 2 * DAY
    assert found.detail == {
        "severity": {"members": 1},
        "cleared_by": warehouse_backlog.CLEARED_BY,
        "knowable_at": "1970-01-03T00:00:00Z",
        "place": "warehouse",
        "opened_with": [5, 5],
        "needed": [3, 3],
        "peak": 5,
        "peak_at": "1970-01-02T00:00:00Z",
        "count": 5,
        "counted_at": "1970-01-04T00:00:00Z",
        "members": 5,
    }


def test_the_proof_covers_both_midnights() -> None:
    short = [member(name, 0.5, 1.5) for name in "abc"]
    later = [member(name, 1.5) for name in "xyz"]
    [found] = look(place(*later, *short), 2.5).findings
    assert found.proof == ("/s#a", "/s#b", "/s#c", "/s#x", "/s#y", "/s#z")


def test_an_ended_backlog_keeps_its_members_and_says_when() -> None:
    [found] = look(place(*three(until=2.5), member("other", 8, 8.1)), 9).findings
    assert (found.ended_at, found.state, found.order_ids) == (3 * DAY, "ended", ("Oa", "Ob", "Oc"))


@pytest.mark.parametrize(("size", "points", "grade"), [(3, 1, "medium"), (30, 2, "high"), (300, 3, "critical")])
def test_more_members_weigh_more(size: int, points: int, grade: str) -> None:
    [found] = look(place(*(member(str(n)) for n in range(size))), 3).findings
    assert (found.severity, found.detail["severity"]) == (grade, {"members": points})


@pytest.mark.parametrize(("identity", "carrier"), [("carrier-SF", "SF"), ("facility-SF", None)])
def test_a_carrier_and_a_facility_have_carrier_backlogs(identity: str, carrier: str | None) -> None:
    state = place(*three(), identity=identity)
    [found] = carrier_backlog.findings(state, 3 * DAY, POLICY)
    assert (found.kind, found.subject, found.carrier) == ("carrier_backlog", "SF", carrier)
    assert found.detail["place"] == identity.partition("-")[0]
    assert warehouse_backlog.DETECTOR.look(state, 3 * DAY, POLICY) == Look((), None)
    assert carrier_backlog.DETECTOR.look(place(*three()), 3 * DAY, POLICY) == Look((), None)


def test_each_kind_has_its_own_rule() -> None:
    policy = load('timezone = "UTC"\n[warehouse_backlog]\nminimum = 3\n[carrier_backlog]\nminimum = 4')
    assert len(warehouse_backlog.findings(place(*three()), 3 * DAY, policy)) == 1
    assert carrier_backlog.findings(place(*three(), identity="carrier-SF"), 3 * DAY, policy) == ()


def test_a_warehouse_with_a_zone_has_its_own_midnights() -> None:
    policy = load(
        'timezone = "UTC"\n[warehouse_backlog]\nminimum = 3\n[calendars.warehouses.W]\ntimezone = "Asia/Tokyo"'
    )
    [found] = warehouse_backlog.findings(place(*three()), 3 * DAY, policy)
    assert found.since == DAY - 9 * HOUR


def test_it_waits_for_the_feeds_that_policy_names() -> None:
    policy = load('feeds = {W = ["/w/1", "/w/2"], SF = ["/sf"]}')
    assert warehouse_backlog.DETECTOR.sources(place(), policy) == ("/w/1", "/w/2")
    assert carrier_backlog.DETECTOR.sources(place(identity="carrier-SF"), policy) == ("/sf",)
    assert carrier_backlog.DETECTOR.sources(place(identity="carrier-YT"), policy) == ()


def test_it_is_looked_at_again_at_the_midnights_that_may_matter() -> None:
    state = place(member("a", 0.5, 2.5), member("b", 10.5))
    assert [look(state, at).again for at in (0, 1, 1.1, 2.1, 11.5)] == [DAY, DAY, 2 * DAY, 11 * DAY, 12 * DAY]
    assert look(place(), 5).again is None


def test_an_open_backlog_is_looked_at_until_the_midnight_that_ends_it() -> None:
    state = place(*three(until=2.5))
    assert [look(state, at).again for at in (2.5, 3, 3.1)] == [3 * DAY, 3 * DAY, None]


def test_looking_again_when_nothing_happened_costs_nothing() -> None:
    state = place(*three())
    seen = look(state, 2.1)
    assert look(state, 2.9) is seen
    assert look(state, 3) is seen
    assert warehouse_backlog.DETECTOR.look(state, 3 * DAY + 1, POLICY) is not seen
    evolve(state, member("d", 2.2))
    assert look(state, 3).findings == seen.findings
    assert look(state, 3) is not seen


def test_its_own_findings_change_nothing_to_be_seen() -> None:
    state = place(*three())
    seen = look(state, 2.1)
    evolve(state, FindingOpened(finding=seen.findings[0], known_up_to=0))
    assert state.findings[seen.findings[0].key].finding == seen.findings[0]
    assert (look(state, 2.1) is seen, state.version) == (True, 3)


def test_two_policies_do_not_disturb_each_other() -> None:
    state = place(*three())
    other = msgspec.structs.replace(POLICY, timezone="Asia/Tokyo", warehouse_backlog=Rule(4), hash="other")
    assert warehouse_backlog.findings(state, 3 * DAY, other) == ()
    assert len(look(state, 3).findings) == 1
    evolve(state, member("d"))
    assert [one.since for one in warehouse_backlog.findings(state, 3 * DAY, other)] == [DAY - 9 * HOUR]


@pytest.mark.parametrize("at", [FIRST, FIRST + 1, LAST, LAST - 40 * DAY, FOREVER - 1])
def test_impossible_dates_are_survived(at: Instant) -> None:
    strange = [BacklogMemberChanged(member=f"s{n}", order_ids=("O",), since=at) for n in range(3)]
    state = place(*three(until=2.5), *strange)
    look(state, 5)
    found = warehouse_backlog.findings(state, FOREVER, POLICY)
    assert (DAY, 3 * DAY) in {(one.since, one.ended_at) for one in found}
    assert all(one.ended_at is None or one.ended_at > one.since for one in found)


def test_a_place_with_years_between_its_troubles_is_judged_afresh() -> None:
    years = [member(f"{year}{name}", year * 365.5, year * 365.5 + 2) for year in range(1, 40) for name in "abc"]
    found = look(place(*years), 40 * 366).findings
    assert len(found) == 39
    assert {moment(one.since).year for one in found} == set(range(1971, 2010))


def test_the_calendar_s_first_days_are_no_special_case() -> None:
    start = instant(moment(FIRST)) // DAY
    [found] = look(place(*three(start + 1.5, start + 4.5)), 0).findings
    assert (found.since, found.ended_at) == ((start + 2) * DAY, (start + 5) * DAY)


# Looking again


@st.composite
def heard(draw: st.DrawFn) -> BacklogMemberChanged:
    """Draw what is said of one of a few members, over half a year."""
    since = draw(st.integers(0, 180)) + 0.5
    until = draw(st.none() | st.integers(1, 40).map(lambda days: since + days))
    said = {"gone": True} if draw(st.integers(0, 9)) == 0 else {"proof": (draw(st.sampled_from(["/s#1", "/s#2"])),)}
    return member(draw(st.sampled_from("abcdefgh")), since, until, **said)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(heard(), st.integers(1, 220)), max_size=30))
@pytest.mark.parametrize("kept", [1, 100])
def test_whatever_was_seen_before_a_look_finds_what_a_first_look_finds(
    monkeypatch: pytest.MonkeyPatch, kept: int, told: list[tuple[BacklogMemberChanged, int]]
) -> None:
    monkeypatch.setattr(crowd, "_KEPT", kept * MEMORY)
    known = place()
    for turn, (one, until) in enumerate(told, 1):
        for event in decide(known, one):
            evolve(known, event)
        assert look(known, until) == look(place(*(each for each, _ in told[:turn])), until)


def test_of_a_place_with_a_long_past_only_the_last_weeks_are_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    state = place(
        *(member(f"{day}{name}", day + 0.5, day + 0.9 + n % 3) for day in range(400) for n, name in enumerate("abcd"))
    )
    look(state, 400)
    judged: list[object] = []
    judge = crowd.Crowds._judge

    def counted(self: crowd.Crowds, one: Midnight) -> Any:
        judged.append(one)
        return judge(self, one)

    monkeypatch.setattr(crowd.Crowds, "_judge", counted)
    evolve(state, member("new", 395.5))
    evolve(state, member("395a", 395.5, 398.9))
    look(state, 401)
    assert 0 < len(judged) <= 6
    evolve(state, member("200a", 200.5, 200.9 + 60))
    evolve(state, member("200a", 200.5, 200.9 + 90))
    judged.clear()
    look(state, 401)
    assert len(judged) == 200
