"""Backlog: everything that lies late at one place, and what the rules found of it."""

from heapq import nsmallest
from typing import ClassVar, Literal, NamedTuple

import msgspec

from domain.detection import AboutFinding, Finding, FindingDismissed, FindingEvent, Key, Look, Stored, note
from domain.events import Event
from domain.groups.census import LONGEST, Census
from domain.groups.crowd import Crowd, Crowds, magnitude
from domain.instant import FOREVER, Instant, iso
from domain.policies.policy import Backlog as Rule
from domain.policies.policy import Policy
from domain.severity import Stake, weigh

What = Literal["warehouse", "carrier", "facility"]


class BacklogMemberChanged(Event, frozen=True, kw_only=True):
    """One thing counts at this place for a time, copied from what makes it late; the last word on it wins."""

    TOPIC: ClassVar[str] = "backlog.member_changed.v1"
    member: str
    """Names one episode of one thing; a thing whose episodes overlap would count twice."""
    order_ids: tuple[str, ...]
    since: Instant
    until: Instant | None = None
    knowable_at: Instant | None = None
    gone: bool = False
    """It proved never to have held."""
    proof: tuple[str, ...] = ()
    """``source#id`` of the input events that make it late."""

    @property
    def span(self) -> tuple[Instant, Instant]:
        """Give the instants from which it counts, and from which it does not any more."""
        begin = self.since if self.knowable_at is None else max(self.since, self.knowable_at)
        return begin, min(FOREVER if self.until is None else self.until, self.since + LONGEST)


BacklogEvent = BacklogMemberChanged | FindingEvent | FindingDismissed
EVENTS = (BacklogMemberChanged,)


class _Seen(NamedTuple):
    """What a look from ``since`` on has seen; it holds until there is something new to see."""

    since: Instant
    look: Look

    def holds(self, until: Instant) -> bool:
        return self.since <= until and (self.look.again is None or until <= self.look.again)


_Asked = tuple[str, str, Rule]
"""Hash of the policy, zone and rule."""


class Backlog:
    """One place and what lies late there. Owned by whoever loaded it; ``evolve`` changes it in place."""

    __slots__ = ("_censuses", "_crowds", "findings", "id", "members", "name", "seen", "told", "version", "what")

    def __init__(self, identity: str) -> None:
        """Begin with nothing late at ``what-name``."""
        self.id = identity
        self.what, _, self.name = identity.partition("-")
        self.members: dict[str, BacklogMemberChanged] = {}
        self.findings: dict[Key, Stored] = {}
        self.version = 0
        self._censuses: dict[str, Census] = {}
        self._crowds: dict[tuple[str, Rule], Crowds] = {}
        self.seen: dict[_Asked, _Seen] = {}
        self.told: dict[_Asked, dict[Instant, tuple[Crowd, Finding]]] = {}
        """What was found of each spell, by its first midnight; it holds for that very object."""

    def census(self, zone: str) -> Census:
        """Give the counts at the midnights of a zone, made once and then kept up with."""
        found = self._censuses.get(zone)
        if found is None:
            found = self._censuses[zone] = Census(zone)
            for member in self.members.values():
                found.add(member.member, *member.span)
        return found

    def crowds(self, zone: str, rule: Rule) -> Crowds:
        """Give the spells at the midnights of a zone by one rule, judged once and then kept up with."""
        found = self._crowds.get((zone, rule))
        if found is None:
            found = self._crowds[zone, rule] = Crowds(self.census(zone), rule)
        return found

    def change(self, member: BacklogMemberChanged) -> None:
        """Take the last word on a member."""
        self.seen.clear()
        known = self.members.pop(member.member, None)
        since = _changed(known, member)
        for crowds in self._crowds.values():
            crowds.forget(since)
        if not member.gone:
            self.members[member.member] = member
        for census in self._censuses.values():
            if known is not None:
                census.remove(known.member, *known.span)
            if not member.gone:
                census.add(member.member, *member.span)


def _changed(known: BacklogMemberChanged | None, member: BacklogMemberChanged) -> Instant:
    """Say from when on a place changes with what is said of a member; nothing of what was before does."""
    if known is None:
        return member.span[0]
    if member.gone:
        return known.span[0]
    (begin, end), (known_begin, known_end) = member.span, known.span
    if msgspec.structs.replace(known, until=member.until) == member:
        return FOREVER if end == known_end else min(end, known_end)
    return min(begin, known_begin)


def decide(backlog: Backlog, heard: BacklogMemberChanged) -> tuple[BacklogMemberChanged, ...]:
    """Record what a member has become, unless that is known."""
    known = backlog.members.get(heard.member)
    return () if known == heard or (known is None and heard.gone) else (heard,)


def evolve(backlog: Backlog, event: BacklogEvent) -> Backlog:
    """Apply one event. Refuses nothing and reads no clock."""
    if isinstance(event, AboutFinding):
        note(backlog.findings, event)
        return backlog
    backlog.version += 1
    backlog.change(event)
    return backlog


class Place(NamedTuple):
    """Where the rule is applied, and by what measure."""

    kind: str
    rule: Rule
    zone: str
    """Whose midnights count."""
    cleared_by: str
    warehouse_id: str | None = None
    carrier: str | None = None


def look_at(backlog: Backlog, place: Place, until: Instant, policy: Policy) -> Look:
    """Find every backlog that two midnights before ``until`` have shown, past ones included."""
    asked = (policy.hash, place.zone, place.rule)
    seen = backlog.seen.get(asked)
    if seen is None or not seen.holds(until):
        seen = backlog.seen[asked] = _Seen(until, _look(backlog, place, until, policy))
    return seen.look


def _look(backlog: Backlog, place: Place, until: Instant, policy: Policy) -> Look:
    census = backlog.census(place.zone)
    crowds = backlog.crowds(place.zone, place.rule)
    spells = crowds.before(until)
    goes_on = bool(spells) and spells[-1].ended is None
    told = backlog.told.setdefault((policy.hash, place.zone, place.rule), {})
    for one in spells:
        known = told.get(one.first.at)
        if known is None or known[0] is not one:
            told[one.first.at] = one, _finding(backlog, place, one, policy)
    return Look(
        findings=tuple(told[one.first.at][1] for one in spells),
        again=census.midnight(until) if goes_on else crowds.next_counted(until),
    )


def _finding(backlog: Backlog, place: Place, crowd: Crowd, policy: Policy) -> Finding:
    members = [backlog.members[name] for name in backlog.census(place.zone).counted(crowd.first.at, crowd.last.at)]
    severity, parts = weigh(Stake(), policy, members=magnitude(crowd.peak.count, place.rule.minimum))
    return Finding(
        kind=place.kind,
        subject=backlog.name,
        since=crowd.first.at,
        due_at=crowd.first.at,
        ended_at=crowd.ended,
        order_ids=tuple(sorted({order for member in members for order in member.order_ids})),
        warehouse_id=place.warehouse_id,
        carrier=place.carrier,
        severity=severity,
        rule="counted_at_midnight",
        policy=policy.hash,
        proof=_proof(backlog, place, crowd),
        detail={
            "severity": parts,
            "cleared_by": place.cleared_by,
            "knowable_at": iso(crowd.second.at),
            "place": backlog.what,
            "opened_with": [crowd.first.count, crowd.second.count],
            "needed": [crowd.first.needed, crowd.second.needed],
            "peak": crowd.peak.count,
            "peak_at": iso(crowd.peak.at),
            "count": crowd.last.count,
            "counted_at": iso(crowd.last.at),
            "members": len(members),
        },
    )


def _proof(backlog: Backlog, place: Place, crowd: Crowd) -> tuple[str, ...]:
    """Name the events of just as many members as it took at each of the two midnights, the earliest."""
    census = backlog.census(place.zone)
    proving: dict[str, None] = {}
    for one in (crowd.first, crowd.second):
        members = (backlog.members[name] for name in census.counted(one.at, one.at))
        for member in nsmallest(one.needed, members, key=lambda each: (each.since, each.member)):
            proving.update(dict.fromkeys(member.proof))
    return tuple(proving)
