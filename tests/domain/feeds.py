"""A tracker that is told when sources speak, and what its log says of their silences."""

from typing import Final

from domain.detection import FINDING_EVENTS
from domain.feeds.feed import Spoken
from domain.history.log import Log
from tests.story import Desk, at, hours

SILENCE: Final = '[kinds]\nenabled = ["feed_silent"]\n'


class Works(Desk):
    """A tracker that looks as the ticker does: first at what is due, then at what the log tells."""

    def look(self, until: float) -> None:
        """Let time come to ``until``."""
        while self.tick(until) or self.tracker.group(at(until)):
            pass


def about(log: Log) -> list[tuple[str, str, float | None]]:
    """List what was ever said of findings: (event, subject, due)."""
    rows = log.read(0, 10_000, [kind.TOPIC for kind in FINDING_EVENTS])
    return [(type(e).__name__, e.finding.subject, hours(e.finding.due_at)) for *_, e in rows if hasattr(e, "finding")]


def stored(log: Log) -> dict[str, Spoken]:
    return log.store.feeds(list(log.store.heard()))
