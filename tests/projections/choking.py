"""A view that cannot take in one stream, and a story in which some orders are late."""

from projections import incidents
from projections.query import Filter
from tests.story import placed, requested


def late(told, *names, until=30):
    for name in names:
        told.desk.take(placed(0, of=f"O{name}", key=f"p{name}"), requested(0, f"F{name}", of=f"O{name}", ship_by=20))
    told.desk.tick(until)


def open_subjects(told):
    with told.store.reading() as rows:
        return {one.body["subject"]: one.stale for one in incidents.listed(rows, Filter(), 500)}


class Choking:
    """A view that cannot take in one stream."""

    def __init__(self, view, stream):
        self.view, self.stream, self.mended, self.tried = view, stream, False, 0

    def __getattr__(self, name):
        return getattr(self.view, name)

    def apply(self, streams, rows, subjects):
        self.view.apply(streams, rows, subjects)
        if self.stream in streams and not self.mended:
            self.tried += 1
            raise KeyError("a bug")
