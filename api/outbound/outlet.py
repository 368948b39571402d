"""Outlet: a part of what is known that leaves page by page, read on from a mark.

A stream that a view could not take in waits there, and its rows are put in later, behind whoever went on. A mark
therefore keeps where the first of them will stand, and once they are there, everything from that place on leaves again
in order, under the ids that it had.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Protocol

from api.outbound.records import Record
from domain.history.delivered import Mark
from projections import checkpoints
from projections.view import Checkpoint, Rows
from projections.views import ViewStore

LIMIT: Final = 500
"""Changes that are read at once."""
BYTES: Final = 400_000
"""What one page may weigh before it is cut: all of it must go into one batch of each partition."""


class Page(NamedTuple):
    """What is to leave next, and where the mark stands once all of it is acknowledged."""

    records: list[Record]
    mark: Mark
    behind: int
    """Positions of the log that are still to be looked at after it."""
    beyond_first: Mark
    """Where it stands once the first of them is acknowledged."""

    @property
    def first(self) -> "Page":
        """Give the first record by itself, so that one that cannot leave takes no other with it again and again."""
        return Page(self.records[:1], self.beyond_first, max(1, self.behind), self.beyond_first)


class Outlet(Protocol):
    """A part of what is known, and the topics that are told of it."""

    @property
    def name(self) -> str:
        """Name it in metrics."""

    @property
    def topics(self) -> Sequence[str]:
        """Name the topics that its records go to; the first one's identity is that of the mark."""

    def read(self, mark: Mark | None) -> Page | None:
        """Read on from a mark; none where it cannot be known yet."""


class Standing(NamedTuple):
    """Where the views stand that are read together."""

    checkpoint: Checkpoint
    """Of the one that is furthest behind."""
    revision: int
    held: int | None

    def resume(self, mark: Mark | None) -> Mark:
        """Say where to go on: from the mark, or from before what was put in behind it."""
        if mark is None or mark.epoch != self.checkpoint.epoch:
            return Mark(self.checkpoint.epoch, 0, self.revision, self.held)
        position = mark.position
        if mark.held is not None and (mark.revision != self.revision or self.held is None or self.held > mark.held):
            position = min(position, mark.held - 1)
        return mark._replace(position=position, revision=self.revision, held=self.held)


def standing(views: ViewStore, rows: Rows, names: Sequence[str], epoch: str) -> Standing | None:
    """Look where views stand; nowhere while they are not there, or are still those of another log."""
    known = checkpoints.read(rows) if views.columns(rows, "checkpoints") else {}
    stands = [known[name] for name in names if name in known and known[name].epoch == epoch]
    if len(stands) < len(names):
        return None
    waiting = [one.position for one in checkpoints.parked(rows) if one.view in names]
    behind = min(stands, key=lambda one: one.position)
    return Standing(behind, sum(one.revision for one in stands), min(waiting, default=None))


def paged(told: Iterable[tuple[int, Record | None]], stands: Standing, mark: Mark, count: int) -> Page:
    """Cut what is told where it weighs enough; the mark comes to the last that is left."""
    records: list[Record] = []
    size, beyond_first = 0, mark
    for position, record in told:
        if record is not None:
            size += record.size
            if records and size > BYTES:
                count = LIMIT
                break
            records.append(record)
        mark = mark._replace(position=position)
        if len(records) <= 1:
            beyond_first = mark
    behind = max(0, stands.checkpoint.position - mark.position) if count == LIMIT else 0
    return Page(records, mark, behind, beyond_first)
