"""Replaying the log of a season in which everything goes wrong: the same incidents again, byte for byte."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.detection import FINDING_EVENTS, FindingDismissed, FindingOpened, note
from domain.detectors import DETECTORS
from domain.events import Event
from domain.history.log import Log, decode, encode
from domain.history.streams import Stream
from domain.instant import Instant
from domain.judging.sight import Heard
from domain.policies.policy import KINDS
from projections import VIEWS, rebuild
from projections.follower import Follower
from projections.views import SqliteViews
from tests.deploy.season_truth import TakenIn

# One process tells and judges the season once for all.
pytestmark = pytest.mark.xdist_group("season")


@pytest.fixture(name="told")
def a_season_that_has_been_told(taken_in: Callable[[int, int], TakenIn]) -> TakenIn:
    """Give the log of a whole season."""
    return taken_in(7, 28)


def streams(log: Log) -> dict[str, list[Event]]:
    """Give every stream that rules look at, as it is stored."""
    found: dict[str, list[Event]] = {}
    for row in log.store.select_rows(0, 10**7):
        if row.stream.partition("-")[0] in DETECTORS:
            found.setdefault(row.stream, []).append(decode(row.topic, row.state))
    return found


def derived(told: TakenIn, name: str, stored: list[Event], heard: Heard) -> list[FindingOpened]:
    """Judge a subject anew by nothing but what was heard of it and what staff said against its findings."""
    fresh = Stream(name)
    for event in (one for one in stored if not isinstance(one, (*FINDING_EVENTS, FindingDismissed))):
        fresh.state = fresh.evolve(fresh.state, event)
    if name.startswith("feed-"):
        fresh.state.spoken = told.log.store.feeds([fresh.state.id])[fresh.state.id]
    against = [one for one in stored if isinstance(one, FindingDismissed)]
    opened = _opened(told.judgement.of(name, fresh.state, told.end, heard).events)
    known: tuple[FindingOpened | FindingDismissed, ...] = (*opened, *against)
    for event in known:
        note(fresh.state.findings, event)
    said = told.judgement.of(name, fresh.state, told.end, heard).events if against else ()
    return [*opened, *_opened(said)]


def _opened(events: Any) -> list[FindingOpened]:
    return [one for one in events if isinstance(one, FindingOpened)]


def test_what_is_worked_out_anew_from_the_log_s_facts_is_what_was_found_kind_by_kind(told: TakenIn) -> None:
    heard = Heard(told.log.store.heard)
    known: Counter[tuple[str, bytes]] = Counter()
    again: Counter[tuple[str, bytes]] = Counter()
    for name, stored in streams(told.log).items():
        fresh = Stream(name)
        for event in stored:
            fresh.state = fresh.evolve(fresh.state, event)
        standing = (one.finding for one in fresh.state.findings.values() if not one.retracted)
        known.update((one.kind, _bytes(one, told.end)) for one in standing)
        again.update((one.finding.kind, _bytes(one.finding, told.end)) for one in derived(told, name, stored, heard))
    for kind in (*KINDS, "overdue_parcel"):
        assert _of(again, kind) == _of(known, kind), kind
        assert _of(known, kind), kind


def _bytes(finding: Any, until: Instant) -> bytes:
    return encode(FindingOpened(finding=finding, known_up_to=until))


def _of(found: Counter[tuple[str, bytes]], kind: str) -> Counter[bytes]:
    return Counter({told: count for (of, told), count in found.items() if of == kind})


def test_every_view_that_is_rebuilt_from_the_log_has_the_rows_of_the_one_that_followed_it(
    told: TakenIn, tmp_path: Path
) -> None:
    store = SqliteViews(tmp_path / "views.db")
    follower = Follower(store, told.log.store)
    while follower.step():
        pass
    follower.catch_up()
    found = rebuild.verify(store, told.log.store, [view.name for view in VIEWS])
    assert (found.differences, found.position) == ([], told.log.store.last_position())
    assert found.rows > 1000
    store.close()
