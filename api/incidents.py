"""``/v1/incidents``: what is wrong, since when, why, and what would clear it."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Path, Query

from api import contract
from api.filters import Sort, Wanted
from api.problems import Problem
from api.reading import CaughtUp, Limit, Snapshot
from api.tokens import cursor, read_cursor
from projections import incidents
from projections.query import After

router = APIRouter(prefix="/v1", tags=["incidents"])
_EPISODE = frozenset(contract.Episode.model_fields)


@router.get("/incidents", operation_id="list_incidents")
async def list_incidents(
    reader: CaughtUp,
    wanted: Wanted,
    limit: Limit = 50,
    cursor_: Annotated[str | None, Query(alias="cursor", max_length=512)] = None,
    sort: Sort = "-due_at",
) -> contract.IncidentPage:
    """List incidents by when they were due."""
    newest_first = sort == "-due_at"
    after = None if cursor_ is None else _after(cursor_, sort)
    with reader.snapshot() as snapshot:
        found = incidents.listed(snapshot.rows, wanted, limit + 1, after=after, newest_first=newest_first)
        page = found[:limit]
        return contract.IncidentPage(
            incidents=[shown(one, snapshot) for one in page],
            next=cursor([sort, page[-1].due_at, page[-1].id]) if len(found) > limit else None,
            as_of=reader.as_of(snapshot),
        )


@router.get("/incidents/{incident_id}", operation_id="get_incident")
async def get_incident(reader: CaughtUp, incident_id: Annotated[str, Path(max_length=1200)]) -> contract.IncidentDetail:
    """Show one incident with its episodes, and for each the records that prove it."""
    with reader.snapshot() as snapshot:
        found = incidents.one(snapshot.rows, incident_id)
        if found is None:
            raise Problem("not_found", "No incident has this id.")
        return contract.IncidentDetail(
            incident=shown(found, snapshot),
            episodes=[_episode(body) for body in incidents.episodes(snapshot.rows, incident_id)],
            as_of=reader.as_of(snapshot),
        )


def shown(one: incidents.Incident, snapshot: Snapshot) -> contract.Incident:
    """Write an incident as it leaves."""
    return contract.Incident(
        **one.body,
        id=one.id,
        episodes=one.episodes,
        historic=one.historic,
        muted_by=one.muted_by,
        stale=one.stale,
        changed=snapshot.token(one.position),
        would_clear=one.body["detail"].get("cleared_by") if one.body["state"] == "open" else None,
    )


def _episode(body: dict[str, Any]) -> contract.Episode:
    return contract.Episode(**{name: value for name, value in body.items() if name in _EPISODE})


def _after(text: str, sort: Sort) -> After:
    given, at, identity = read_cursor(text, (str, int, str))
    if given != sort:
        raise Problem("invalid_token", "The cursor belongs to another order of the list.")
    return After(cast(int, at), cast(str, identity))
