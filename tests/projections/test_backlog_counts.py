"""Tallies say what counting would: over a season, every place, many instants, and the rule's own midnights."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec
import pytest

from domain.calendars.midnight import midnights
from domain.groups.backlog import Backlog
from domain.history.log import decode
from domain.history.streams import Stream
from domain.instant import DAY, HOUR
from projections import queue
from projections.stays import LEFT, Stay
from projections.tallies import Place
from tests.projections.stage import Stage, stage
from tests.projections.told import tell_season
from tests.story import DAWN

STAYS = msgspec.json.Decoder(list[Stay]).decode
TIMES = [DAWN + round(hours * HOUR) for hours in (3.2, 24, 30.1, 47.99, 60, 71.5)]


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("season")) as told:
        told.desk.tracker = tell_season(told.log, datetime(2026, 3, 1, tzinfo=UTC), days=3)
        while told.desk.tracker.group(DAWN + 4 * DAY):
            pass
        told.follow()
        yield told


def lying(told: Stage) -> dict[Place, list[tuple[int, int | None]]]:
    """List (since, promise) of what is open at each place."""
    found: dict[Place, list[tuple[int, int | None]]] = {}
    for what, place, since, promise in told.query(
        "SELECT what, place, entered, promise FROM queue WHERE standing = 'open'"
    ):
        found.setdefault(Place(what, place), []).append((since, promise))
    return found


def left(told: Stage) -> dict[Place, list[int]]:
    """List when things left each place."""
    found: dict[Place, list[int]] = {}
    for one in stays(told):
        if one.standing == LEFT:
            found.setdefault(Place(one.what, one.place), []).append(one.at)
    return found


def stays(told: Stage) -> Iterator[Stay]:
    for (body,) in told.query("SELECT body FROM stays"):
        yield from STAYS(body)


def backlogs(told: Stage) -> Iterator[Backlog]:
    """Fold every backlog from the log, as the rule reads it."""
    names = [row[0] for row in told.query("SELECT DISTINCT stream FROM late_spans")]
    for name in names:
        folded = Stream(name)
        for row in told.log.store.select_streams([name]):
            folded.state = folded.evolve(folded.state, decode(row.topic, row.state))
        yield folded.state


def test_what_is_open_and_late_is_what_counting_gives(season: Stage) -> None:
    places = lying(season)
    assert {place.what for place in places} == {"warehouse", "carrier", "facility"}
    with season.store.reading() as rows:
        for place, things in places.items():
            for now in TIMES:
                assert queue.open_at(rows, place, now) == sum(since <= now for since, _ in things)
                promises = sorted(promise for _, promise in things if promise is not None)
                assert queue.late_at(rows, place, now) == sum(promise < now for promise in promises)
                ages = [now - since for since, _ in things if since <= now]
                young = sum(age < DAY for age in ages)
                assert queue.ages(rows, place, now, (DAY,)) == [young, len(ages) - young]
                following = queue.next_promise(rows, place, now)
                wanted = next((one for one in promises if one >= now), None)
                assert (None if following is None else following.promise) == wanted
        totals = {one.place: one.open for one in queue.lying(rows, 500)}
    assert {place: len(things) for place, things in places.items()} == {k: v for k, v in totals.items() if v}


def test_what_went_on_is_what_counting_gives(season: Stage) -> None:
    places = left(season)
    assert len(places) > 5
    with season.store.reading() as rows:
        for place, instants in places.items():
            for now in TIMES:
                pace = queue.pace(rows, place, now)
                assert pace.done == sum(pace.since < at <= pace.until for at in instants)


def test_what_is_promised_is_broken_where_the_queue_by_promise_comes_too_late(season: Stage) -> None:
    judged = 0
    with season.store.reading() as rows:
        for place, things in lying(season).items():
            promises = sorted(promise for _, promise in things if promise is not None)
            for now in TIMES:
                pace = queue.pace(rows, place, now)
                spans = queue.late_spans(rows, place, now, pace)
                for promise in (one for one in promises if one >= now and pace.done):
                    ends = -(-promise // queue.QUARTER) * queue.QUARTER
                    before = sum(one <= ends for one in promises)
                    late = now + before * DAY / pace.done > ends
                    assert any(one.after < promise <= one.until for one in spans) == late
                    judged += 1
    assert judged > 50


def test_midnights_are_counted_as_the_rule_counts_them(season: Stage) -> None:
    counted: list[int] = []
    with season.store.reading() as rows:
        for backlog in backlogs(season):
            for zone in ("Asia/Shanghai", "UTC", "Asia/Kathmandu"):
                for at in midnights(DAWN, DAWN + 40 * DAY, zone):
                    count = len([*backlog.census(zone).counted(at, at)])
                    assert queue.counted(rows, Place(backlog.what, backlog.name), at) == count
                    counted.append(count)
    assert sum(counted) > 20
