"""Parking: streams whose events could not be applied to a view wait there, seen by everybody, lost to nobody."""

from collections.abc import Sequence

from domain.history.log import LogRecorder
from projections import checkpoints
from projections.subjects import Subjects
from projections.view import Entry, Parked, Rows, View
from projections.views import AWAY, ViewStore


class Lot:
    """The parked streams of some views."""

    def __init__(self, store: ViewStore, log: LogRecorder, views: Sequence[View]) -> None:
        """Keep to these views."""
        self._store = store
        self._log = log
        self._views = {view.name: view for view in views}

    def retry(self, subjects: Subjects) -> list[Parked]:
        """Apply all that waits; returns what still cannot be applied."""
        for one in self._waiting():
            try:
                self._heal(one, subjects)
            except AWAY:
                raise
            except Exception as error:  # noqa: BLE001  # it stays where it is, with its newest error
                with self._store.writing() as rows:
                    if _is_parked(rows, one):
                        checkpoints.park(rows, one._replace(attempts=1, error=repr(error)))
        return self._waiting()

    def _heal(self, one: Parked, subjects: Subjects) -> None:
        view = self._views[one.view]
        with self._store.writing() as rows:
            if not _is_parked(rows, one):
                return
            stands = checkpoints.read(rows)[one.view]
            found = self._log.select_streams([one.stream], stands.position)
            entries = [Entry(row) for row in found if row.position >= one.position and row.topic in view.topics]
            subjects.forget()
            subjects.advance(stands.position, stands.position, {})
            if entries:
                view.apply({one.stream: entries}, rows, subjects)
            checkpoints.unpark(rows, one.view, one.stream)
            checkpoints.revise(rows, one.view)
        subjects.forget()

    def _waiting(self) -> list[Parked]:
        with self._store.reading() as rows:
            return [one for one in checkpoints.parked(rows) if one.view in self._views]


def _is_parked(rows: Rows, one: Parked) -> bool:
    """Look whether it still waits: another follower may have healed it since it was listed."""
    return one.stream in checkpoints.waiting(rows, one.view)
