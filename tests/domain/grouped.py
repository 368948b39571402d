"""What clusters and price cuts come to when facts are taken in, in some order, some at a time, by some processes."""

from collections.abc import Sequence
from typing import Any

from domain.events import Fact
from domain.history.log import Log
from domain.judging.adoption import adopt
from domain.judging.report import final, line
from domain.tracker import Tracker
from tests.story import LATER, Desk, memory_log

Finding = dict[str, Any]


def settle(tracker: Tracker, until: int = LATER) -> None:
    """Let time come to ``until`` and groups hear of everything."""
    while tracker.tick(until) + tracker.group(until):
        pass


def lines(log: Log) -> list[Finding]:
    """Write what was found and not withdrawn."""
    return [line(one) for one in final(log) if one.state != "retracted"]


def found(
    facts: Sequence[Fact], policy: str, *, batch: int = 1000, processes: int = 1, tells: int = 1
) -> list[Finding]:
    """Take facts in; groups hear after every so many batches, from one of several processes in turn."""
    with memory_log() as log:
        desks = [Desk(log, policy) for _ in range(processes)]
        for number, start in enumerate(range(0, len(facts), batch)):
            desk = desks[number % processes]
            desk.take(*facts[start : start + batch], until=9999)
            if number % tells == 0:
                settle(desk.tracker)
        settle(Tracker(log, adopt(log, policy, 0)))
        return lines(log)
