"""Resuming: pays on whatever batch was approved and then left, because the process that paid it ended."""

import asyncio
import logging
from typing import Final

from starlette.concurrency import run_in_threadpool

from api.reading import Reader
from domain.staff.cashier import Cashier
from projections import payouts
from projections.outage import Outage
from projections.views import AWAY

LOOK: Final = 5.0
"""Seconds between two looks. A batch that came on in between is being paid by somebody else."""
_log = logging.getLogger(__name__)


class Resuming:
    """Looks for batches that stand still; one for the whole application."""

    def __init__(self, reader: Reader, cashier: Cashier) -> None:
        """Have seen nothing yet."""
        self._reader = reader
        self._cashier = cashier
        self._stood: dict[str, int] = {}

    async def run(self) -> None:
        """Look for ever; what fails is tried again at the next look.

        Whether anybody asks for pages or not, this is where a serving process finds out that it cannot read, and why.
        """
        outage = Outage()
        while True:
            try:
                await self.step()
                if (seconds := outage.end()) is not None:
                    _log.info("the views can be read again after %s s", seconds)
            except AWAY as away:
                outage.begin()
                _log.warning("the views cannot be read: %s", away)
            except Exception:  # noqa: BLE001  # the page stays up, and money that is approved is still owed
                _log.exception("a batch could not be paid on")
            await asyncio.sleep(LOOK)

    async def step(self) -> list[str]:
        """Pay on the batches that stand where they stood at the last look, slice by slice; names them."""
        left = await run_in_threadpool(self._left)
        for name in left:
            while await run_in_threadpool(self._pay_on, name) is not None:
                pass
        return left

    def _left(self) -> list[str]:
        with self._reader.snapshot() as snapshot:
            stand = {name: payouts.one(snapshot.rows, name) for name in payouts.unfinished(snapshot.rows)}
        now = {name: one.position for name, one in stand.items() if one is not None}
        before, self._stood = self._stood, now
        return [name for name, position in now.items() if before.get(name) == position]

    def _pay_on(self, name: str) -> int | None:
        return self._cashier.pay_on(name, at=self._reader.clock.now())
