"""The books of the warehouses: what was promised, what was handed over, and what was therefore late."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from deploy.demo.debts import Debt
from deploy.demo.midnights import Stay
from deploy.demo.wrong import Wrong, earliest


@dataclass(slots=True)
class _Account:
    order_id: str
    hub: str
    requested: bool
    promises: list[tuple[datetime, datetime]]
    debt: Debt
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    approved_at: datetime | None = None

    def due(self, made_at: datetime, ship_by: datetime) -> datetime | None:
        """Return when this promise runs out; None while somebody stops the clock for good."""
        due = ship_by
        for since, until in sorted(self.pauses, key=lambda one: one[0]):
            if since > due:
                break
            if until is None:
                return None
            due += max(until - max(since, made_at), timedelta())
        return due

    def late(self, end: datetime) -> list[tuple[datetime, datetime | None]]:
        """Return every stretch of time in which the promise of that time was broken."""
        found = []
        done = self.debt.settled()
        for number, (made_at, ship_by) in enumerate(self.promises):
            due = self.due(made_at, ship_by)
            following = self.promises[number + 1 :]
            over = earliest(done, *(at for at, _ in following[:1]))
            if due is not None and due < end and (over is None or due < over):
                found.append((due, over))
        return found


class Ledger:
    """Keeps one account per fulfilment; facts later than the end of the season are never entered."""

    def __init__(self, end: datetime) -> None:
        """Close the books at `end`."""
        self._end = end
        self._accounts: dict[str, _Account] = {}

    def promise(
        self,
        fulfilment: str,
        order: str,
        hub: str,
        *,
        made_at: datetime,
        ship_by: datetime,
        owed: Counter[str],
        requested: bool = True,
    ) -> None:
        """Enter what a customer is owed, from where, and by when; `requested` where a warehouse was asked for it."""
        self._accounts[fulfilment] = _Account(order, hub, requested, [(made_at, ship_by)], Debt(dict(owed)))

    def agree(self, fulfilment: str, at: datetime, ship_by: datetime) -> None:
        """Enter a new date that customer or platform accepted at that time."""
        if at <= self._end:
            self._accounts[fulfilment].promises.append((at, ship_by))

    def pause(self, fulfilment: str, since: datetime, until: datetime | None) -> None:
        """Enter that the clock stood still."""
        if since <= self._end:
            ends = until if until is not None and until <= self._end else None
            self._accounts[fulfilment].pauses.append((since, ends))

    def approve(self, fulfilment: str, at: datetime) -> None:
        """Enter that the payment was cleared only then, before which nobody can be said to be late."""
        if at <= self._end:
            self._accounts[fulfilment].approved_at = at

    def drop(self, fulfilment: str, line: str, at: datetime) -> None:
        """Enter that a line is wanted no more."""
        if at <= self._end:
            self._accounts[fulfilment].debt.drop(line, at)

    def hand_over(self, fulfilment: str, line: str, quantity: int, at: datetime) -> None:
        """Enter that a carrier has it."""
        if at <= self._end:
            self._accounts[fulfilment].debt.give(line, quantity, at)

    def deadline(self, fulfilment: str) -> datetime | None:
        """Return when the promise that stands now runs out."""
        account = self._accounts[fulfilment]
        return account.due(*account.promises[-1])

    def settled_at(self, fulfilment: str) -> datetime | None:
        """Return when nothing of a fulfilment was owed any more, if that was in the season."""
        return self._accounts[fulfilment].debt.settled()

    def wrongs(self) -> list[Wrong]:
        """List every late shipment of the season."""
        return [
            Wrong("late_shipment", fulfilment, due, over, account.order_id, account.hub)
            for fulfilment, account in self._accounts.items()
            for due, over in account.late(self._end)
        ]

    def stays(self) -> list[tuple[str, Stay]]:
        """List what lay late at which warehouse, and from when on somebody could know."""
        return [
            (account.hub, Stay(due, over, account.approved_at or due))
            for account in self._accounts.values()
            if account.requested
            for due, over in account.late(self._end)
        ]
