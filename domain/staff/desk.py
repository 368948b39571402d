"""Desk: carries out what people want done with incidents, each command once, in one transaction with its deadline."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeVar

import msgspec
from eventsourcing.persistence import IntegrityError

from domain.detection import ABOUT_FINDINGS, Finding, FindingDismissed, Key, Stored, note
from domain.errors import IllegalStep
from domain.events import Event
from domain.history.log import Armed, Beside, Log, Recorded, decode
from domain.incidents.clock import due
from domain.incidents.commands import (
    Approve,
    Command,
    Compensate,
    Contact,
    Dismiss,
    Merge,
    Reopen,
    Situation,
    Split,
    Terms,
)
from domain.incidents.grouping import merge, split
from domain.incidents.guards import is_done, must_overrule_nothing_unread
from domain.incidents.incident import Incident, evolve
from domain.incidents.steps import decide
from domain.instant import FOREVER, Instant
from domain.judging.adoption import Adopted, adopted, in_force, mark
from domain.policies.policy import DEFAULT, Policy
from domain.staff.ledger import Ledger

ATTEMPTS: Final = 3
"""Optimistic ones; one more holds the log's write lock, and cannot be overtaken."""
T = TypeVar("T")
_TOPICS: Final = frozenset(event.TOPIC for event in ABOUT_FINDINGS)
_JUDGED: Final = frozenset({"order", "parcel", "complaint", "feed", "backlog", "cluster", "price_cut"})
"""Kinds of stream that the ticker looks at again when it is told to."""


class Case(NamedTuple):
    """Which incident is meant, and where its finding stands."""

    id: str
    """The incident, which is also the stream of what staff do about it."""
    stream: str
    """The subject's own stream, which holds the finding."""


def in_turn(log: Log, attempt: Callable[[], T]) -> T:
    """Read, decide and append again where somebody else was quicker; at last with the write lock in hand."""
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except IntegrityError:  # somebody was quicker: read again, decide again
            continue
    with log.store.writing():
        return attempt()


class Desk:
    """Writes the streams of incidents. Its methods may be called from several threads and processes."""

    def __init__(self, log: Log) -> None:
        """Write to this log, by the terms of the policy in force."""
        self.log = log

    def handle(
        self, case: Case, command: Command, *, at: Instant, other: Case | None = None, read_at: int | None = None
    ) -> int:
        """Carry out a command; returns the log position at which its effect, new or old, can be read.

        ``other`` is the incident to merge into. To split, name the part alone: its stream knows the rest.
        ``read_at`` is the position up to which whoever decides has read what staff did.

        Raises:
            IllegalStep: the log holds no such finding, or the incident's state does not allow it, or it would take the
                place of another person's decision after ``read_at``.
        """
        return in_turn(self.log, lambda: self._handle(case, command, at, other, read_at))

    def read(self, identity: str) -> Incident:
        """Read what staff have made of an incident; a new one where they have done nothing."""
        return _Open(self.log, identity).state

    def _handle(self, case: Case, command: Command, at: Instant, other: Case | None, read_at: int | None) -> int:
        # A finding once in the log stays in the log, so this may be read without being guarded by a write.
        subject = _Subject(self.log, case)
        policies = self._policies()
        now = self._situation(subject, at, in_force(policies, at))
        part = _Open(self.log, case.id, FOREVER if read_at is None else read_at)
        ledger = Ledger(self.log)
        written = [part]
        if isinstance(command, Merge | Split):
            written = self._regroup(part, command, now, other)
        else:
            now = self._knowing(ledger, part.state, command, subject, now)
            events = decide(part.state, subject.named(command), now)
            must_overrule_nothing_unread(events, part.unread)
            part.add(events)
            ledger.write(part.name, (one.body for one in part.new))
        if not any(one.new for one in written):
            return part.position or self.log.store.last_position()
        beside = Beside()
        judged_by = mark(policies, at)
        also = [*subject.hear(command, at, judged_by, beside), *ledger.work.pending]
        return self._store(written, also, judged_by, beside)

    def _regroup(self, part: "_Open", command: Merge | Split, now: Situation, other: Case | None) -> list["_Open"]:
        if isinstance(command, Split):
            whole = _Open(self.log, part.state.merged_into or part.name)
            of_part, of_whole = split(part.state, whole.state, command, now)
        elif other is None:
            raise IllegalStep("unknown_target", "The log holds no incident of this name to merge into.")
        else:
            _Subject(self.log, other)
            whole = part if other.id == part.name else _Open(self.log, other.id)
            of_part, of_whole = merge(part.state, whole.state, command, now)
        part.add(of_part)
        whole.add(of_whole)
        return [part, whole]

    def _situation(self, subject: "_Subject", at: Instant, policy: Policy) -> Situation:
        last = subject.episodes[-1].finding
        holds = any(one.state == "open" for one in subject.episodes)
        position = self.log.store.last_position()
        return Situation(at, position, holds, last.rule, last.policy, terms(policy), subject=subject.name)

    def _knowing(
        self, ledger: Ledger, state: Incident, command: Command, subject: "_Subject", now: Situation
    ) -> Situation:
        """Read what the order that a payment is for has been paid before."""
        if not isinstance(command, Compensate | Approve) or is_done(state, command):
            return now
        orders = {name for one in subject.episodes for name in one.finding.order_ids}
        return now._replace(account=ledger.account(ledger.order_of(state, command, orders)))

    def _store(self, written: list["_Open"], also: list[Recorded], judged_by: str, beside: Beside) -> int:
        for one in written:
            again = due(one.state)
            beside.deadlines[one.name] = None if again is None else Armed(one.name, again, judged_by)
        position = self.log.append([*(new for one in written for new in one.new), *also], beside)
        assert position is not None
        return position

    def _policies(self) -> list[Adopted]:
        return adopted(self.log) or [Adopted(-FOREVER, DEFAULT)]


class _Open:
    """An incident's stream, read and then added to."""

    def __init__(self, log: Log, name: str, read_at: int = FOREVER) -> None:
        self.name = name
        self.unread: list[Event] = []
        """What stands behind the position at which it was read."""
        self.state = Incident(name)
        self.version = self.position = 0
        self.new: list[Recorded] = []
        for row in log.store.select_streams([name]):
            event = decode(row.topic, row.state)
            evolve(self.state, event)
            self.version, self.position = row.version, row.position
            self.unread += [event] if row.position > read_at else []

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            self.version += 1
            evolve(self.state, event)
            self.new.append(Recorded(self.name, self.version, event))


class _Subject:
    """What the subject's stream says of one incident's finding, and what staff say to it."""

    def __init__(self, log: Log, case: Case) -> None:
        self.name = case.stream
        self.version = 0
        found: dict[Key, Stored] = {}
        for row in log.store.select_streams([case.stream]):
            self.version = row.version
            if row.topic in _TOPICS:
                event = decode(row.topic, row.state)
                assert isinstance(event, ABOUT_FINDINGS)
                note(found, event)
        self.episodes = [found[key] for key in sorted(found) if found[key].finding.incident == case.id]
        if not self.episodes:
            raise IllegalStep("no_finding", "The log holds no finding of this kind at this subject.")

    def named(self, command: Command) -> Command:
        """Name the order that a promise to the customer is about, where the one who made it did not."""
        orders = self.episodes[-1].finding.order_ids
        if not isinstance(command, Contact) or command.promise is None or command.promise.order_id or not orders:
            return command
        promise = msgspec.structs.replace(command.promise, order_id=orders[0])
        return msgspec.structs.replace(command, promise=promise)

    def hear(self, command: Command, at: Instant, judged_by: str, beside: Beside) -> list[Recorded]:
        """Write into the subject's stream that staff call its finding wrong, or no longer do."""
        if isinstance(command, Dismiss):
            said = [_wrong(one.finding, command, at) for one in self._meant()]
        elif isinstance(command, Reopen):
            taken_back = {"at": at, "by": command.by, "why": command.why, "withdrawn": True}
            against = (one.dismissed for one in self.episodes)
            said = [msgspec.structs.replace(one, **taken_back) for one in against if one is not None]
        else:
            return []
        if said and self.name.partition("-")[0] in _JUDGED:
            # What was found lies in the past, so the very next tick sees what staff said.
            beside.deadlines[self.name] = Armed(self.name, min(one.since for one in said), judged_by)
        return [Recorded(self.name, version, one) for version, one in enumerate(said, self.version + 1)]

    def _meant(self) -> list[Stored]:
        """List the episodes that a dismissal is about: those that hold, else the last that ever did."""
        held = [one for one in self.episodes if one.state != "retracted"]
        if not held:
            raise IllegalStep("retracted", "The rule has withdrawn this finding already: it never held.")
        return [one for one in held if one.state == "open"] or held[-1:]


def terms(policy: Policy) -> Terms:
    """Say what a policy allows staff."""
    return Terms(
        acknowledge_timeout=policy.incidents.acknowledge_timeout,
        reopen_within=policy.incidents.reopen_within,
        cap=policy.compensation.cap,
        second_approval_above=policy.compensation.second_approval_above,
        batch_approval_above=policy.compensation.batch_approval_above,
    )


def _wrong(finding: Finding, command: Dismiss, at: Instant) -> FindingDismissed:
    kind, subject, since, clock = finding.key
    return FindingDismissed(kind=kind, subject=subject, since=since, clock=clock, at=at, by=command.by, why=command.why)
