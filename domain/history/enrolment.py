"""Enrolment: from which position each partition is read, decided once and written down."""

from collections.abc import Mapping
from typing import NamedTuple

from eventsourcing.persistence import IntegrityError

from domain.errors import Explained, Fenced
from domain.history.batch import GapAccepted, Position, WentLive
from domain.history.log import Advance, Beside, Log, Recorded
from domain.instant import FOREVER, Instant
from domain.naming import stream


class Partition(NamedTuple):
    """A partition by the identity that does not survive its topic: cluster, topic id and number."""

    identity: str
    topic: str
    number: int


class TopicReplaced(Explained):
    """A topic of the same name is not the one whose positions the log holds."""


def go_live(log: Log, starts: Mapping[Partition, int], begun_from: str, now: Instant) -> None:
    """Begin: note where each partition is read from, and when findings stop being historic; the first counts."""
    try:
        _enrol(log, starts, [WentLive(at=now, begun_from=begun_from)])
    except (Fenced, IntegrityError):
        if went_live(log) is None:
            raise


def went_live(log: Log) -> WentLive | None:
    """Say when and from where the log went live, if it has."""
    events = [event for event in log.stream("live") if isinstance(event, WentLive)]
    return events[0] if events else None


def enrol(log: Log, starts: Mapping[Partition, int]) -> None:
    """Read partitions that were added later from their start; another process may have done it first."""
    if not starts:
        return
    try:
        _enrol(log, starts, [])
    except Fenced:
        known = log.store.positions()
        _enrol(log, {one: start for one, start in starts.items() if one.identity not in known}, [])


def check_identities(positions: Mapping[str, Position], found: Mapping[str, Partition]) -> None:
    """Refuse to read a topic that was deleted and made again, or another cluster's.

    Raises:
        TopicReplaced: a topic we hold positions of is no longer the same.
    """
    topics = {one.topic for one in found.values()}
    lost = sorted(
        {
            position.topic
            for name, position in positions.items()
            if position.topic in topics and name not in found and position.taken_up_to != FOREVER
        }
    )
    if lost:
        raise TopicReplaced(
            f"{', '.join(lost)}: the broker's topic is not the one this log was fed from (another cluster, or it was "
            "deleted and made again). Nothing was read. Start with --accept-new-topics to read it from its start."
        )


def retire(log: Log, found: Mapping[str, Partition]) -> None:
    """Stop waiting for partitions that are no more; their positions stay for the record."""
    log.store.hear(
        [one._replace(taken_up_to=FOREVER) for name, one in log.store.positions().items() if name not in found]
    )


def accept_gap(log: Log, position: Position, following: int, now: Instant) -> None:
    """Go on at ``following`` although records before it are gone, and write that down."""
    gap = GapAccepted(partition=position.partition, expected=position.next, next=following, at=now)
    name = stream("batches", position.partition)
    moved = position._replace(next=following, batches=position.batches + 1, last_offset=None, last_digest=b"")
    log.append([Recorded(name, moved.batches, gap)], Beside(advance=[Advance(position.next, moved)]))


def _enrol(log: Log, starts: Mapping[Partition, int], events: list[WentLive]) -> None:
    advance = [
        Advance(None, Position(one.identity, one.topic, one.number, start, None, b"", 0, None, None))
        for one, start in starts.items()
    ]
    log.append([Recorded("live", 1, event) for event in events], Beside(advance=advance))
