"""Listening: what every source has said so far, read from the log's batches and kept in a table beside the log."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from domain.feeds.feed import NOTHING, Feed, Span, Spoken, allowed, united
from domain.history.batch import BatchTaken, GroupsTold
from domain.history.log import Beside, Log
from domain.history.streams import Work
from domain.instant import Duration, Instant
from domain.intake.intake import Intake
from domain.naming import stream
from domain.policies.policy import Policy

BATCHES: Final = 500
"""Batches that the table may be behind, as long as they only tell that sources went on speaking."""
_KIND: Final = "feed-"


class Listening:
    """Follows the log for one process; several come to the same, since uniting spans twice changes nothing.

    That a source just went on speaking is not written down each time: its deadline then comes too early, and the look
    at it reads on in the log first. What has been read and not stored is read again after a restart.
    """

    def __init__(self, log: Log, policies: Callable[[], Iterable[Policy]]) -> None:
        """Listen from where groups were last told: the table knows everything before."""
        self._log = log
        self._policies = policies
        self._up_to: int | None = None
        self._known: dict[str, Spoken] = {}
        self._more: dict[str, Spoken] = {}
        self._behind = 0

    def news(self, work: Work, *, due: bool) -> dict[str, Spoken]:
        """Read on; give the sources that the table must now learn of, each with all that is known of it.

        ``due`` where the log is about to say that groups were told up to here: then nothing may be held back.
        """
        told = self._listen()
        work.load(names(told))
        is_news = any(self._is_news(work.state(stream("feed", source)), spoken) for source, spoken in told.items())
        return told if due or is_news or self._behind >= BATCHES else {}

    def _is_news(self, feed: Feed, spoken: Spoken) -> bool:
        """Say whether this may change what was found; the silence after the last word has no deadline any more."""
        known = self._known.get(feed.id, NOTHING)
        held = (one.finding.since for one in feed.findings.values() if not one.retracted)
        return spoken.says_news(known) or any(known.last is None or since > known.last for since in held)

    def recall(self, intake: Intake, beside: Beside) -> None:
        """Give the sources that are to be judged all that is known of them, and store it with what is found.

        The others are not stored: what the table knows of a source, its verdict knows.
        """
        names = [name for name in intake.touched if name.startswith(_KIND)]
        if not names:
            return
        told = self._listen()
        feeds: list[Feed] = [intake.work.state(name) for name in names]
        known = self._log.store.feeds([state.id for state in feeds])
        for state in feeds:
            state.spoken = told.get(state.id) or known.get(state.id, NOTHING)
            if state.id in told:
                beside.feeds[state.id] = state.spoken

    def _listen(self) -> dict[str, Spoken]:
        """Read on; give the sources of which the table does not know all."""
        policies = tuple(self._policies())
        told = self._told(policies)
        if not told:
            # Stored by now, whoever did it: nothing else is removed from here, so that a failed commit loses nothing.
            self._behind = 0
        if self._read(policies):
            told = self._told(policies)
        self._more = {source: self._more[source] for source in told}
        return told

    def _told(self, policies: Sequence[Policy]) -> dict[str, Spoken]:
        self._known = self._log.store.feeds(list(self._more)) if self._more else {}
        told = {}
        for source, more in self._more.items():
            known = self._known.get(source, NOTHING)
            spoken = united(known, more, _least(policies, source))
            if spoken != known:
                told[source] = spoken
        return told

    def _read(self, policies: Sequence[Policy]) -> bool:
        """Hear the batches since; says whether there were any."""
        if self._up_to is None:
            self._up_to = max((one.up_to for one in self._log.last("groups", GroupsTold)), default=0)
        began, full = self._up_to, True
        while full:
            rows = list(self._log.read(self._up_to, BATCHES, (BatchTaken.TOPIC,)))
            self._hear([event for _, _, event in rows if isinstance(event, BatchTaken)], policies)
            self._up_to = rows[-1][0] if rows else self._up_to
            full = len(rows) == BATCHES
        return self._up_to > began

    def _hear(self, batches: Sequence[BatchTaken], policies: Sequence[Policy]) -> None:
        self._behind += len(batches)
        spans: defaultdict[str, list[Span]] = defaultdict(list)
        beats: defaultdict[str, list[Instant]] = defaultdict(list)
        for batch in batches:
            for source, found in batch.spans.items():
                ends = batch.ends.get(source, ("",) * len(found))
                spans[source] += [Span(*run, last) for run, last in zip(found, ends, strict=True)]
            for source, at in batch.beats.items():
                beats[source].append(at)
        for source, heard in spans.items():
            more = Spoken(tuple(heard), min(beats[source], default=None))
            self._more[source] = united(self._more.get(source, NOTHING), more, _least(policies, source))


def names(sources: Iterable[str]) -> list[str]:
    """Name the streams of sources."""
    return [stream("feed", source) for source in sources]


def _least(policies: Sequence[Policy], source: str) -> Duration:
    """Return the shortest silence of a source that any policy calls one."""
    return min(allowed(policy, source) for policy in policies)
