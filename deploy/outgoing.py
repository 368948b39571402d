"""Outgoing: the topics that are told of something, as the settings name them."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from api.outbound.topic import Making, Topic
from consumers.quarantine import KEPT_FOR
from deploy.kafka_settings import Outbound
from domain.instant import SECOND

_LETTER: Final = 64 * 1024 * 1024
"""Bytes of a dead letter: it is larger than what came, by the reasons why it is here."""


class Outgoing(NamedTuple):
    """Each topic that is told of something, and how it must be set up."""

    changes: Topic | None
    states: Topic | None
    dead_letters: Mapping[str, Topic]
    """By the topic whose messages may come to be dead letters."""

    def topics(self) -> list[Topic]:
        """List them."""
        return [one for one in (self.changes, self.states, *self.dead_letters.values()) if one is not None]


def outgoing(outbound: Outbound, sources: Sequence[str]) -> Outgoing:
    """Say what is to be told; dead letters are kept as long as quarantine keeps them."""
    kept = KEPT_FOR // (SECOND // 1000)
    letters = {one: Topic(dead_letter_topic(one), retention_ms=kept, largest=_LETTER) for one in sources}
    return Outgoing(
        Topic(outbound.changes) if outbound.changes else None,
        Topic(outbound.states, compacted=True) if outbound.states else None,
        letters if outbound.dead_letters else {},
    )


def making(outbound: Outbound) -> Making:
    """Say how topics are made that are missing."""
    return Making(outbound.create, outbound.partitions, outbound.replication or Making().replication)


def dead_letter_topic(topic: str) -> str:
    """Name the topic for what could not be taken in from another."""
    return f"{topic}.dlq"
