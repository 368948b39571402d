"""The books of the shops: what customers had not got by the promised date, and what was not on the shelf."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from deploy.demo.debts import Debt
from deploy.demo.wrong import Wrong, earliest


@dataclass(slots=True)
class _Sale:
    deliver_by: datetime
    hub: str
    debt: Debt
    sku_of: dict[str, str]


class Counters:
    """Keeps what every order is owed; facts later than the end of the season are never entered."""

    def __init__(self, end: datetime) -> None:
        """Close the books at `end`."""
        self._end = end
        self._sales: dict[str, _Sale] = {}
        self._empty: list[tuple[str, str, str, datetime]] = []
        self._picked: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)

    def sell(self, order_id: str, hub: str, deliver_by: datetime, lines: list[tuple[str, str, int]]) -> None:
        """Enter an order: its lines, each with SKU and quantity, and by when it is promised."""
        owed = Counter({line: quantity for line, _, quantity in lines})
        self._sales[order_id] = _Sale(deliver_by, hub, Debt(dict(owed)), {line: sku for line, sku, _ in lines})

    def bring(self, order_id: str, line: str, quantity: int, at: datetime | None) -> None:
        """Enter that pieces came to the customer, or will never come."""
        if at is not None and at <= self._end:
            self._sales[order_id].debt.give(line, quantity, at)

    def drop(self, order_id: str, line: str, at: datetime) -> None:
        """Enter that a line is wanted no more."""
        if at <= self._end:
            self._sales[order_id].debt.drop(line, at)

    def dropped_at(self, order_id: str, line: str) -> datetime | None:
        """Return when a line was given up, if it was."""
        return self._sales[order_id].debt.dropped.get(line)

    def find_empty(self, order_id: str, sku: str, hub: str, at: datetime) -> None:
        """Enter that a shelf was empty."""
        if at < self._end:
            self._empty.append((order_id, sku, hub, at))

    def pick(self, order_id: str, sku: str, at: datetime) -> None:
        """Enter that an item was picked."""
        if at <= self._end:
            self._picked[order_id, sku].append(at)

    def wrongs(self) -> list[Wrong]:
        """List what was delivered too late, and what was looked for in vain."""
        return [*self._late(), *self._out()]

    def _late(self) -> list[Wrong]:
        found = []
        for order_id, sale in self._sales.items():
            over = sale.debt.settled()
            if sale.deliver_by < self._end and (over is None or over > sale.deliver_by):
                found.append(Wrong("late_delivery", order_id, sale.deliver_by, over, order_id, sale.hub))
        return found

    def _out(self) -> list[Wrong]:
        found = []
        for order_id, sku, hub, at in self._empty:
            sale = self._sales[order_id]
            lines = [line for line, its in sale.sku_of.items() if its == sku]
            given_up = [sale.debt.dropped.get(line) for line in lines]
            known = [one for one in given_up if one is not None]
            gone = max(known) if len(known) == len(lines) else None
            picked = min((one for one in self._picked[order_id, sku] if one > at), default=None)
            found.append(Wrong("stock_out", f"{order_id}:{sku}", at, earliest(picked, gone), order_id, hub))
        return found
