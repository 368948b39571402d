"""The books of the demo world: what was promised, what was handed over, and what was therefore late."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(slots=True)
class _Account:
    order_id: str
    hub: str
    promises: list[tuple[datetime, datetime]]
    owed: dict[str, int]
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    dropped: dict[str, datetime] = field(default_factory=dict)
    handed_over: list[tuple[datetime, str, int]] = field(default_factory=list)

    def settled(self) -> datetime | None:
        """Return when nothing was owed any more."""
        times = [self._line_settled(line, owed) for line, owed in self.owed.items()]
        known = [time for time in times if time is not None]
        return max(known) if len(known) == len(times) else None

    def _line_settled(self, line: str, owed: int) -> datetime | None:
        given = 0
        for at, _, quantity in sorted(one for one in self.handed_over if one[1] == line):
            given += quantity
            if given >= owed:
                return min(at, self.dropped.get(line, at))
        return self.dropped.get(line)

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
        done = self.settled()
        for number, (made_at, ship_by) in enumerate(self.promises):
            due = self.due(made_at, ship_by)
            following = self.promises[number + 1 :]
            over = min((time for time in (done, *(at for at, _ in following[:1])) if time is not None), default=None)
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
        self, fulfilment: str, order: str, hub: str, *, made_at: datetime, ship_by: datetime, owed: Counter[str]
    ) -> None:
        """Enter what a customer is owed, from where, and by when."""
        self._accounts[fulfilment] = _Account(order, hub, [(made_at, ship_by)], dict(owed))

    def agree(self, fulfilment: str, at: datetime, ship_by: datetime) -> None:
        """Enter a new date that customer or platform accepted at that time."""
        if at <= self._end:
            self._accounts[fulfilment].promises.append((at, ship_by))

    def pause(self, fulfilment: str, since: datetime, until: datetime | None) -> None:
        """Enter that the clock stood still."""
        if since <= self._end:
            ends = until if until is not None and until <= self._end else None
            self._accounts[fulfilment].pauses.append((since, ends))

    def drop(self, fulfilment: str, line: str, at: datetime) -> None:
        """Enter that a line is wanted no more."""
        if at <= self._end:
            dropped = self._accounts[fulfilment].dropped
            dropped[line] = min(at, dropped.get(line, at))

    def hand_over(self, fulfilment: str, line: str, quantity: int, at: datetime) -> None:
        """Enter that a carrier has it."""
        if at <= self._end:
            self._accounts[fulfilment].handed_over.append((at, line, quantity))

    def deadline(self, fulfilment: str) -> datetime | None:
        """Return when the promise that stands now runs out."""
        account = self._accounts[fulfilment]
        return account.due(*account.promises[-1])

    def truth(self) -> list[dict[str, Any]]:
        """Return every late shipment of the season, in the order in which they became due."""
        found = [
            {
                "incident": "late_shipment",
                "key": fulfilment,
                "order_id": account.order_id,
                "hub": account.hub,
                "due_at": _written(due),
                "ended_at": None if over is None else _written(over),
            }
            for fulfilment, account in self._accounts.items()
            for due, over in account.late(self._end)
        ]
        return sorted(found, key=lambda one: (str(one["due_at"]), str(one["key"])))


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
