"""One thing that went wrong in the demo world, in the form in which truth files say it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Wrong:
    """A trouble: about what, from when to when; `ended_at` is None where the season ends before it does."""

    incident: str
    key: str
    due_at: datetime
    ended_at: datetime | None
    order_id: str | None = None
    hub: str | None = None
    more: dict[str, Any] = field(default_factory=dict)

    def line(self) -> dict[str, Any]:
        """Return its line of the truth file."""
        return {
            "incident": self.incident,
            "key": self.key,
            "order_id": self.order_id,
            "hub": self.hub,
            "due_at": written(self.due_at),
            "ended_at": None if self.ended_at is None else written(self.ended_at),
        } | self.more


def written(at: datetime) -> str:
    """Write a time as truth files do."""
    return at.astimezone(UTC).isoformat()


def earliest(*times: datetime | None) -> datetime | None:
    """Return the first of several times that may not have come."""
    return min((one for one in times if one is not None), default=None)
