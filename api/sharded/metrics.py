"""Metrics of a server over several logs, beside those of HTTP."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.metrics import METRICS as OF_ONE
from api.sharded.crossings import Crossings
from api.sharded.live import MergedLive
from domain.instant import SECOND

METRICS: Final[dict[str, str]] = {
    "tracker_shard_stale": "1 for a shard that cannot be read just now, and 0 for the others.",
    "tracker_shard_known_up_to_age_seconds": "How far the world is known behind the product's clock, by shard.",
    "tracker_shard_crossings": "Orders and parcels that several shards know, by what they are; must be 0.",
}
"""Every metric of a merged feed."""


class Merged(Collector):
    """Reads what is known of the shards whenever somebody asks."""

    def __init__(self, live: MergedLive, crossings: Crossings) -> None:
        """Read these."""
        self._live = live
        self._crossings = crossings

    def describe(self) -> list[GaugeMetricFamily]:
        """Name nothing ahead."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read everything once; nothing of it asks a shard."""
        standings, now = self._live.standings, self._live.clock.now()
        connected = GaugeMetricFamily("tracker_feed_connected", OF_ONE["tracker_feed_connected"])
        connected.add_metric([], self._live.connected)
        yield connected
        yield _gauge("tracker_shard_stale", "shard", {name: standings.is_stale(name) for name in self._live.shards})
        ages = {name: age / SECOND for name, age in standings.ages(now).items()}
        yield _gauge("tracker_shard_known_up_to_age_seconds", "shard", ages)
        crossings = {"orders": self._crossings.found("order"), "parcels": self._crossings.found("parcel")}
        yield _gauge("tracker_shard_crossings", "what", crossings)


def _gauge(name: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, METRICS[name], labels=(label,))
    for key, value in values.items():
        family.add_metric([key], value)
    return family
