"""Outlets of the views: every change of the feed, and every incident as it is now."""

from collections.abc import Callable
from functools import partial
from typing import Final

from api import frames
from api.contract.incidents import IncidentState
from api.incidents import shown
from api.outbound import outlet
from api.outbound.outlet import Page, paged, standing
from api.outbound.records import Place, Record, event
from api.reading import Snapshot
from api.tokens import Token
from domain.history.delivered import Mark
from domain.history.log import LogRecorder
from domain.instant import Instant
from projections import checkpoints, feed, incidents, states, workflow
from projections.sayings import policies_of
from projections.view import Checkpoint, Rows
from projections.views import ViewStore

STATE: Final = frozenset(IncidentState.model_fields)
"""The members of ``GET /v1/incidents/{id}`` that only its own events change, not the hour nor another incident."""


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
        return event(self.topics[0], one.change, place, one.incident, data, at=one.body["known_up_to"])


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
            last = {incident: position for position, incident in found}
            snapshot = self._snapshot(rows)
            told = ((at, self._record(incident, snapshot) if last[incident] == at else None) for at, incident in found)
            return paged(told, stands, mark, len(found))

    def _snapshot(self, rows: Rows) -> Snapshot:
        return Snapshot(rows, checkpoints.read(rows), self._clock(), None, partial(policies_of, self._log))

    def _record(self, incident: str, snapshot: Snapshot) -> Record | None:
        one = incidents.one(snapshot.rows, incident)
        if one is None:
            # Staff wrote of what no rule reports, or its stream waits in the view, and will be told once it goes on.
            return None
        place = Place(self._epoch, max(one.position, workflow.one(snapshot.rows, incident).position))
        data = shown(one, snapshot).model_dump(include=set(STATE))
        return event(self.topics[0], "state", place, incident, data, mark="-state")
