"""One run: set the scene, kill, let everything come to rest, judge."""

import time
from pathlib import Path
from typing import Final, NamedTuple

from tests.chaos.control import INGEST, TICKER, Phase
from tests.chaos.kills import USUAL, Habits, Killed, Killer
from tests.chaos.nursery import Nursery
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


def run(plan: Plan, kills: int, nursery: Nursery, path: Path, *, habits: Habits = USUAL) -> Outcome:
    """Kill so many times and judge what the log in this directory holds then."""
    began = time.monotonic()
    stage = Stage(path, plan, nursery)
    killer = Killer(stage, kills, habits)
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
    )


SHOWN: Final = {
    Phase.STARTING: "starting",
    Phase.POLL: "poll",
    Phase.DECIDE: "decide",
    Phase.TICK: "tick",
    Phase.BEGUN: "in transaction, begun",
    Phase.WRITTEN: "in transaction, rows written",
    Phase.COMMITTED: "after commit",
    Phase.WAIT: "waiting",
}


def table(killed: Killed) -> str:
    """Write the kills by phase, for each role."""
    rows = [f"{'killed while':<30}{'ingest':>8}{'ticker':>8}"]
    for phase, name in SHOWN.items():
        rows.append(f"{name:<30}{killed['ingest', phase]:>8}{killed['ticker', phase]:>8}")
    return "\n".join(rows)
