"""Findings and truths of a season in one form, so that the one can be taken from the other."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

from consumers import backtest
from deploy.demo.player import encoded
from deploy.demo.season import Season, season
from deploy.demo.telephone import Telephone
from deploy.wiring import scratch
from domain.history.log import Log
from domain.instant import Instant
from domain.judging.judgement import Judgement
from domain.judging.report import final, line
from domain.staff.desk import Desk

START: Final = datetime(2026, 3, 2, 5, 17, tzinfo=UTC)


@cache
def told(seed: int, days: int = 28) -> Season:
    """Tell a season, once for all who ask; a short one begins at another hour of the day."""
    return season(seed, START + timedelta(hours=7 * (28 - days)), days)


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


class TakenIn(NamedTuple):
    """The log of a season, up to where its time came, and who judged it."""

    log: Log
    end: Instant
    judgement: Judgement

    def found(self) -> list[Said]:
        """Return what was found and not taken back."""
        return in_findings(map(line, final(self.log)))


@contextmanager
def taking_in(some: Season) -> Iterator[TakenIn]:
    """Let a tracker with the rules that it has by itself take a season in, calls too, and let its time pass."""
    with TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.toml"
        policy.touch()
        with scratch(policy) as system:
            lines = (encoded(one.event) for one in some.events)
            done = backtest.run(lines, system.tracker, system.translator, system.clock())
            assert (done.messages, done.foreign, dict(done.quarantined)) == (len(some.events), 0, {})
            telephone = Telephone(Desk(system.log), some.calls, lambda: some.end)
            telephone.ring()
            assert telephone.done
            assert done.end is not None
            while system.tracker.tick(done.end) or system.tracker.group(done.end):
                pass
            yield TakenIn(system.log, done.end, Judgement(system.tracker.policies))
