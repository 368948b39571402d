"""Findings and truths of a season in one form, so that the one can be taken from the other."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from consumers import backtest
from deploy.demo.player import encoded
from deploy.demo.season import Season
from deploy.demo.telephone import Telephone
from deploy.wiring import scratch
from domain.desk import Desk
from domain.report import final, line


class Said(NamedTuple):
    """What a finding and a line of the truth have in common; `rule` says which clock of a complaint ran out."""

    kind: str
    subject: str
    due_at: datetime
    ended_at: datetime | None
    rule: str = ""


def instant(text: str) -> datetime:
    """Read a time."""
    return datetime.fromisoformat(text)


def in_truth(lines: Iterable[Mapping[str, Any]]) -> list[Said]:
    """Read a truth; a stall is named after its parcel and since when, a backlog after its place."""
    return [
        Said(
            kind=one["incident"],
            subject=one["hub"] if one["incident"].endswith("backlog") else one["key"].partition("@")[0],
            due_at=instant(one["due_at"]),
            ended_at=None if one["ended_at"] is None else instant(one["ended_at"]),
            rule=one.get("rule", ""),
        )
        for one in lines
    ]


def in_findings(lines: Iterable[Mapping[str, Any]]) -> list[Said]:
    """Read what a tracker or an oracle found and did not take back."""
    return [
        Said(
            kind=one["kind"],
            subject=one["subject"],
            due_at=instant(one["due_at"]),
            ended_at=None if one["ended_at"] is None else instant(one["ended_at"]),
            rule=one["rule"] if one["kind"] == "complaint_overdue" else "",
        )
        for one in lines
        if one.get("state") != "retracted"
    ]


def judged(told: Season) -> list[Said]:
    """Return what a tracker with the rules that it has by itself finds in a season."""
    with TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.toml"
        policy.touch()
        with scratch(policy) as system:
            lines = (encoded(one.event) for one in told.events)
            done = backtest.run(lines, system.tracker, system.translator, system.clock())
            assert (done.messages, done.foreign, dict(done.quarantined)) == (len(told.events), 0, {})
            telephone = Telephone(Desk(system.log), told.calls, lambda: told.end)
            telephone.ring()
            assert telephone.done
            assert done.end is not None
            while system.tracker.tick(done.end) or system.tracker.group(done.end):
                pass
            return in_findings(map(line, final(system.log)))
