"""What the ingest loop needs of a broker; ``consumers.source.KafkaSource`` is the real one."""

from collections.abc import Mapping
from typing import Protocol

from domain.history.batch import Raw


class Source(Protocol):
    """Records of the partitions that are ours at the moment; every call may raise ``SourceFailed``."""

    assignments: int

    @property
    def assigned(self) -> frozenset[str]:
        """Name the partitions we own now."""

    @property
    def settled(self) -> bool:
        """Say whether the group has given us our partitions."""

    def poll(self, timeout_ms: int, limit: int) -> dict[str, list[tuple[int, Raw]]]:
        """Fetch records by partition; raises ``SourceFailed``."""

    def ends(self, names: frozenset[str]) -> dict[str, int]:
        """Ask for the end of each partition."""

    def reached(self, names: frozenset[str]) -> dict[str, int]:
        """Say up to where the client has read, holes included."""

    def beginnings(self, names: frozenset[str]) -> dict[str, int]:
        """Ask for the first offset that each partition still has."""

    def seek(self, starts: Mapping[str, int]) -> None:
        """Read on from here."""

    def hold(self, names: set[str]) -> None:
        """Fetch nothing more of these."""

    def release(self, names: set[str]) -> None:
        """Fetch these again."""

    def mirror(self, positions: Mapping[str, int]) -> None:
        """Tell the group where we are."""

    def close(self) -> None:
        """Leave the group."""
