"""Hand-computed cases for the oracle of silent feeds, and the product against it."""

import ast
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.detectors import feed_silent
from domain.feeds.feed import NOTHING, Feed, Spoken, allowed, runs, united
from domain.instant import Instant, instant, iso
from domain.policies.policy import Policy, load
from tests.draws import draws
from tests.generator.policies import toml
from tests.generator.product import SMOOTH, Event, Trouble, judged
from tests.oracle import silence as by_force
from tests.oracle.silence import Hours, Rules, Said, oracle, shuffled_into

START = datetime(2026, 3, 6, tzinfo=UTC)  # a Friday; the clocks of New York change that Sunday
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WEEK = frozenset(range(5))
OFFICE = Hours("America/New_York", WEEK, time(9), time(18))
RULES = Rules(2 * HOUR, {"/slow": 6 * HOUR, "/fast": timedelta(seconds=30)}, {"/office": OFFICE, "/slow": OFFICE})
SOURCES = ("/beats", "/office", "/slow", "/fast", "/unknown")
OFFICE_HOURS = {"timezone": "America/New_York", "hours": ["mon-fri 09:00-18:00"]}
POLICY: dict[str, Any] = {
    "kinds": {"enabled": ["feed_silent"]},
    "feed_silence": {"after": "2h", "sources": {"/slow": {"after": "6h"}, "/fast": {"after": "30s"}}},
    "calendars": {"feeds": dict.fromkeys(("/office", "/slow"), OFFICE_HOURS)},
}


def at(hours: float) -> datetime:
    return START + hours * HOUR


def spells(*said: Said, now: float = 999) -> list[Any]:
    def shown(when: datetime | None) -> float | None:
        return None if when is None else (when - START) / HOUR

    found = oracle(said, RULES, at(now))
    return [(one["source"], shown(one["due_at"]), shown(one["ended_at"])) for one in found]


def test_every_gap_is_an_episode_and_the_last_one_lasts() -> None:
    said = [Said("/beats", at(hour), beat=True) for hour in (0, 1, 5)]
    assert spells(*said) == [("/beats", 3, 5), ("/beats", 7, None)]


def test_on_the_dot_is_in_time() -> None:
    said = [Said("/beats", at(0), beat=True), Said("/beats", at(2))]
    assert spells(*said, now=4) == []
    assert spells(*said, now=4.01) == [("/beats", 4, None)]


def test_what_nobody_promised_is_not_missed() -> None:
    assert spells(Said("/unknown", at(0)), Said("/unknown", at(50))) == []
    assert spells() == []


def test_before_its_first_heartbeat_a_source_need_not_speak_around_the_clock() -> None:
    said = (Said("/beats", at(0)), Said("/beats", at(50), beat=True), Said("/beats", at(60)))
    assert spells(*said, now=61) == [("/beats", 52, 60)]


def test_a_night_and_a_weekend_are_no_silence() -> None:
    # Friday 17:00 in New York; one hour is left, the other one is worked on Monday by summer time.
    assert spells(Said("/office", at(22))) == [("/office", 24 * 3 + 14, None)]
    assert spells(Said("/office", at(22)), Said("/office", at(86))) == [("/office", 88, None)]


def test_the_office_s_first_heartbeat_ends_its_nights() -> None:
    assert spells(Said("/office", at(22), beat=True)) == [("/office", 24, None)]


def test_a_source_may_have_a_silence_of_its_own_but_none_below_a_minute() -> None:
    assert spells(Said("/slow", at(0), beat=True)) == [("/slow", 6, None)]
    assert spells(Said("/fast", at(0), beat=True)) == [("/fast", 1 / 60, None)]


def test_a_clock_that_was_never_set_says_nothing() -> None:
    said = (Said("/beats", datetime(1970, 1, 1, tzinfo=UTC), beat=True), Said("/beats", at(0)))
    assert spells(*said) == []


def test_the_oracle_shares_nothing_with_the_product() -> None:
    tree = ast.parse(Path(by_force.__file__).read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names = {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    assert {str(one).split(".")[0] for one in modules | names} <= {
        "collections",
        "dataclasses",
        "datetime",
        "typing",
        "zoneinfo",
    }


OFFSETS = st.integers(0, 90).map(lambda n: n * HOUR) | st.integers(0, 90 * 60).map(lambda n: n * MINUTE)
NEAR = st.sampled_from((0, 1, 2, 59, 60, 61, 119, 120, 121, 360, 361)).map(lambda n: n * MINUTE)


@st.composite
def histories(draw: st.DrawFn) -> list[Said]:
    """What a few sources say over some days, often just as long apart as policy allows; some beat, some once do."""
    said: list[Said] = []
    for source in draw(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=3, unique=True)):
        when = START + draw(OFFSETS)
        beats = draw(st.sampled_from((0.0, 0.3, 1.0)))
        for _ in range(draw(st.integers(1, 12))):
            said.append(Said(source, when, draw(st.floats(0, 1)) < beats))
            when += draw(NEAR | OFFSETS)
    if draw(st.booleans()):
        said.append(Said(said[0].source, datetime(1999, 12, 31, tzinfo=UTC), draw(st.booleans())))
    return [replace(one, id=f"{number}") for number, one in enumerate(said)]


def expected(said: Sequence[Said], now: datetime) -> list[tuple[Any, ...]]:
    return [
        (one["source"], *map(_iso, (one["due_at"], one["ended_at"], one["last"])), one["beating"], one["proof"])
        for one in oracle(said, RULES, now)
    ]


def _iso(when: datetime | None) -> str | None:
    return None if when is None else iso(instant(when))


def product(said: Sequence[Sequence[Said]], policy: Policy, until: Instant) -> list[tuple[Any, ...]]:
    found = []
    for feed in feeds(said, policy):
        for one in feed_silent.findings(feed, until, policy):
            ended = None if one.ended_at is None else iso(one.ended_at)
            told = (one.detail["last_event_at"], one.detail["heartbeats"], [*one.proof])
            found.append((one.subject, iso(one.due_at), ended, *told))
    return sorted(found)


def feeds(batches: Sequence[Sequence[Said]], policy: Policy) -> list[Feed]:
    """Put together what batches say, as the follower of the log does."""
    known: dict[str, Spoken] = {}
    for batch in batches:
        for source in {one.source for one in batch}:
            mine = [one for one in batch if one.source == source]
            beats = [instant(one.at) for one in mine if one.beat and one.at >= by_force.CLOCKS_WERE_SET]
            more = Spoken(runs((instant(one.at), one.id) for one in mine), min(beats, default=None))
            known[source] = united(known.get(source, NOTHING), more, allowed(policy, source))
    made = []
    for source, spoken in sorted(known.items()):
        feed = Feed(source)
        feed.spoken = spoken
        made.append(feed)
    return made


@settings(max_examples=draws(300), deadline=None)
@given(histories(), st.data())
def test_the_product_finds_the_same_in_any_order_and_any_batches(said: list[Said], data: st.DataObject) -> None:
    repeated = [*said, *data.draw(st.lists(st.sampled_from(said), max_size=5))]
    order = data.draw(st.permutations(range(len(repeated))))
    sizes = data.draw(st.lists(st.integers(1, 5), max_size=12))
    now = data.draw(st.sampled_from([one.at for one in said])) + data.draw(NEAR | OFFSETS)
    policy = load(toml(POLICY))
    assert product(shuffled_into(repeated, order, sizes), policy, instant(now)) == expected(said, now)


@settings(max_examples=draws(150), deadline=None)
@given(histories(), st.lists(st.integers(0, 200 * 60), min_size=1, max_size=6))
def test_nothing_is_news_before_it_is_time_to_look_again(said: list[Said], steps: list[int]) -> None:
    policy = load(toml(POLICY))
    for feed in feeds([said], policy):
        for step in steps:
            until = instant(START + step * MINUTE)
            again = feed_silent.look_again(feed, until, policy)
            assert again is None or again >= until
            then = instant(START + timedelta(days=900)) if again is None else again
            assert feed_silent.findings(feed, then, policy) == feed_silent.findings(feed, until, policy)
            assert again is None or len(feed_silent.findings(feed, again + 1, policy)) > len(
                feed_silent.findings(feed, until, policy)
            )


TROUBLES = st.builds(Trouble, by_topic=st.booleans(), restarts=st.booleans(), redelivers=st.booleans())


@settings(max_examples=draws(40), deadline=None)
@given(histories(), TROUBLES | st.just(SMOOTH), st.data())
def test_the_whole_product_finds_the_same_whatever_happens_on_the_way(
    said: list[Said], trouble: Trouble, data: st.DataObject
) -> None:
    events = [*map(_event, said)]
    events += data.draw(st.lists(st.sampled_from(events), max_size=4))
    arriving = data.draw(st.permutations(events))
    batches = [*data.draw(st.lists(st.integers(1, 6), max_size=8)), len(events)]
    found = judged(arriving, batches, POLICY, trouble)
    assert {one["kind"] for one in found} <= {"feed_silent"}
    shown = [
        (one["subject"], one["due_at"], one["ended_at"], detail["last_event_at"], detail["heartbeats"], one["proof"])
        for one in found
        for detail in (one["detail"],)
    ]
    assert sorted(shown) == expected(said, max(one.at for one in said))


def _event(one: Said) -> Event:
    kind = "feed.heartbeat.v1" if one.beat else ("price.changed.v1", "weather.changed.v1")[int(one.id) % 2]
    data = {"sku": "A", "price": "1"} if kind.startswith("price") else {}
    at = one.at.isoformat().replace("+00:00", "Z")
    return {"specversion": "1.0", "id": one.id, "source": one.source, "type": kind, "time": at, "data": data}
