"""What is owed to a customer piece by piece, and when nothing of it was owed any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Debt:
    """Pieces by line; a line is settled once so many were given, or once it is wanted no more."""

    owed: dict[str, int]
    dropped: dict[str, datetime] = field(default_factory=dict)
    given: list[tuple[datetime, str, int]] = field(default_factory=list)

    def give(self, line: str, quantity: int, at: datetime) -> None:
        """Enter that pieces changed hands."""
        self.given.append((at, line, quantity))

    def drop(self, line: str, at: datetime) -> None:
        """Enter that a line is wanted no more."""
        self.dropped[line] = min(at, self.dropped.get(line, at))

    def settled(self) -> datetime | None:
        """Return when nothing was owed any more."""
        times = [self._line_settled(line, owed) for line, owed in self.owed.items()]
        known = [time for time in times if time is not None]
        return max(known) if len(known) == len(times) else None

    def cancelled(self) -> datetime | None:
        """Return when the last line was wanted no more, if all were given up."""
        return max(self.dropped.values()) if self.dropped.keys() >= self.owed.keys() else None

    def _line_settled(self, line: str, owed: int) -> datetime | None:
        given = 0
        for at, _, quantity in sorted(one for one in self.given if one[1] == line):
            given += quantity
            if given >= owed:
                return min(at, self.dropped.get(line, at))
        return self.dropped.get(line)
