"""Subjects: what orders and parcels are at a position of the log, folded by the domain's own code."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from domain.history.batch import PolicyAdopted
from domain.history.log import LogRecorder, decode
from domain.history.streams import Stream
from domain.judging.adoption import Adopted, judging

if TYPE_CHECKING:
    from projections.view import Entry

_KINDS: Final = frozenset({"order", "parcel", "complaint", "incident"})
"""The streams that views show; the others are folded by nobody here."""


class Subjects:
    """A bounded cache of states over the log; every state is as of the end of the batch being applied."""

    def __init__(self, log: LogRecorder, limit: int) -> None:
        """Keep at most ``limit`` states between batches."""
        self._log = log
        self._limit = limit
        self._known: dict[str, Stream] = {}
        self._broken: dict[str, Exception] = {}
        self._adoptions: list[tuple[int, PolicyAdopted]] | None = None
        self._policies: dict[int, list[Adopted]] = {}
        self._as_of = 0

    def forget(self) -> None:
        """Drop every state, because one of them may be ahead of what was committed."""
        self._known.clear()
        self._adoptions = None
        self._as_of = -1

    def advance(self, after: int, up_to: int, streams: dict[str, list["Entry"]]) -> None:
        """Bring the states on from one position to the next; a stream that cannot be folded fails when asked for."""
        if after != self._as_of:
            self.forget()
        self._broken.clear()
        self._as_of = up_to
        touched = [name for name in streams if name.partition("-")[0] in _KINDS]
        self._trim(touched)
        cold = [name for name in touched if name not in self._known and streams[name][0].row.version > 1]
        self.load(cold)
        for name in touched:
            self._guard(name, streams[name])
        if "policy" in streams:
            self._adoptions = None

    def load(self, streams: Iterable[str]) -> list[str]:
        """Read the streams that are not known, all in one go; names them."""
        missing = [name for name in dict.fromkeys(streams) if name not in self._known and name not in self._broken]
        if not missing:
            return []
        fresh = {name: Stream(name) for name in missing}
        for row in self._log.select_streams(missing, self._as_of):
            if row.stream not in self._broken:
                try:
                    _evolve(fresh[row.stream], row.version, decode(row.topic, row.state))
                except Exception as error:  # noqa: BLE001  # told to whoever asks for this subject, and to nobody else
                    self._break(row.stream, error)
        self._known.update((name, one) for name, one in fresh.items() if name not in self._broken)
        return missing

    def release(self, streams: Iterable[str]) -> None:
        """Drop states that were read for one look only."""
        for name in streams:
            self._known.pop(name, None)

    def get(self, stream: str) -> Any:
        """Give a subject's state.

        Raises:
            Exception: whatever folding its stream raised.
        """
        if stream not in self._known:
            self.load((stream,))
        if stream in self._broken:
            raise self._broken[stream]
        return self._known[stream].state

    def find(self, stream: str) -> Any:
        """Give a subject's state; none where its stream cannot be folded, and is told of wherever that one is shown."""
        if stream not in self._known and stream not in self._broken:
            self.load((stream,))
        return None if stream in self._broken else self._known[stream].state

    def policies(self, up_to: int | None = None) -> list[Adopted]:
        """List the policies that judge, earliest first, as they were known at a position of the log."""
        if self._adoptions is None:
            rows = self._log.select_streams(["policy"], self._as_of)
            events = ((row.position, decode(row.topic, row.state)) for row in rows)
            self._adoptions = [(at, event) for at, event in events if isinstance(event, PolicyAdopted)]
            self._policies.clear()
        heard = [event for at, event in self._adoptions if up_to is None or at <= up_to]
        if len(heard) not in self._policies:
            self._policies[len(heard)] = judging(heard)
        return self._policies[len(heard)]

    def _guard(self, name: str, entries: Sequence["Entry"]) -> None:
        if name in self._broken:
            return
        one = self._known.get(name)
        if one is None:
            one = self._known[name] = Stream(name)
        try:
            for entry in entries:
                if entry.row.version > one.version:
                    _evolve(one, entry.row.version, entry.event)
        except Exception as error:  # noqa: BLE001  # as above
            self._break(name, error)

    def _break(self, name: str, error: Exception) -> None:
        self._broken[name] = error
        self._known.pop(name, None)

    def _trim(self, touched: Iterable[str]) -> None:
        """Keep what is touched now and drop the oldest of the rest."""
        for name in touched:
            if name in self._known:
                self._known[name] = self._known.pop(name)
        for name in [*islice(self._known, max(0, len(self._known) - self._limit))]:
            del self._known[name]


def _evolve(one: Stream, version: int, event: Any) -> None:
    if version != one.version + 1:
        raise ValueError(f"version {version} follows {one.version}: the stream has a hole")
    one.state = one.evolve(one.state, event)
    one.version = version
