"""Speaking: which findings speak for others, so that nobody is called or sent for twice about one trouble."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from domain.detection import Finding, Stored, incident_id
from domain.groups.backlog import Backlog, BacklogMemberChanged
from domain.history.log import Beside, Related
from domain.history.streams import Work
from domain.incidents.clock import next_step
from domain.incidents.events import TRACKER
from domain.incidents.incident import Incident
from domain.incidents.urgency import IncidentEscalationPlanned, IncidentMuted
from domain.instant import Instant
from domain.intake.intake import Intake
from domain.naming import stream
from domain.orders.order import Order
from domain.parcels.events import ParcelScanned
from domain.parcels.parcel import Parcel
from domain.telling.exposed import packings

CLUSTER: Final = "mis_shipment_cluster"
CLUSTERED: Final = "mis_shipment"
_WAREHOUSE: Final = "backlog-warehouse-"


def voice(kind: str, rule: str) -> int:
    """Say how strongly a finding speaks for its parcel; 0 where it does not speak for one.

    Customs hold has no finding of its own: a parcel that customs keep is not stalled, so nothing is left to mute.
    """
    if kind == "delivery_failed":
        return 4 if rule == "refused" else 2
    return {"presumed_lost": 5, "damaged_parcel": 3, "stalled_parcel": 1}.get(kind, 0)


def children(place: str, event: BacklogMemberChanged) -> tuple[str, ...]:
    """Name the incidents that a backlog speaks for by one of its members."""
    thing = event.member.rpartition("@")[0]
    if place.startswith(_WAREHOUSE):
        return (incident_id("late_shipment", thing),)
    # A parcel that is held up is told of as stalled, or by the late delivery of its orders.
    late = (incident_id("late_delivery", order_id) for order_id in event.order_ids)
    return (incident_id("stalled_parcel", thing), *late)


def mutes(incident: str) -> str:
    """Name the row of the index under which those stand that an incident was found to speak for."""
    return f"mutes {incident}"


def hush(intake: Intake, until: Instant, beside: Beside) -> None:
    """Keep what is about to go up from it where another incident speaks for it, or nothing is wrong any more.

    Reads streams that it does not write: only whoever holds the log's write lock may ask.
    """
    for name in [one for one in intake.touched if one.startswith("incident-")]:
        state: Incident = intake.work.state(name)
        step = next_step(state)
        if state.plan is None or step is None or step.at >= until:
            continue
        at = max(step.at, state.changed_at or step.at)
        if not any(one.due_at <= state.plan.at for one in _own(intake.work, name, state)):
            # The end is in the log and has not been told yet; so is what began since, which is planned once it is.
            over = IncidentEscalationPlanned(at=at, by=TRACKER, subject=state.plan.subject, steps=())
            intake.hear(name, [over])
        elif (by := speaker(intake.work, name, state)) is not None:
            intake.hear(name, [IncidentMuted(at=at, by=TRACKER, speaker=by)])
            beside.relate.append(Related(mutes(by), 0, name))


def speaker(work: Work, name: str, incident: Incident) -> str | None:
    """Name the open incident that speaks for one; null where it speaks for itself."""
    own = _own(work, name, incident)
    if incident.plan is None or not own:
        return None
    subject = work.state(incident.plan.subject)
    return next((each for one in own for each in _speakers(work, subject, one)), None)


def _own(work: Work, name: str, incident: Incident) -> list[Finding]:
    """List what is open and is this incident's."""
    subject = None if incident.plan is None else work.state(incident.plan.subject)
    return [] if subject is None else [one for one in _open(subject) if one.incident == name]


def _speakers(work: Work, subject: Any, finding: Finding) -> Iterator[str]:
    if isinstance(subject, Parcel) and voice(finding.kind, finding.rule):
        spoken = min(
            (-voice(one.kind, one.rule), one.due_at, one.incident)
            for one in _open(subject)
            if voice(one.kind, one.rule)
        )
        if spoken[2] != finding.incident:
            yield spoken[2]
    for place, things in _places(work, subject, finding).items():
        backlog = work.state(place)
        if backlog.findings and any(_is_held(backlog, thing) for thing in things):
            yield from (one.incident for one in _open(backlog))
    if finding.kind == CLUSTERED:
        for name in _clusters(work, finding):
            members = _open(work.state(name))
            yield from (one.incident for one in members if set(finding.order_ids) & set(one.detail["ranked"]))


def _places(work: Work, subject: Any, finding: Finding) -> dict[str, set[str]]:
    """Name the places that may be too full for a finding to be one of its own, and by what it would count there."""
    if finding.kind == "late_shipment" and finding.warehouse_id is not None:
        return {stream("backlog", "warehouse", finding.warehouse_id): {finding.subject}}
    if finding.kind == "stalled_parcel":
        return _ways([subject])
    if finding.kind == "late_delivery" and isinstance(subject, Order):
        return _ways(work.state(stream("parcel", name)) for name in subject.parcels)
    return {}


def _ways(parcels: Iterable[Parcel]) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for one in parcels:
        if one.meaning.carrier is not None:
            found[stream("backlog", "carrier", one.meaning.carrier)].add(one.id)
        for scan in one.facts.of(ParcelScanned):
            if scan.facility_id:
                found[stream("backlog", "facility", scan.facility_id)].add(one.id)
    return found


def _is_held(backlog: Backlog, thing: str) -> bool:
    """Say whether something is counted at a place now; its spells there are numbered."""
    place = 1
    while (known := backlog.members.get(f"{thing}@{place}")) is not None:
        if known.until is None:
            return True
        place += 1
    return False


def _clusters(work: Work, finding: Finding) -> set[str]:
    orders = [work.state(stream("order", order_id)) for order_id in finding.order_ids]
    parcels = {name for order in orders for name in order.parcels}
    shares = (share for name in sorted(parcels) for share in packings(work.state(stream("parcel", name))))
    return {share.binding.cluster for share in shares if share.order_id in finding.order_ids}


def _open(subject: Any) -> list[Finding]:
    stored: Iterable[Stored] = subject.findings.values()
    return sorted(
        (one.finding for one in stored if one.state == "open" and one.finding.reported),
        key=lambda one: (one.due_at, one.incident),
    )
