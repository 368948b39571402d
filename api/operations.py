"""``/v1/projections`` and ``/v1/quarantine``: what an operator needs to see."""

from typing import Literal, cast

from fastapi import APIRouter

from api import masking
from api.bounds import Cursor
from api.contract import operations as contract
from api.paging import Onward
from api.reading import CaughtUp, Limit, Reading
from api.tokens import Token, cursor, read_cursor
from domain.history.batch import Quarantined
from domain.instant import iso
from projections import checkpoints

router = APIRouter(prefix="/v1", tags=["operations"])
Status = Literal["held", "retried", "dropped", "expired"]


@router.get("/projections", operation_id="list_projections")
async def list_projections(reader: CaughtUp) -> contract.Projections:
    """List the views, how far each has come, and what waits in it."""
    last = reader.log.last_position()
    with reader.snapshot() as snapshot:
        waiting = checkpoints.parked(snapshot.rows)
        stands = sorted(snapshot.stands.values())
        return contract.Projections(
            projections=[
                contract.Projection(
                    name=one.view,
                    version=one.version,
                    position=str(Token.at(one)),
                    behind=max(0, last - one.position),
                    parked=[
                        contract.ParkedStream(
                            stream=each.stream,
                            position=str(Token.at(one, each.position)),
                            attempts=each.attempts,
                            error=masking.detail(each.error),
                        )
                        for each in waiting
                        if each.view == one.view
                    ],
                )
                for one in stands
            ],
            log=str(snapshot.position._replace(position=last)),
            as_of=reader.as_of(snapshot),
        )


@router.get("/quarantine", operation_id="list_quarantine")
async def list_quarantine(
    reader: Reading,
    onward: Onward,
    status: Status | None = "held",
    limit: Limit = 50,
    cursor_: Cursor = None,
) -> contract.Quarantine:
    """List messages that could not be taken in, oldest first; what they say is masked."""
    after = 0 if cursor_ is None else cast(int, read_cursor(cursor_, (int,))[0])
    found = reader.log.quarantined(status, limit + 1, after)
    page = found[:limit]
    return contract.Quarantine(
        messages=[_shown(*one) for one in page],
        next=onward.on(cursor([page[-1][0]]) if len(found) > limit else None),
    )


def _shown(identity: int, status: str, one: Quarantined) -> contract.QuarantinedMessage:
    return contract.QuarantinedMessage(
        id=identity,
        status=status,
        code=one.code,
        detail=masking.detail(one.detail),
        topic=one.raw.topic,
        partition=one.raw.partition,
        offset=one.offset,
        at=iso(one.at),
        stamped_at=None if one.raw.stamped_at is None else iso(one.raw.stamped_at),
        size=len(one.raw.value or b""),
        headers=[name[:80] for name, _ in one.raw.headers[:64]],
        shape=masking.shape(one.raw.value),
    )
