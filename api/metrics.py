"""Metrics: every name with a sentence, in one list; what can be read is read when it is asked for."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.live import Live
from api.reading import Reader
from domain.instant import SECOND
from projections import checkpoints, risk, summing, workflow
from projections.risk import Warned

METRICS: Final[dict[str, str]] = {
    "tracker_http_requests_total": "Requests answered, by route, method and status.",
    "tracker_http_request_seconds": "Seconds until an answer began, by route.",
    "tracker_feed_connected": "Live feeds that are open.",
    "tracker_feed_let_go_total": "Live feeds that were ended from here, by reason: lagged, stalled, reset.",
    "tracker_incidents": "Incidents, by kind and state.",
    "tracker_incidents_escalated": "Open incidents that went up to somebody with more say, by kind and level.",
    "tracker_orders_at_risk": "Fulfilments that must ship soon and are not packed.",
    "tracker_projection_position": "Log position that a view has come to.",
    "tracker_projection_behind": "Log positions that a view has not come to yet.",
    "tracker_projection_parked": "Streams that wait in a view because an event could not be applied.",
    "tracker_log_position": "Position of the last event of the log.",
    "tracker_policy": "1 for the policy that judges what comes due now, by its hash.",
    "tracker_policy_adoptions": "Versions of policies that processes have brought so far; it grows each time that one"
    " starts with another file than the last.",
    "tracker_known_up_to_seconds": "Unix time, by the product's clock, up to which the world has been read.",
    "tracker_known_up_to_age_seconds": "How far that lies behind the product's clock.",
}
"""Every metric of the web process and what it says."""


class Meters:
    """Counts what this process does, in a registry of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Register everything in ``METRICS`` but what ``watch`` adds."""
        self.registry = registry
        requests = "tracker_http_requests"
        self.requests = Counter(
            requests, METRICS[f"{requests}_total"], ("route", "method", "status"), registry=registry
        )
        seconds = "tracker_http_request_seconds"
        self.seconds = Histogram(seconds, METRICS[seconds], ("route",), registry=registry)
        let_go = "tracker_feed_let_go"
        self._let_go = Counter(let_go, METRICS[f"{let_go}_total"], ("reason",), registry=registry)

    def let_go(self, reason: str) -> None:
        """Count a live feed that was ended from here."""
        self._let_go.labels(reason).inc()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answer and how long it took to begin."""
        self.requests.labels(route, method, status).inc()
        self.seconds.labels(route).observe(seconds)

    def watch(self, reader: Reader, live: Live) -> None:
        """Read the views and the live feeds whenever somebody asks."""
        self.registry.register(_Views(reader, live))


class _Views(Collector):
    def __init__(self, reader: Reader, live: Live) -> None:
        self._reader = reader
        self._live = live

    def describe(self) -> list[GaugeMetricFamily]:
        """Name nothing ahead, so that registering reads nothing."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read everything once."""
        last = self._reader.log.last_position()
        yield _gauge("tracker_feed_connected", {(): self._live.connected})
        yield _gauge("tracker_log_position", {(): last})
        yield _gauge("tracker_policy_adoptions", {(): self._reader.log.versions(["policy"]).get("policy", 0)})
        with self._reader.snapshot() as snapshot:
            rows, stands = snapshot.rows, snapshot.stands
            yield _gauge("tracker_policy", {(snapshot.policy.hash,): 1}, ("policy",))
            by_kind = {(kind, state): count for kind, state, count in summing.counts(rows)}
            yield _gauge("tracker_incidents", by_kind, ("kind", "state"))
            by_level = {(kind, str(level)): count for kind, level, count in workflow.escalated(rows)}
            yield _gauge("tracker_incidents_escalated", by_level, ("kind", "level"))
            position = {(name,): one.position for name, one in stands.items()}
            yield _gauge("tracker_projection_position", position, ("view",))
            behind = {view: max(0, last - at) for view, at in position.items()}
            yield _gauge("tracker_projection_behind", behind, ("view",))
            parked = [one.view for one in checkpoints.parked(rows)]
            waiting = {view: parked.count(view[0]) for view in position}
            yield _gauge("tracker_projection_parked", waiting, ("view",))
            if snapshot.known_up_to is not None:
                known = snapshot.known_up_to
                yield _gauge(
                    "tracker_orders_at_risk", {(): risk.count_soon(rows, known, Warned.by(snapshot.policies()))}
                )
                yield _gauge("tracker_known_up_to_seconds", {(): known / SECOND})
                yield _gauge("tracker_known_up_to_age_seconds", {(): (snapshot.now - known) / SECOND})


def _gauge(name: str, values: Mapping[Any, float], labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, METRICS[name], labels=labels)
    for key, value in values.items():
        family.add_metric(list(key), value)
    return family
