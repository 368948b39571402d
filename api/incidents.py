"""``/v1/incidents``: what is wrong, since when, why, and what would clear it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, cast

from fastapi import APIRouter, Query

from api.bounds import IDENTITY, Cursor, IncidentId
from api.contract import incidents as contract
from api.contract.desk import Workflow
from api.contract.history import History, NoteTaken, StepTaken, Worked
from api.filters import Sort, Wanted
from api.known import KnownAt, until
from api.paging import Onward
from api.problems import Problem
from api.reading import CaughtUp, Limit, Snapshot
from api.tokens import cursor, read_cursor
from domain.incidents import liability
from domain.incidents.events import Party
from domain.instant import iso
from projections import incidents, silence, steps, workflow
from projections.query import After
from projections.recorded import Until
from projections.workflow import Staff

router = APIRouter(prefix="/v1", tags=["incidents"])
_EPISODE = frozenset(contract.Episode.model_fields)
_Status = Annotated[list[Literal["new", "acknowledged", "snoozed", "resolved", "dismissed", "merged"]], Query()]
_MAINTENANCE: Final = "maintenance:"
_LAST: Final = 100
"""Steps that are shown with an incident."""


@router.get("/incidents", operation_id="list_incidents")
async def list_incidents(
    reader: CaughtUp,
    onward: Onward,
    wanted: Wanted,
    limit: Limit = 50,
    cursor_: Cursor = None,
    sort: Sort = "-due_at",
    status: _Status = [],  # noqa: B006  # FastAPI copies defaults
    muted: Annotated[bool | None, Query(description="Whether something speaks for it or is being mended.")] = None,
    muted_by: Annotated[str | None, Query(max_length=IDENTITY, description="The incident that speaks for it.")] = None,
) -> contract.IncidentPage:
    """List incidents by when they were due."""
    newest_first = sort == "-due_at"
    after = None if cursor_ is None else _after(cursor_, sort)
    with reader.snapshot() as snapshot:
        also = [
            *Staff(tuple(status)).conditions(),
            *([] if muted is None else [incidents.muted(snapshot.now, yes=muted)]),
            *([] if muted_by is None else [incidents.muted_by(muted_by)]),
        ]
        found = incidents.listed(snapshot.rows, wanted, limit + 1, also=also, after=after, newest_first=newest_first)
        page = found[:limit]
        return contract.IncidentPage(
            incidents=shown_together(page, snapshot),
            next=onward.on(cursor([sort, page[-1].due_at, page[-1].id]) if len(found) > limit else None),
            as_of=reader.as_of(snapshot),
        )


@router.get("/incidents/{incident_id}", operation_id="get_incident")
async def get_incident(reader: CaughtUp, incident_id: IncidentId) -> Worked:
    """Show one incident with its episodes, for each the records that prove it, and what staff have made of it."""
    with reader.snapshot() as snapshot:
        found = incidents.one(snapshot.rows, incident_id)
        if found is None:
            raise Problem("not_found", "No incident has this id.")
        up_to = Until(snapshot.stands[workflow.VIEW.name].position)
        taken = _taken(steps.taken(reader.log, incident_id, up_to), snapshot)
        return Worked(
            incident=shown(found, snapshot),
            episodes=[_episode(body) for body in incidents.episodes(snapshot.rows, incident_id)],
            workflow=worked(incident_id, snapshot),
            notes=[NoteTaken(text=one.detail["text"], by=one.by, at=one.at) for one in taken if one.step == "noted"],
            history=taken[-_LAST:],
            as_of=reader.as_of(snapshot),
        )


@router.get("/incidents/{incident_id}/history", operation_id="get_incident_history")
def get_history(reader: CaughtUp, incident_id: IncidentId, as_of: KnownAt = None) -> History:
    """List what the rules said of an incident, by which policy, and what people, time and the tracker did about it."""
    with reader.snapshot() as snapshot:
        subject = incidents.stream_of(snapshot.rows, incident_id)
        if subject is None:
            raise Problem("not_found", "No incident has this id.")
        up_to = until(as_of, reader, snapshot.stands[workflow.VIEW.name].position)
        told = steps.history(reader.log, incident_id, subject, up_to)
        return History(history=_taken(told, snapshot), as_of=reader.as_of(snapshot))


def shown(one: incidents.Incident, snapshot: Snapshot) -> contract.Incident:
    """Write an incident as it leaves."""
    return shown_together([one], snapshot)[0]


def shown_together(some: Sequence[incidents.Incident], snapshot: Snapshot) -> list[contract.Incident]:
    """Write incidents as they leave; what all of them need is read in one go."""
    doubts = silence.evidence(snapshot.rows, some, snapshot.policy) if some else {}
    return [_incident(one, doubts.get(one.id), snapshot) for one in some]


def _incident(one: incidents.Incident, evidence: str | None, snapshot: Snapshot) -> contract.Incident:
    staff = one.work.body
    mending = one.mending if one.mending is not None and one.mending.until > snapshot.now else None
    muted_by, muted_as = one.muted_by, one.muted_as
    if muted_by is None and mending is not None:
        muted_by, muted_as = f"{_MAINTENANCE}{mending.name}", "maintenance"
    return contract.Incident(
        **one.body,
        id=one.id,
        severity_parts=one.body["detail"].get("severity", {}),
        episodes=one.episodes,
        historic=one.historic,
        muted_by=muted_by,
        muted_as=cast(Any, muted_as),
        mending=None
        if mending is None
        else contract.Mending(name=mending.name, until=iso(mending.until), why=mending.why),
        flapping=_flapping(one, snapshot),
        members=one.members,
        staff=_staffing(staff),
        liability=_liability(one, staff["liable"]),
        stale=one.stale,
        changed=snapshot.token(one.position),
        would_clear=one.body["detail"].get("cleared_by") if one.body["state"] == "open" else None,
        evidence=evidence,
    )


def worked(incident_id: str, snapshot: Snapshot) -> Workflow:
    """Write what staff have made of an incident as it leaves."""
    found = workflow.one(snapshot.rows, incident_id)
    return Workflow(id=incident_id, **found.body, position=snapshot.token(found.position))


def _taken(told: list[dict[str, Any]], snapshot: Snapshot) -> list[StepTaken]:
    return [StepTaken(**{**one, "position": snapshot.token(one["position"])}) for one in told]


def _flapping(one: incidents.Incident, snapshot: Snapshot) -> contract.Flapping | None:
    spell = one.spell
    if spell is None or spell.stable_at <= snapshot.now:
        return None
    return contract.Flapping(since=iso(spell.since), until=iso(spell.stable_at), changes=spell.changes)


def _staffing(staff: dict[str, Any]) -> contract.Staffing:
    told = {name: staff[name] for name in contract.Staffing.model_fields}
    return contract.Staffing(**{**told, "contacts": len(staff["contacts"])})


def _liability(one: incidents.Incident, decided: Party | None) -> contract.Liability:
    proposed = liability.propose(one.body, shipped_late=one.shipped_late)
    party = decided or (None if proposed is None else proposed.party)
    manner = liability.manner(party)
    return contract.Liability(
        party=party,
        set_by="rule" if decided is None else "staff",
        rule=None if proposed is None or decided is not None else proposed.rule,
        channels=list(manner.channels),
        confirm_in_writing=manner.confirm == "in_writing",
        show_evidence=manner.evidence,
    )


def _episode(body: dict[str, Any]) -> contract.Episode:
    return contract.Episode(**{name: value for name, value in body.items() if name in _EPISODE})


def _after(text: str, sort: Sort) -> After:
    given, at, identity = read_cursor(text, (str, int, str))
    if given != sort:
        raise Problem("invalid_token", "The cursor belongs to another order of the list.")
    return After(cast(int, at), cast(str, identity))
