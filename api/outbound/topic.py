"""Topic: where records go, and how it must be set up for them."""

from typing import NamedTuple


class Topic(NamedTuple):
    """A topic, and how it must be set up."""

    name: str
    compacted: bool = False
    """Keeps the last record of each key, and nothing else."""
    retention_ms: int | None = None
    """With which it is made; whoever made it may have chosen another."""
    largest: int | None = None
    """Bytes of a record with which it is made."""

    @property
    def configs(self) -> dict[str, str]:
        """Give the settings with which it is made."""
        chosen = {"retention.ms": self.retention_ms, "max.message.bytes": self.largest}
        given = {name: str(value) for name, value in chosen.items() if value is not None}
        return {"cleanup.policy": "compact" if self.compacted else "delete", **given}


class Making(NamedTuple):
    """How topics are made that are missing."""

    allowed: bool = True
    partitions: int = 3
    replication: int = -1
    """The broker's default where negative."""
