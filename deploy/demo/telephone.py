"""Makes the calls of a season at the desk, as staff would."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from deploy.demo.calls import Call
from domain.detection import incident_id
from domain.errors import IllegalStep
from domain.incidents.commands import Contact
from domain.incidents.events import Promise
from domain.instant import instant
from domain.naming import stream
from domain.staff.desk import Case, Desk


class Telephone:
    """Records each call once its time has come and the desk knows of the late shipment, dated when it was made."""

    def __init__(self, desk: Desk, calls: Sequence[Call], now: Callable[[], datetime]) -> None:
        """Make these calls, first things first."""
        self._desk = desk
        self._ahead = deque(calls)
        self._ringing: list[Call] = []
        self._now = now

    @property
    def done(self) -> bool:
        """Say whether all calls have been made."""
        return not self._ahead and not self._ringing

    def ring(self) -> None:
        """Make the calls that are due."""
        now = self._now()
        while self._ahead and self._ahead[0].at <= now:
            self._ringing.append(self._ahead.popleft())
        self._ringing = [call for call in self._ringing if not self._made(call)]

    def _made(self, call: Call) -> bool:
        case = Case(incident_id("late_shipment", call.fulfilment), stream("order", call.order_id))
        promise = Promise(what="shipped", until=instant(call.until), order_id=call.order_id, text=call.said)
        said = Contact(
            by=call.by,
            command_id=call.contact_id,
            contact_id=call.contact_id,
            channel="phone",
            outcome="reached",
            promise=promise,
        )
        try:
            self._desk.handle(case, said, at=instant(call.at))
        except IllegalStep as refused:
            if refused.code == "no_finding":  # what the warehouse said has not been read so far
                return False
            raise
        return True
