"""One run: set the scene, kill, let everything come to rest, judge."""

import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests.chaos.control import INGEST, TICKER
from tests.chaos.kills import USUAL, Habits, Killed, Killer
from tests.chaos.nursery import Nursery
from tests.chaos.server import Blow, Recovery, Target
from tests.chaos.server_kills import ServerKiller
from tests.chaos.stage import Failed, Plan, Stage


class Outcome(NamedTuple):
    """What a run showed."""

    killed: Killed
    events: int
    opened: int
    retracted: int
    clashes: int
    seconds: float
    violations: list[str]
    blows: Counter[Blow]
    """What was done to the server, how often."""
    recoveries: list[Recovery]
    answers: tuple[int, int]
    """Commits whose answer was lost: those that had been made, and those that had not."""
    revived: int
    """Children that found no store when they started, and were started again."""


def run(
    plan: Plan, kills: int, nursery: Nursery, path: Path, *, habits: Habits = USUAL, target: Target | None = None
) -> Outcome:
    """Kill so many times and judge what the log of this directory holds then."""
    began = time.monotonic()
    stage = Stage(path, plan, nursery)
    serving = None if target is None else ServerKiller(stage, kills, habits, target)
    killer = serving or Killer(stage, kills, habits)
    violations: list[str] = []
    try:
        with stage:
            killer.run()
            stage.drain()
            for slot in (INGEST, TICKER):
                stage.stop(slot)
    except Failed as failed:
        violations.append(str(failed))
    violations.extend(stage.judged())
    told = dict(stage.query("SELECT topic, COUNT(*) FROM stored_events GROUP BY topic"))
    return Outcome(
        killer.killed,
        events=len(stage.season.sent),
        opened=told.get("finding.opened.v1", 0),
        retracted=told.get("finding.retracted.v1", 0),
        clashes=stage.control.clashes(),
        seconds=time.monotonic() - began,
        violations=violations,
        blows=serving.blows if serving else Counter(),
        recoveries=serving.recoveries if serving else [],
        answers=stage.control.answers(),
        revived=stage.revived,
    )
