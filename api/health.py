"""``/healthz``, ``/readyz``, ``/metrics`` and ``/version``: for whatever watches this process."""

from typing import Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.contract import operations as contract
from api.metrics import Meters
from api.problems import PROBLEMS, Problem
from api.reading import Reading
from domain.instant import SECOND
from projections import checkpoints

router = APIRouter(tags=["health"])
watched = APIRouter(tags=["health"])
"""What probes and scrapers read, whatever parameters they are set up to send: none says that a process is ill."""
BEHIND: Final = 10_000
"""Log positions that a view may be behind."""
OLD: Final = 60
"""Real seconds that the frontier may be behind the clock."""


@watched.get("/healthz", operation_id="healthz")
async def healthz() -> contract.Health:
    """Say that the process runs."""
    return contract.Health(status="ok")


@watched.get("/readyz", operation_id="readyz", responses={503: {"model": contract.Readiness}})
async def readyz(request: Request, reader: Reading, response: Response) -> contract.Readiness:
    """Say whether the views keep up with the log, and the log with the world; and how the rest of this process is."""
    last = reader.log.last_position()
    with reader.snapshot() as snapshot:
        behind = last - min(one.position for one in snapshot.stands.values())
        parked = len(checkpoints.parked(snapshot.rows))
        known, now = snapshot.known_up_to, snapshot.now
    age = None if known is None else (now - known) / SECOND / reader.clock.speed
    checks = [
        contract.Check(name="views", ok=behind <= BEHIND, detail=f"{behind} positions behind the end of the log"),
        contract.Check(
            name="frontier",
            ok=age is not None and age <= OLD,
            detail="not known yet" if age is None else f"{age:.1f} s behind the clock",
        ),
        contract.Check(
            name="parked", ok=not parked, needed=False, detail=f"{parked} streams wait, see /v1/projections"
        ),
        *(look() for look in request.app.state.beside),
    ]
    ready = all(one.ok for one in checks if one.needed)
    response.status_code = 200 if ready else 503
    return contract.Readiness(ready=ready, checks=checks)


@watched.get("/metrics", operation_id="metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Give all metrics in the text form of Prometheus."""
    meters: Meters = request.app.state.meters
    return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)


@watched.get("/version", operation_id="version")
async def version(request: Request) -> contract.Version:
    """Say what is running."""
    return contract.Version(name=request.app.title, version=request.app.version)


@router.get("/problems/{code}", operation_id="explain_problem")
async def explain(code: str) -> contract.Explanation:
    """Say what an error code means."""
    if code not in PROBLEMS:
        raise Problem("not_found")
    status, meaning = PROBLEMS[code]
    return contract.Explanation(code=code, status=status, meaning=meaning)
