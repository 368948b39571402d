"""Grouping: what findings of single orders and parcels mean for the places where they pile up.

Followed from the log, so that a place need not be touched by the transaction that found something at it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from domain.detection import FINDING_EVENTS, Finding, Key, Stored
from domain.groups import backlog
from domain.groups.backlog import BacklogMemberChanged
from domain.incidents import assurance
from domain.incidents.commands import Terms
from domain.incidents.steps import News, react
from domain.instant import FOREVER, Instant
from domain.intake.intake import Intake
from domain.judging.adoption import in_force
from domain.naming import stream
from domain.orders.order import FulfillmentRequested, Order
from domain.parcels.events import ParcelLabelled, ParcelScanned
from domain.parcels.parcel import Parcel
from domain.telling import defects, escalation, exposure, promising, purchases
from domain.telling.telling import Heard, Telling
from domain.telling.unrest import unrest_of

TOPICS: Final = tuple(event.TOPIC for event in FINDING_EVENTS)
"""Events that may concern a backlog, or an incident."""
ALWAYS: Final = ""
"""Stands for backlogs and incidents, which are told whatever kinds the policies enable."""


class Teller(NamedTuple):
    """What tells the groups of one kind, and what it must hear of."""

    topics: tuple[str, ...]
    tell: Callable[[Telling, Sequence[Heard]], None]


KINDS: Final = {
    exposure.SORT.kind: Teller(exposure.TOPICS, exposure.tell),
    defects.SORT.kind: Teller(defects.TOPICS, defects.tell),
    purchases.KIND: Teller(purchases.TOPICS, purchases.tell),
    assurance.KIND: Teller(promising.TOPICS, promising.tell),
    escalation.KIND: Teller(escalation.TOPICS, escalation.tell),
}
"""Kinds that are told of the log only while a policy enables them, or names steps of escalation."""


class _Spell(NamedTuple):
    """A stretch in which one thing counts at a place; several findings may lie in it."""

    since: Instant
    until: Instant | None
    findings: tuple[Finding, ...]


def tell(telling: Telling, found: Sequence[Heard], kinds: Collection[str]) -> None:
    """Tell groups of these kinds, and incidents that staff are at, what events of the log mean for them.

    The same event is told to each kind once; backlogs and incidents may hear it again.
    """
    if ALWAYS in kinds:
        _tell_incidents(telling, found)
        _tell_backlogs(telling.intake, found)
    for kind, teller in KINDS.items():
        if kind in kinds:
            teller.tell(telling, found)


def _tell_backlogs(intake: Intake, found: Iterable[Heard]) -> None:
    concerned = {
        (name, event.finding.kind, event.finding.subject): None
        for _, name, event in found
        if isinstance(event, FINDING_EVENTS) and event.finding.kind in _TELLERS
    }
    intake.work.load(name for name, _, _ in concerned)
    for name, kind, subject in concerned:
        _TELLERS[kind](intake, intake.work.state(name), subject)


def _tell_incidents(telling: Telling, found: Iterable[Heard]) -> None:
    """Let news of a finding wake or reopen its incident, if staff have ever touched that."""
    news = [
        News(one.event, one.position, one.stream, None)
        for one in found
        if isinstance(one.event, FINDING_EVENTS) and one.event.finding.reported
    ]
    work = telling.work
    work.load(one.event.finding.incident for one in news)
    for one in news:
        name = one.event.finding.incident
        if work.stream(name).version:
            heard = one._replace(stable_at=_stable_at(telling, one))
            telling.intake.hear(name, react(work.state(name), heard, one.event.known_up_to, _terms(telling, one)))


def _terms(telling: Telling, news: News) -> Terms:
    """Give the terms in force when the finding came due, whenever that is told."""
    policy = in_force(telling.adoptions, news.event.finding.due_at)
    return Terms(reopen_within=policy.incidents.reopen_within)


def _stable_at(telling: Telling, news: News) -> Instant | None:
    """Say until when a finding that staff are at begins and ends too often for that to be news."""
    found: dict[Key, Stored] = telling.work.state(news.stream).findings
    own = (one for one in found.values() if one.finding.incident == news.event.finding.incident)
    episodes = ((one.finding.due_at, one.finding.ended_at) for one in own if not one.retracted)
    flapping = unrest_of(episodes, telling.adoptions, news.event.known_up_to)
    return None if flapping is None else flapping.stable_at


def _tell_warehouses(intake: Intake, order: Order, fulfillment_id: str) -> None:
    """Tell the warehouses that were asked for a fulfilment when it was late."""
    stored = (one for key, one in order.findings.items() if key[:2] == ("late_shipment", fulfillment_id))
    late = sorted((one.finding for one in stored if not one.retracted), key=lambda finding: finding.since)
    spells = [_Spell(one.since, one.ended_at, (one,)) for one in late]
    asked = {one.warehouse_id for one in order.facts.of(FulfillmentRequested) if one.fulfillment_id == fulfillment_id}
    for place in sorted(asked):
        here = [spell for spell in spells if spell.findings[0].warehouse_id == place]
        _tell(intake, stream("backlog", "warehouse", place), fulfillment_id, here)


def _tell_carrier(intake: Intake, parcel: Parcel, parcel_id: str) -> None:
    """Tell the carrier when it held a parcel that was stalled or past its promise, and the places where it stalled."""
    spells = list(_united(_held_up(parcel)))
    for carrier in sorted(_carriers(parcel)):
        _tell(
            intake,
            stream("backlog", "carrier", carrier),
            parcel_id,
            spells if carrier == parcel.meaning.carrier else [],
        )
    stalled = [one for one in _held_up(parcel) if one.kind == "stalled_parcel"]
    for place in sorted({scan.facility_id for scan in _scans(parcel) if scan.facility_id}):
        # Where the last movement was, as the finding says it: whatever changes that changes the finding, and is told.
        here = [one for one in stalled if one.detail["last_seen"].get("facility_id") == place]
        _tell(intake, stream("backlog", "facility", place), parcel_id, list(_united(here)))


def _carriers(parcel: Parcel) -> set[str]:
    """Name every carrier that was ever said to have the parcel; the one that counts may change."""
    labels = {label.carrier for label in parcel.facts.of(ParcelLabelled)}
    return labels.union(scan.carrier for scan in _scans(parcel) if scan.carrier is not None)


def _scans(parcel: Parcel) -> Iterator[ParcelScanned]:
    """Give every scan that was ever said to be the parcel's; some may have moved to another."""
    return chain(parcel.facts.of(ParcelScanned), parcel.moved)


def _tell(intake: Intake, name: str, member: str, spells: list[_Spell]) -> None:
    state: backlog.Backlog = intake.work.state(name)
    for place, spell in enumerate(spells, 1):
        intake.hear(name, backlog.decide(state, _member(f"{member}@{place}", spell)))
    # Spells that turned out not to have been.
    place = len(spells) + 1
    while (known := state.members.get(f"{member}@{place}")) is not None:
        gone = BacklogMemberChanged(member=known.member, order_ids=known.order_ids, since=known.since, gone=True)
        intake.hear(name, backlog.decide(state, gone))
        place += 1


def _member(name: str, spell: _Spell) -> BacklogMemberChanged:
    first = spell.findings[0]
    return BacklogMemberChanged(
        member=name,
        order_ids=tuple(sorted({order_id for one in spell.findings for order_id in one.order_ids})),
        since=spell.since,
        until=spell.until,
        knowable_at=first.knowable_at,
        proof=tuple(dict.fromkeys(ref for one in spell.findings for ref in one.proof)),
    )


def _held_up(parcel: Parcel) -> Iterator[Finding]:
    stored = (one for key, one in parcel.findings.items() if key.kind in {"stalled_parcel", "overdue_parcel"})
    yield from sorted((one.finding for one in stored if not one.retracted), key=lambda finding: finding.since)


def _united(findings: Iterable[Finding]) -> Iterator[_Spell]:
    """Join what overlaps, so that a parcel counts once; ``due_at`` is when it enters the count."""
    spell: _Spell | None = None
    for one in sorted(findings, key=lambda finding: finding.due_at):
        if spell is not None and (spell.until is None or one.due_at <= spell.until):
            ends = FOREVER if spell.until is None or one.ended_at is None else max(spell.until, one.ended_at)
            spell = _Spell(spell.since, None if ends == FOREVER else ends, (*spell.findings, one))
        else:
            if spell is not None:
                yield spell
            spell = _Spell(one.due_at, one.ended_at, (one,))
    if spell is not None:
        yield spell


_TELLERS: Final[dict[str, Callable[[Intake, Any, str], None]]] = {
    "late_shipment": _tell_warehouses,
    "stalled_parcel": _tell_carrier,
    "overdue_parcel": _tell_carrier,
}
"""What each kind of finding changes in groups."""
