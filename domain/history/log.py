"""The log: one append-only sequence of events in streams, and what must commit with them."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, ClassVar, Final, NamedTuple, Protocol, TypeVar, cast

import msgspec
from eventsourcing.application import Application
from eventsourcing.persistence import Mapper, PersistenceError, ProcessRecorder, StoredEvent

from domain import catalogue
from domain.complaints import complaint
from domain.dispositions import events as disposition_events
from domain.events import Event
from domain.feeds.feed import Spoken
from domain.groups import backlog, cluster, price_cut
from domain.history import batch
from domain.history.batch import Position, Quarantined
from domain.incidents import account, assurance
from domain.incidents.events import EVENTS as INCIDENT_EVENTS
from domain.instant import FOREVER, Instant
from domain.orders import order
from domain.parcels import events as parcel_events
from domain.parcels import link
from domain.payouts import events as payout_events

EVENTS: Final[tuple[type[Event], ...]] = (
    *order.EVENTS,
    *assurance.EVENTS,
    *parcel_events.EVENTS,
    *link.EVENTS,
    *complaint.EVENTS,
    *catalogue.EVENTS,
    *backlog.EVENTS,
    *cluster.EVENTS,
    *price_cut.EVENTS,
    *batch.EVENTS,
    *INCIDENT_EVENTS,
    *account.EVENTS,
    *payout_events.EVENTS,
    *disposition_events.EVENTS,
)
"""Every event that may stand in the log. Nothing else is ever decoded, whatever a stored topic says."""

_DECODERS = {event.TOPIC: msgspec.json.Decoder(event) for event in EVENTS}
_ENCODE = msgspec.json.Encoder().encode

E = TypeVar("E", bound=Event)


class UnknownTopic(ValueError):
    """The log holds an event that this version does not know: a newer one wrote it."""


class LogDamaged(ValueError):
    """A stored event cannot be read although its name is known: the file is damaged."""


NO_FAULT: Final = (PersistenceError, UnknownTopic, LogDamaged)
"""What is the log's fault, and never that of a message."""


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event in its envelope: which stream, and which place in it."""

    originator_id: str
    originator_version: int
    body: Event


class _Stored(msgspec.Struct, frozen=True, gc=False):
    """What the library calls a stored event, as quick to make as there are many of them."""

    originator_id: str
    originator_version: int
    topic: str
    state: bytes


class Row(NamedTuple):
    """A stored event as a recorder reads it."""

    position: int
    stream: str
    version: int
    topic: str
    state: bytes


def encode(event: Event) -> bytes:
    """Write an event's fields as JSON; its name is the topic beside it."""
    return _ENCODE(event)


def decode(topic: str, state: bytes) -> Event:
    """Read an event by its stable name.

    Raises:
        UnknownTopic: a name that is not in ``EVENTS``.
        LogDamaged: the bytes are not what was written.
    """
    decoder = _DECODERS.get(topic)
    if decoder is None:
        raise UnknownTopic(f"event {topic!r} is not known to this version; upgrade before reading this log")
    try:
        return decoder.decode(state)
    except msgspec.DecodeError as error:
        raise LogDamaged(f"a stored {topic} cannot be read: {error}; restore the log from a backup") from error


class EventMapper(Mapper[str]):
    """Maps envelopes to stored events by stable names; class paths are never stored nor imported."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """Encode a ``Recorded``."""
        body = domain_event.body
        return StoredEvent(domain_event.originator_id, domain_event.originator_version, body.TOPIC, _ENCODE(body))

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """Decode to a ``Recorded``."""
        body = decode(stored_event.topic, stored_event.state)
        return Recorded(str(stored_event.originator_id), stored_event.originator_version, body)


class Armed(NamedTuple):
    """When a subject must be looked at again; null ``due`` keeps an open subject known to policy changes."""

    subject: str
    due: Instant | None
    policy: str
    waits: tuple[tuple[str, Instant], ...] = ()
    """Feeds of which more must be heard than an instant, before what came due then can be judged."""


class Advance(NamedTuple):
    """Compare-and-swap of one partition's position."""

    expected: int | None
    position: Position


class Related(NamedTuple):
    """A row of the index beside the log: what had to do with which stream, and when."""

    what: str
    at: Instant
    name: str


class Beside(msgspec.Struct, kw_only=True):
    """What commits in the same transaction as the events."""

    advance: list[Advance] = []
    seen: list[tuple[bytes, bytes, Instant]] = []
    """16-byte key of (source, id), 8-byte digest, when."""
    heard: dict[str, Instant] = {}
    """Per source the largest event time of this transaction."""
    feeds: dict[str, Spoken] = {}
    """Per source all that is known of when it spoke, from now on."""
    deadlines: dict[str, Armed | None] = {}
    """Per subject when it must be looked at again; null: no more."""
    quarantine: list[Quarantined] = []
    settle: list[tuple[int, str]] = []
    """Quarantine ids and their new status."""
    relate: list[Related] = []
    """Rows for the index; those that are there already stay."""
    count: dict[tuple[str, Instant], int] = {}
    """By how much the count of something on a day changes."""


class LogRecorder(Protocol):
    """What a store must do for the log. Reads inside ``writing`` see that transaction."""

    def writing(self) -> AbstractContextManager[None]:
        """Hold the log's write lock; everything inside commits together or not at all."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **beside: Any) -> Sequence[int] | None:
        """Append in one transaction; raises ``Fenced`` or the library's ``IntegrityError``."""

    def select_streams(self, streams: Sequence[str], up_to: int | None = None, after: int = 0) -> list[Row]:
        """Read streams in version order, up to a position of the log and after a version of each."""

    def versions(self, streams: Sequence[str]) -> dict[str, int]:
        """Give the last version of each stream that exists."""

    def select_rows(self, after: int, limit: int, topics: Sequence[str] = ()) -> list[Row]:
        """Read the log in order."""

    def next_rows(self, places: Sequence[int], topics: Sequence[str]) -> list[Row]:
        """Read what comes first of some topics behind each place of the log; what is behind several may come twice."""

    def last_position(self) -> int:
        """Give the position of the last event; 0 in an empty log."""

    def epoch(self) -> str:
        """Name this log's life: a log restored or begun anew has another."""

    def seen(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Give the digests of the event keys that are known."""

    def forget_seen(self, before: Instant, now: Instant, limit: int) -> int:
        """Purge one slice of event keys, the oldest ones; returns how many. Looks at no more than there are in it.

        One that is ahead of now holds up none behind it for longer than it takes as many to come of age.
        """

    def positions(self) -> dict[str, Position]:
        """Give every partition's position."""

    def hear(self, positions: Sequence[Position], believed: Instant = FOREVER) -> None:
        """Move on what is known to be read of partitions that stand where they stood.

        What was known to be read up to later than ``believed`` gives way, unless the partition is retired.
        """

    def forget_last(self, partition: str) -> None:
        """Compare nothing at the next start: the record taken last is gone from the broker."""

    def due(self, before: Instant, limit: int) -> list[tuple[Instant, str]]:
        """List the subjects whose deadline lies before an instant and has no feed to wait for, earliest first."""

    def heard(self) -> dict[str, Instant]:
        """Give the largest event time of every source, heartbeats included."""

    def feeds(self, sources: Sequence[str]) -> dict[str, Spoken]:
        """Give when these sources are known to have spoken, as it was last stored."""

    def related(self, what: Sequence[str], since: Instant, until: Instant) -> list[Related]:
        """List the rows of the index for these, from one instant to another, both included."""

    def counted(self, what: str, since: Instant, until: Instant) -> int:
        """Add up the counts of days that begin from one instant to before another."""

    def armed(self, subjects: Sequence[str]) -> dict[str, Armed]:
        """Give the deadlines of subjects."""

    def armed_by_other(self, policy: str, limit: int) -> list[str]:
        """List open subjects that another policy armed."""

    def count_armed_by_other(self, policy: str) -> int:
        """Count them."""

    def quarantined(
        self, status: str | None = "held", limit: int = 500, after: int = 0
    ) -> list[tuple[int, str, Quarantined]]:
        """List (id, status, message), oldest first, from the one after ``after`` on."""

    def expire_quarantine(self, before: Instant, limit: int) -> int:
        """Empty the raw bytes of one slice of the messages older than an instant; returns how many."""


class Log(Application[str]):
    """The log as an ``eventsourcing`` application; the store is chosen by ``PERSISTENCE_MODULE``."""

    name = "log"
    env: ClassVar[dict[str, str]] = {"ORIGINATOR_ID_TYPE": "text"}

    def construct_mapper(self) -> Mapper[str]:
        """Use stable names and typed bodies."""
        return EventMapper(self.construct_transcoder())

    def construct_recorder(self) -> ProcessRecorder:
        """Use the recorder that commits positions with events."""
        return self.factory.process_recorder()

    @property
    def store(self) -> LogRecorder:
        """Give the recorder under the interface that the tracker needs."""
        return cast(LogRecorder, self.recorder)

    def append(self, recorded: Sequence[Recorded], beside: Beside) -> int | None:
        """Store events and what goes with them in one transaction; returns the last event's position.

        Raises:
            Fenced: a partition's position is not the expected one.
            IntegrityError: somebody else wrote one of the streams, or has seen one of the messages.
        """
        stored = [
            _Stored(one.originator_id, one.originator_version, one.body.TOPIC, _ENCODE(one.body)) for one in recorded
        ]
        ids = self.store.insert_events(cast(Sequence[StoredEvent], stored), beside=beside)
        return ids[-1] if ids else None

    def stream(self, name: str) -> list[Event]:
        """Read one stream's events in order."""
        return [decode(row.topic, row.state) for row in self.store.select_streams([name])]

    def last(self, name: str, kind: type[E]) -> tuple[E, ...]:
        """Give one stream's last event, if it has any and it is of a kind."""
        version = self.store.versions([name]).get(name, 0)
        rows = self.store.select_streams([name], after=version - 1)
        events = (decode(row.topic, row.state) for row in rows)
        return tuple(event for event in events if isinstance(event, kind))

    def read(self, after: int, limit: int, topics: Sequence[str] = ()) -> Iterable[tuple[int, str, Event]]:
        """Read (position, stream, event) in order."""
        for row in self.store.select_rows(after, limit, topics):
            yield row.position, row.stream, decode(row.topic, row.state)
