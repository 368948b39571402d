"""Ledger: the accounts of the orders that a transaction pays, read with what is asked and written with what is paid."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from domain.errors import IllegalStep
from domain.events import Event
from domain.groups.cluster import parts
from domain.history.log import Log
from domain.history.streams import Streams, Work
from domain.incidents.account import Account, AccountPaid
from domain.incidents.commands import Approve, Compensate
from domain.incidents.events import IncidentCompensated
from domain.incidents.incident import Incident
from domain.naming import stream
from domain.orders.order import Order

ROOM: Final = 2_000
"""Streams that one transaction of payments may read."""


class Ledger:
    """Accounts within one transaction; whoever is paid in it is known to be when the next one asks."""

    def __init__(self, log: Log, known: Streams | None = None) -> None:
        """Begin with nothing read, or with what an earlier transaction read, as far as nobody has written since."""
        self.work = Work(Streams(log.store, ROOM)) if known is None else Work(known, log.store.versions)

    def account(self, order_id: str) -> Account:
        """Give what an order has been paid, with the currency and the lines with which it was placed."""
        name = stream("account", order_id)
        self.load((order_id,))
        state: Account = self.work.state(name)
        order: Order = self.work.state(stream("order", order_id))
        if order.placed is None:
            return replace(state, order_id=order_id)
        lines = frozenset(one.line_id for one in order.placed.lines)
        return replace(state, order_id=order_id, currency=order.placed.currency, lines=lines)

    def load(self, orders: Iterable[str]) -> None:
        """Read what is known of these orders all in one go."""
        self.work.load(name for one in orders for name in (stream("account", one), stream("order", one)))

    def write(self, incident: str, events: Iterable[Event]) -> None:
        """Write what an incident pays into the accounts of the orders that it pays."""
        for event in events:
            if isinstance(event, IncidentCompensated):
                self._write(incident, event)

    def order_of(self, incident: Incident, command: Compensate | Approve, orders: Iterable[str]) -> str:
        """Say for which order a payment counts: the one it names, the one its member names, or the incident's only one.

        Raises:
            IllegalStep: that is no order the tracker knows, or it is not said which of several is meant.
        """
        proposed = incident.payments.get(command.member)
        meant = command if isinstance(command, Compensate) else proposed
        stated, known = None if meant is None else meant.order_id, tuple(orders)
        if stated is not None:
            if stated not in known and not self._is_known(stated):
                raise IllegalStep("unknown_order", "The tracker knows no order of this id.")
            return stated
        first = parts(command.member)[0]
        if first in known or len(known) == 0 or self._is_known(first):
            return first
        if len(known) > 1:
            raise IllegalStep("order_missing", "Say with `order_id` for which order this payment is.")
        return known[0]

    def _is_known(self, order_id: str) -> bool:
        return self.work.stream(stream("order", order_id)).version > 0

    def _write(self, incident: str, event: IncidentCompensated) -> None:
        assert event.order_id is not None  # whatever pays says which order was weighed
        paid = AccountPaid(
            at=event.at,
            by=event.by,
            order_id=event.order_id,
            incident=incident,
            member=event.member,
            amount=event.amount,
            currency=event.currency,
            form=event.form,
            approvals=event.approvals,
            override=event.override,
            batch=event.batch,
        )
        self.work.record(stream("account", event.order_id), (paid,))
