"""Queries: which incidents are asked for, and how a list goes on where it stopped."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from domain.instant import Instant
from projections.workflow import Staff

_COLUMNS = ("kind", "state", "severity", "warehouse", "carrier")


class Filter(NamedTuple):
    """What an incident must be; an empty part asks for nothing. Several values of one part mean any of them."""

    kind: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    warehouse: tuple[str, ...] = ()
    carrier: tuple[str, ...] = ()
    order: str | None = None
    since: Instant | None = None
    """Due at this instant or later."""
    until: Instant | None = None
    """Due before this instant."""
    assignee: tuple[str, ...] = ()
    """Persons or teams who have it now; what is told of an incident says nothing of that."""

    def matches(self, one: Any) -> bool:
        """Say whether something with these columns, ``order_ids`` and who has it is asked for."""
        return (
            all(not wanted or getattr(one, name) in wanted for name, wanted in self._lists())
            and (self.order is None or self.order in one.order_ids)
            and (self.since is None or one.due_at >= self.since)
            and (self.until is None or one.due_at < self.until)
            and (not self.assignee or one.person in self.assignee or one.team in self.assignee)
        )

    def conditions(self) -> Iterator[tuple[str, Sequence[Any]]]:
        """Write the same over the table of incidents."""
        for name, wanted in self._lists():
            if len(wanted) == 1:
                yield f"{name} = ?", wanted
            elif wanted:
                # The concatenation keeps an index on this column from being used: it would cost a sort.
                yield f"{name} || '' IN ({','.join('?' * len(wanted))})", wanted
        if self.order is not None:
            yield "id IN (SELECT id FROM incident_orders WHERE order_id = ?)", (self.order,)
        if self.since is not None:
            yield "due_at >= ?", (self.since,)
        if self.until is not None:
            yield "due_at < ?", (self.until,)
        yield from Staff(assignee=self.assignee).conditions()

    def _lists(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        return zip(_COLUMNS, self[:5], strict=True)


class After(NamedTuple):
    """The last row of the page before."""

    at: Instant
    id: str
