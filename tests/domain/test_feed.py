"""Feeds: which spans are kept, what is a silence, and what a silent feed makes of a finding that did not wait."""

import msgspec
import pytest

from domain.detection import Finding, FindingOpened, FindingRetracted
from domain.detectors import feed_silent
from domain.feeds.feed import (
    NOTHING,
    RESOLUTION,
    Feed,
    Span,
    Spoken,
    allowed,
    credible,
    doubt,
    evidence,
    evolve,
    is_open,
    joined,
    runs,
    serves,
    united,
)
from domain.history.batch import BatchTaken
from domain.history.streams import Stream
from domain.history.tally import Tally
from domain.instant import FOREVER, SECOND, instant, moment
from domain.naming import stream
from domain.policies.policy import DEFAULT, Policy, load
from tests.story import DAWN, LATER, at, heartbeat, hours, incoming_of, placed, written

MINUTE = 60 * SECOND
OFFICE = load('[calendars.feeds."/wms"]\ntimezone = "UTC"\nhours = ["mon-fri 09:00-18:00"]')


def feed(*spans: tuple[float, float], beats: float | None = None, source: str = "/wms") -> Feed:
    made = Feed(source)
    made.spoken = Spoken(tuple(Span(at(a), at(b), f"{b:g}") for a, b in spans), None if beats is None else at(beats))
    return made


def spoken(*spans: tuple[int, int], beats: int | None = None) -> Spoken:
    return Spoken(tuple(Span(*one) for one in spans), beats)


def silent(one: Feed, until: float = 9999, policy: Policy = DEFAULT) -> list[tuple[float | None, float | None]]:
    return [(hours(f.due_at), hours(f.ended_at)) for f in feed_silent.findings(one, at(until), policy)]


# What is kept


def test_event_times_become_runs_without_a_gap_of_more_than_a_minute() -> None:
    times = [DAWN + MINUTE * n for n in (0, 1, 2, 5, 7)]
    said = [*zip(times, "abcde", strict=True)]
    ends = (times[0], times[2], "c"), (times[3], times[3], "d"), (times[4], times[4], "e")
    assert runs(reversed(said)) == ends
    assert len(runs([(DAWN, "a"), (DAWN + RESOLUTION, "b")])) == 1
    assert len(runs([(DAWN, "a"), (DAWN + RESOLUTION + 1, "b")])) == 2
    assert runs([]) == ()


def test_of_several_events_of_one_instant_the_greatest_id_ends_a_run() -> None:
    assert runs([(DAWN, "b"), (DAWN, "c"), (DAWN, "a")]) == ((DAWN, DAWN, "c"),)
    assert joined([Span(0, 5, "a"), Span(1, 5, "c"), Span(2, 5, "b"), Span(0, 4, "d")], 0) == ((0, 5, "c"),)
    known, more = Spoken((Span(0, 5, "a"), Span(9, 9, "x"))), Spoken((Span(0, 5, "b"), Span(9, 9, "x")))
    assert more.says_news(known)
    assert not Spoken((Span(0, 5, "a"), Span(9, 9, "y"))).says_news(known)


def test_a_clock_that_was_never_set_is_no_proof_of_life() -> None:
    century = instant(moment(0).replace(year=2000))
    said = [(when, "x") for when in (-FOREVER, 0, century - 1, century, DAWN)]
    assert runs(said) == ((century, century, "x"), (DAWN, DAWN, "x"))
    assert (credible(century - 1), credible(century)) == (False, True)
    assert runs([(0, "x")]) == ()


def test_spans_unite_whatever_comes_first() -> None:
    one, other = spoken((0, 5), (30, 40), beats=3), spoken((8, 12), (33, 50), beats=1)
    assert united(one, other, 3) == united(other, one, 3) == spoken((0, 12), (30, 50), beats=1)
    assert united(one, NOTHING, 3) == united(one, one, 3) == one
    assert joined(spoken((0, 9), (2, 3)).spans, 0) == spoken((0, 9)).spans


def test_going_on_speaking_is_no_news() -> None:
    known = spoken((0, 5), (30, 40), beats=3)
    assert not spoken((0, 5), (30, 99), beats=3).says_news(known)
    assert spoken((0, 6), (30, 40), beats=3).says_news(known)
    assert spoken((0, 5), (29, 40), beats=3).says_news(known)
    assert spoken((0, 5), (30, 40), beats=2).says_news(known)
    assert spoken((0, 40), beats=3).says_news(known)
    assert known.says_news(NOTHING)
    assert not NOTHING.says_news(NOTHING)
    assert (known.last, NOTHING.last) == (40, None)


def test_a_batch_says_when_each_source_spoke_and_first_beat() -> None:
    tally = Tally()
    said = [placed(0), heartbeat(2), heartbeat(1), heartbeat(2.01, "/b")]
    for one in said:
        tally.add(one, incoming_of(written(one)), repeated=False)
    own, other = [(one.at, one.id) for one in said[:3]], [(said[3].at, said[3].id)]
    assert tally.spans() == {"/s": runs(own), "/b": runs(other)}
    assert tally.beats == {"/s": at(1), "/b": at(2.01)}


def test_a_heartbeat_of_a_clock_that_was_never_set_is_none() -> None:
    tally = Tally()
    never = msgspec.structs.replace(heartbeat(0), at=5)
    tally.add(never, incoming_of(written(never)), repeated=False)
    assert (tally.spans(), tally.beats) == ({}, {})


def test_a_batch_of_an_older_version_tells_of_no_silence() -> None:
    older = dict.fromkeys(("number", "first", "next", "records", "taken", "repeated", "foreign", "received_at"), 0)
    taken = msgspec.convert({**older, "partition": "p", "topic": "t"}, BatchTaken)
    assert (taken.spans, taken.beats) == ({}, {})


def test_its_stream_holds_its_findings_and_not_when_it_spoke() -> None:
    state = Stream(stream("feed", "/carriers/sf-1")).state
    assert (state.id, state.spoken, is_open(state)) == ("/carriers/sf-1", NOTHING, False)
    state.spoken = spoken((DAWN, DAWN), beats=DAWN)
    [found] = feed_silent.findings(state, LATER, DEFAULT)
    evolve(state, FindingOpened(finding=found, known_up_to=LATER))
    assert not state.findings[found.key].retracted
    evolve(state, FindingRetracted(finding=found, known_up_to=LATER))
    assert state.findings[found.key].retracted
    assert is_open(state)


# What is a silence


def test_before_its_first_event_a_source_is_not_silent() -> None:
    assert silent(feed(beats=0)) == []
    assert feed_silent.look_again(feed(beats=0), at(0), DEFAULT) is None


def test_every_gap_is_an_episode_and_the_last_one_lasts() -> None:
    one = feed((0, 1), (5, 6), beats=0)
    assert silent(one) == [(3, 5), (8, None)]
    assert silent(one, 3) == []
    assert feed_silent.findings(one, at(3) + 1, DEFAULT)[0].due_at == at(3)
    assert [hours(feed_silent.look_again(one, at(n), DEFAULT)) for n in (2, 3, 4, 8, 9)] == [3, 3, 8, 8, None]


def test_an_event_on_the_dot_is_in_time() -> None:
    assert silent(feed((0, 1), (3, 3), beats=0)) == [(5, None)]


def test_a_source_with_neither_heartbeats_nor_a_calendar_is_not_judged() -> None:
    assert silent(feed((0, 0), (500, 500))) == []
    assert feed_silent.look_again(feed((0, 0)), at(1), DEFAULT) is None


def test_what_was_before_the_first_heartbeat_stays_unjudged() -> None:
    assert silent(feed((0, 0), (50, 50), (60, 60), beats=50)) == [(52, 60), (62, None)]


def test_without_heartbeats_a_night_and_a_weekend_are_no_silence() -> None:
    # Dawn is a Sunday: Monday is worked from hour 33 to 42, Tuesday from 57.
    assert silent(feed((41, 41), (57.5, 57.5)), 59, OFFICE) == []
    assert silent(feed((41, 41), (59, 59)), 60, OFFICE) == [(58, 59)]
    assert silent(feed((0, 0)), 99, OFFICE) == [(35, None)]
    friday = 4 * 24 + 41
    assert silent(feed((friday, friday)), policy=OFFICE) == [(friday + 64 + 1, None)]


def test_heartbeats_count_around_the_clock_whatever_the_calendar() -> None:
    assert silent(feed((41, 41), beats=40), policy=OFFICE) == [(43, None)]


def test_a_calendar_that_never_closes_is_around_the_clock() -> None:
    policy = load('[calendars.feeds."*"]\ntimezone = "UTC"')
    assert silent(feed((41, 41)), policy=policy) == [(43, None)]


def test_a_source_may_have_a_silence_of_its_own_but_none_shorter_than_what_is_kept() -> None:
    policy = load('[feed_silence]\nafter = "1h"\n[feed_silence.sources."/wms"]\nafter = "6h"')
    assert silent(feed((0, 0), beats=0), policy=policy) == [(6, None)]
    assert silent(feed((0, 0), beats=0, source="/b"), policy=policy) == [(1, None)]
    assert allowed(load('[feed_silence]\nafter = "5s"'), "/wms") == RESOLUTION


def test_a_finding_says_since_when_and_what_depends_on_it() -> None:
    policy = load('feeds = {W = ["/wms"], SF = ["/sf"], V = ["/x", "/wms"]}')
    [found] = feed_silent.findings(feed((0, 1), beats=0.5), LATER, policy)
    assert (found.kind, found.subject, found.rule, found.order_ids, found.proof) == (
        "feed_silent",
        "/wms",
        "silence",
        (),
        ("/wms#1",),
    )
    assert (found.since, found.due_at, found.state, found.policy) == (at(3), at(3), "open", policy.hash)
    assert found.incident == "incident-feed_silent-%2Fwms"
    assert found.detail == {
        "severity": {"serves": 2},
        "cleared_by": feed_silent.CLEARED_BY,
        "last_event_at": "2026-03-01T01:00:00Z",
        "after_seconds": 7200,
        "heartbeats": True,
        "serves": ["V", "W"],
    }


def test_a_silence_of_which_an_older_log_keeps_only_the_time_proves_nothing() -> None:
    made = Feed("/wms")
    made.spoken = spoken((DAWN, DAWN), beats=DAWN)
    [found] = feed_silent.findings(made, LATER, DEFAULT)
    assert (found.proof, found.detail["last_event_at"]) == ((), "2026-03-01T00:00:00Z")


def test_in_its_hours_a_finding_says_that_there_were_no_heartbeats() -> None:
    [found] = feed_silent.findings(feed((0, 0)), LATER, OFFICE)
    assert found.detail["heartbeats"] is False


@pytest.mark.parametrize(
    ("places", "grade"), [(0, "low"), (1, "medium"), (2, "high"), (3, "critical"), (9, "critical")]
)
def test_the_more_a_feed_serves_the_more_its_silence_weighs(places: int, grade: str) -> None:
    policy = load("[feeds]\n" + "".join(f'W{n} = ["/wms"]\n' for n in range(places)))
    assert len(serves("/wms", policy)) == places
    [found] = feed_silent.findings(feed((0, 0), beats=0), LATER, policy)
    assert found.severity == grade


def test_years_of_nights_are_judged_by_the_calendar_of_each() -> None:
    days = [(24 * n + 10.0, 24 * n + 17.0) for n in range(800)]
    assert silent(feed(*days), 24 * 799 + 17, OFFICE) == []


def test_a_year_beyond_all_calendars_is_survived() -> None:
    last = 253_402_300_799_999_999
    made = Feed("/wms")
    made.spoken = spoken((DAWN, DAWN), (last, last))
    found = feed_silent.findings(made, FOREVER, OFFICE)
    assert [one.ended_at for one in found] == [last, None]
    assert feed_silent.look_again(made, FOREVER, OFFICE) is None


# What did not wait for its feed

LATE = Finding(
    kind="late_shipment", subject="F", since=at(9), due_at=at(9), order_ids=("O",), rule="ship_by", policy="",
    proof=(), severity="low", warehouse_id="W", carrier="SF",
)  # fmt: skip
MAPPED = load('feeds = {W = ["/wms"], SF = ["/sf", "/sf/2"]}')


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ({"/wms": 10, "/sf": 10, "/sf/2": 10}, None),
        ({"/wms": 8, "/sf": 10, "/sf/2": 10}, "feed silent since 2026-03-01T08:00:00Z"),
        ({"/wms": 9, "/sf": 10, "/sf/2": 10}, "feed silent since 2026-03-01T09:00:00Z"),
        ({"/wms": 10, "/sf": 7, "/sf/2": 6}, "feed silent since 2026-03-01T06:00:00Z"),
        ({"/wms": 10, "/sf": 10}, "feed never heard"),
    ],
)
def test_a_finding_that_did_not_wait_says_that_its_feed_is_silent(heard: dict[str, float], told: str | None) -> None:
    assert evidence(LATE, {source: at(when) for source, when in heard.items()}, MAPPED) == told


def test_a_place_that_policy_maps_to_no_feed_says_nothing() -> None:
    assert doubt(("W", "SF"), at(9), {"/wms": at(1)}, DEFAULT) is None
    assert doubt((None, None), at(9), {}, MAPPED) is None
    assert doubt(("W", None), at(9), {"/wms": at(1)}, MAPPED) == "feed silent since 2026-03-01T01:00:00Z"
