"""What the contract suite asks of a Kafka broker, whichever it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Capability(StrEnum):
    """Something that a real Kafka does and a stand-in may not; the value says it in words."""

    RESTART = "keeps records and groups over a restart"
    TRANSACTIONS = "hides aborted records and fences old transactional producers"
    OFFSET_OUT_OF_RANGE = "refuses a fetch beyond the end"
    END_OFFSETS = "knows the end of a partition without a fetch"
    LOG_APPEND_TIME = "stamps records itself where the topic says so"
    PROMPT_JOIN = "lets a lone consumer into its group at once"
    DELETE_RECORDS = "deletes the head of a partition"


EVERYTHING = frozenset(Capability)


class Broker(Protocol):
    """A running broker; one per name and test session."""

    name: str
    version: str
    capabilities: frozenset[Capability]

    @property
    def bootstrap_servers(self) -> str:
        """Return the `host:port` that clients connect to; a restart keeps it."""

    def start(self) -> None:
        """Return once the broker answers, with the records it had when it ended."""

    def stop(self) -> None:
        """End the broker in order, and keep its records."""

    def kill(self) -> None:
        """End the broker as a power cut would, and keep what it had written."""

    def close(self) -> None:
        """End the broker and leave nothing of it behind."""


class BrokerMissingError(Exception):
    """Says why this machine cannot run a broker, and what would change that."""
