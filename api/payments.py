"""``/v1/payments``: what an order was paid, whichever incidents paid it."""

from typing import Annotated, cast

from fastapi import APIRouter, Query

from api.bounds import Cursor
from api.contract import money as contract
from api.paging import Onward
from api.reading import CaughtUp, Limit
from api.tokens import cursor, read_cursor
from domain.instant import iso
from projections import payments

router = APIRouter(prefix="/v1", tags=["money"])


@router.get("/payments", operation_id="list_payments")
async def list_payments(
    reader: CaughtUp,
    onward: Onward,
    order: Annotated[str, Query(min_length=1, max_length=128)],
    limit: Limit = 100,
    cursor_: Cursor = None,
) -> contract.OrderPayments:
    """List what an order was paid over all incidents, the first payment first."""
    after = 0 if cursor_ is None else cast(int, read_cursor(cursor_, (int,))[0])
    with reader.snapshot() as snapshot:
        found = payments.of_order(snapshot.rows, order, limit + 1, after=after)
        page = found[:limit]
        return contract.OrderPayments(
            payments=[_payment(one) for one in page],
            next=onward.on(cursor([page[-1].position]) if len(found) > limit else None),
            as_of=reader.as_of(snapshot),
        )


def _payment(one: payments.Payment) -> contract.OrderPayment:
    said = {**one._asdict(), "at": iso(one.at), "batch": one.batch or None}
    del said["position"]
    return contract.OrderPayment(**said)
