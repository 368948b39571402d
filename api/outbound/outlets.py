"""Outlets of the views: every change of the feed, and every incident as it is now."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from api import frames
from api.contract.incidents import Incident, IncidentState
from api.incidents import shown_together
from api.outbound import outlet
from api.outbound.outlet import Page, paged, standing
from api.outbound.records import Place, Record, event
from api.reading import Snapshot
from api.tokens import Token
from domain.history.delivered import Mark
from domain.history.log import LogRecorder
from domain.instant import Instant, iso
from projections import checkpoints, feed, incidents, states
from projections.sayings import policies_of
from projections.view import Checkpoint, Rows
from projections.views import ViewStore

STATE: Final = frozenset(IncidentState.model_fields)
"""The members of ``GET /v1/incidents/{id}`` that only its own events change, not the hour nor another incident."""
_SLICE: Final = 100
"""Incidents that are read at once: a page is cut where it weighs enough, and what is read beyond that is read again."""


class Changes:
    """Every entry of the feed."""

    name = "changes"

    def __init__(self, views: ViewStore, epoch: str, topic: str) -> None:
        """Read the feed of this life of a log."""
        self._views = views
        self._epoch = epoch
        self.topics = (topic,)

    def read(self, mark: Mark | None) -> Page | None:
        """Read on in the feed."""
        with self._views.reading() as rows:
            stands = standing(self._views, rows, (feed.VIEW.name,), self._epoch)
            if stands is None:
                return None
            mark = stands.resume(mark)
            found = feed.after(rows, mark.position, outlet.LIMIT)
            went_live = incidents.live_since(rows) if found else None
            told = ((one.position, self._record(one, stands.checkpoint, went_live)) for one in found)
            return paged(told, stands, mark, len(found))

    def _record(self, one: feed.Change, stands: Checkpoint, went_live: Instant | None) -> Record:
        data = frames.change(one, Token.at(stands, one.position), went_live)
        place = Place(self._epoch, one.position)
        return event(self.topics[0], one.change, place, one.incident, data, at=iso(one.decided_at))


class States:
    """Every incident that changed, as it is now."""

    name = "states"

    def __init__(
        self, views: ViewStore, log: LogRecorder, epoch: str, topic: str, clock: Callable[[], Instant]
    ) -> None:
        """Read incidents, and what staff made of them, in this life of a log."""
        self._views = views
        self._log = log
        self._epoch = epoch
        self._clock = clock
        self.topics = (topic,)

    def read(self, mark: Mark | None) -> Page | None:
        """Read on in what changed; an incident that changed twice is told once."""
        with self._views.reading() as rows:
            stands = standing(self._views, rows, states.VIEWS, self._epoch)
            if stands is None:
                return None
            mark = stands.resume(mark)
            found = states.touched(rows, mark.position, stands.checkpoint.position, outlet.LIMIT)
            return paged(self._told(found, self._snapshot(rows)), stands, mark, len(found))

    def _snapshot(self, rows: Rows) -> Snapshot:
        return Snapshot(rows, checkpoints.read(rows), self._clock(), None, partial(policies_of, self._log))

    def _told(self, found: Sequence[tuple[int, str]], snapshot: Snapshot) -> Iterator[tuple[int, Record | None]]:
        last = {incident: position for position, incident in found}
        for first in range(0, len(found), _SLICE):
            some = found[first : first + _SLICE]
            records = self._records([incident for at, incident in some if last[incident] == at], snapshot)
            # There is none where staff wrote of what no rule reports, or where the incident's stream waits in the view:
            # then it will be told once that goes on.
            yield from ((at, records.get(incident) if last[incident] == at else None) for at, incident in some)

    def _records(self, names: Sequence[str], snapshot: Snapshot) -> dict[str, Record]:
        known = incidents.several(snapshot.rows, names)
        bodies = shown_together([*known.values()], snapshot)
        return {one.id: self._record(one, body) for one, body in zip(known.values(), bodies, strict=True)}

    def _record(self, one: incidents.Incident, body: Incident) -> Record:
        place = Place(self._epoch, max(one.position, one.work.position))
        return event(self.topics[0], "state", place, one.id, body.model_dump(include=set(STATE)), mark="-state")
