"""Streams: how each kind is named, read back and written, in one unit of work."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Self
from urllib.parse import unquote

from domain.complaints import complaint
from domain.dispositions import disposition
from domain.events import Event, Fact
from domain.facts import Facts
from domain.feeds import feed
from domain.groups import backlog, cluster, price_cut
from domain.history.log import LogRecorder, Recorded, decode
from domain.history.suspicion import Message
from domain.incidents import account, incident
from domain.orders import order
from domain.parcels import link, parcel
from domain.payouts import payout


class Dossier:
    """Facts that are kept once, in world order, for the rules that read them."""

    __slots__ = ("facts",)

    def __init__(self, _identity: str) -> None:
        """Begin with nothing known."""
        self.facts = Facts()


def decide_dossier(dossier: Dossier, heard: Fact) -> tuple[Fact, ...]:
    """Record what was heard, once."""
    return () if dossier.facts.holds(heard) else (heard,)


def evolve_dossier(dossier: Dossier, event: Fact) -> Dossier:
    """Apply one fact."""
    dossier.facts.add(event)
    return dossier


_KINDS: Final[dict[str, tuple[Callable[[str], Any], Callable[[Any, Any], Any]]]] = {
    "order": (order.Order, order.evolve),
    "parcel": (parcel.Parcel, parcel.evolve),
    "fulfillment": (link.FulfillmentLink, link.evolve_fulfillment),
    "tracking": (link.TrackingLink, link.evolve_tracking),
    "complaint": (complaint.Complaint, complaint.evolve),
    "backlog": (backlog.Backlog, backlog.evolve),
    "cluster": (cluster.Cluster, cluster.evolve),
    "price_cut": (price_cut.PriceCut, price_cut.evolve),
    "feed": (feed.Feed, feed.evolve),
    "incident": (incident.Incident, incident.evolve),
    "account": (account.Account, account.evolve),
    "payout": (payout.Payout, payout.evolve),
    "disposition": (disposition.Disposition, disposition.evolve),
    "sku": (Dossier, evolve_dossier),
    "binding": (Dossier, evolve_dossier),
}


SHARED_FOR: Final = 100
"""Works that look, after somebody else has written, whether what they read is still so, before they decide."""


class Stream:
    """A stream's state and version, as loaded and then changed by one writer."""

    __slots__ = ("evolve", "state", "version")

    def __init__(self, name: str) -> None:
        """Begin an empty stream."""
        kind, _, key = name.partition("-")
        make, self.evolve = _KINDS[kind]
        self.state = make(unquote(key))
        self.version = 0


class Streams:
    """A bounded cache of stream states; the store's version check makes it safe to be out of date."""

    def __init__(self, store: LogRecorder, limit: int) -> None:
        """Keep at most ``limit`` streams between transactions."""
        self._store = store
        self._limit = limit
        self._known: OrderedDict[str, Stream] = OrderedDict()
        self._shared = 0

    def load(self, names: Iterable[str]) -> dict[str, Stream]:
        """Give streams; those that are not known are read, all in one go."""
        found = {name: self._known.get(name) for name in names}
        missing = [name for name, one in found.items() if one is None]
        if missing:
            self._read(missing)
        return {name: self._known[name] if one is None else one for name, one in found.items()}

    def get(self, name: str) -> Stream:
        """Give a stream, read from the store where it is not known."""
        return self.load((name,))[name]

    def _read(self, missing: Sequence[str]) -> None:
        fresh = {name: Stream(name) for name in missing}
        for row in self._store.select_streams(missing):
            one = fresh[row.stream]
            one.state = one.evolve(one.state, decode(row.topic, row.state))
            one.version = row.version
        self._known.update(fresh)

    def check(self, versions: Mapping[str, int], names: Iterable[str]) -> None:
        """Drop the streams that somebody else has written since they were read."""
        self.forget(
            name for name in names if name in self._known and self._known[name].version != versions.get(name, 0)
        )

    def forget(self, names: Iterable[str]) -> None:
        """Drop states that can no longer be trusted."""
        for name in names:
            self._known.pop(name, None)

    def forget_all(self) -> None:
        """Drop every state."""
        self._known.clear()

    def share(self) -> None:
        """Expect others to write: whether a state is out of date is looked up, rather than found out by a clash."""
        self._shared = SHARED_FOR

    @property
    def shared(self) -> bool:
        """Say whether others have written lately what was read here."""
        return self._shared > 0

    def watch(self) -> Callable[[Sequence[str]], Mapping[str, int]] | None:
        """Give what says how long streams are, where others have written lately."""
        self._shared = max(0, self._shared - 1)
        return self._store.versions if self._shared else None

    def trim(self, used: Iterable[str]) -> None:
        """Keep what was just used and drop the oldest of the rest."""
        for name in used:
            if name in self._known:
                self._known.move_to_end(name)
        while len(self._known) > self._limit:
            self._known.popitem(last=False)


Cause = Message | str
"""What led to events: a message, or the name of a stream whose state did."""


class Work:
    """The events of one transaction: decided on, applied, not yet stored."""

    def __init__(self, streams: Streams, versions: Callable[[Sequence[str]], Mapping[str, int]] | None = None) -> None:
        """Begin with nothing recorded; ``versions`` says how long streams are, where no write is to guard a read."""
        self._streams = streams
        self._versions = versions or streams.watch()
        self.pending: list[Recorded] = []
        self.used: dict[str, list[Recorded]] = {}
        """Every stream read, in order, and what was recorded in it."""
        self._open: dict[str, Stream] = {}
        self._causes: list[tuple[int, Cause]] = []

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Keep the states that are now stored, or drop every one that may have gone ahead of the store."""
        if failed is None:
            self._streams.trim(self.used)
        else:
            self._streams.forget(self.used)

    def load(self, names: Iterable[str]) -> None:
        """Read ahead."""
        wanted = [name for name in dict.fromkeys(names) if name not in self.used]
        for name in wanted:
            self.used[name] = []
        if self._versions is not None and wanted:
            self._streams.check(self._versions(wanted), wanted)
        self._open.update(self._streams.load(wanted))

    def stream(self, name: str) -> Stream:
        """Give a stream as this work has made it so far."""
        found = self._open.get(name)
        if found is None:
            self.load((name,))
            found = self._open[name]
        return found

    def state(self, name: str) -> Any:
        """Give a stream's state as this work has made it so far."""
        found = self._open.get(name)
        return self.stream(name).state if found is None else found.state

    def record(self, name: str, events: Iterable[Event]) -> bool:
        """Append events to a stream; says whether there were any."""
        before = len(self.pending)
        target = self.stream(name)
        for event in events:
            target.version += 1
            recorded = Recorded(name, target.version, event)
            # First, so that an event on which the state chokes can be undone as well.
            self.pending.append(recorded)
            self.used[name].append(recorded)
            target.state = target.evolve(target.state, event)
        return len(self.pending) > before

    def because(self, cause: Cause) -> None:
        """Note what leads to the events that are recorded from here on."""
        self._causes.append((len(self.pending), cause))

    def stale(self, versions: Callable[[Sequence[str]], Mapping[str, int]]) -> set[str]:
        """Name the streams that somebody else has written since they were read."""
        known = versions(list(self.used))
        return {name for name, mine in self.used.items() if self._open[name].version - len(mine) != known.get(name, 0)}

    def entangled(self, names: Iterable[str], messages: Iterable[Message]) -> tuple[set[str], set[Message]]:
        """Give streams and messages, with all that are tied to them because one led to events in the other."""
        ends = [*(first for first, _ in self._causes[1:]), len(self.pending)]
        ties: list[set[Cause]] = [
            {cause, *(one.originator_id for one in self.pending[first:end])}
            for (first, cause), end in zip(self._causes, ends, strict=False)
        ]
        found: set[Cause] = {*names, *messages}
        before = -1
        while before != len(found):
            before = len(found)
            for tie in ties:
                if not tie.isdisjoint(found):
                    found |= tie
        return {one for one in found if isinstance(one, str)}, {one for one in found if not isinstance(one, str)}

    def take_back(self, names: set[str], versions: Callable[[Sequence[str]], Mapping[str, int]]) -> None:
        """Forget what was recorded in these streams, and read them again; nothing is read out of date from here on."""
        self.pending = [one for one in self.pending if one.originator_id not in names]
        self._causes.clear()
        self._versions = versions
        self._streams.forget(names)
        self._open.update(self._streams.load(names))
        self.used.update((name, []) for name in names)

    def undo(self, kept: int) -> None:
        """Take back all events but the first so many; only the streams that they are in are read again."""
        undone = Counter(one.originator_id for one in self.pending[kept:])
        del self.pending[kept:]
        while self._causes and self._causes[-1][0] > kept:
            self._causes.pop()
        self._streams.forget(undone)
        self._open.update(self._streams.load(undone))
        for name, number in undone.items():
            del self.used[name][-number:]
            target = self._open[name]
            for one in self.used[name]:
                target.state = target.evolve(target.state, one.body)
                target.version = one.originator_version
