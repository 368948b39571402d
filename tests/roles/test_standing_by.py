"""Two processes of one role on one machine, and what each says of itself."""

import json
import os
import subprocess
from contextlib import ExitStack

import pytest
from prometheus_client import CollectorRegistry

from deploy.settings import Settings
from deploy.telemetry import METRICS, Meter, exposed
from deploy.web import bind
from deploy.wiring import CannotStart, leases, open_store
from domain.instant import SECOND
from tests.contracts.ingesting import until
from tests.roles.running import TRACKER, Role

pytestmark = pytest.mark.timeout(120)
OUTCOMES = ("stored", "conflict", "repeated", "fenced")


@pytest.fixture
def environment(tmp_path):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TRACKER_", "KAFKA_", "DATABASE"))
    }
    return {**kept, "TRACKER_DATA_DIR": str(tmp_path)}


def test_of_two_tickers_one_stands_by_until_the_other_ends(tmp_path, environment):
    with ExitStack() as stack:
        pair = [Role(tmp_path, environment, "tick", number=number) for number in (1, 2)]
        for one in pair:
            stack.callback(one.close)

        def story():
            return [one.story() for one in pair]

        until(lambda: all(one.said("active") or one.said("standing by") for one in pair), 60, story)
        [active], [standby] = ([one for one in pair if one.is_active() is wanted] for wanted in (True, False))
        waits_for = standby.said("standing by")[-1]
        [has] = active.said("active")
        assert waits_for["active"] in {has["holder"], ""}
        assert [one.metric("tracker_active", role="ticker") for one in (active, standby)] == [1, 0]
        active.end()
        until(standby.is_active, 30, story)
        assert [one["term"] for one in standby.said("active")] == [2]
        standby.end()


def test_a_doctor_names_who_is_active_and_who_was(tmp_path, environment):
    with open_store(Settings(data_dir=tmp_path)) as log:
        leases(log).claim("ticker", "shop-1:17:abc", 3600 * SECOND)
        leases(log).claim("follower", "shop-2:18:def", 3600 * SECOND)
        leases(log).give_up("follower", "shop-2:18:def")
    done = subprocess.run(
        [TRACKER, "doctor", "--json"], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    found = {one["what"]: one["found"] for one in json.loads(done.stdout)}
    assert found["ticker"] == "shop-1:17:abc is active"
    assert found["follower"] == "nobody is active; shop-2:18:def was last"


def test_metrics_are_not_served_to_others_without_a_proxy():
    settings = Settings(host="0.0.0.0", metrics_port=0)
    with pytest.raises(CannotStart, match="refusing to serve metrics on"), exposed(CollectorRegistry(), settings):
        pass


def test_a_port_that_is_taken_is_an_explained_failure():
    with bind("127.0.0.1", 0) as taken:
        settings = Settings(metrics_port=taken.getsockname()[1])
        with pytest.raises(CannotStart, match="cannot be served"), exposed(CollectorRegistry(), settings):
            pass


def test_attempts_are_counted_by_outcome_and_every_outcome_is_there_from_the_start():
    registry = CollectorRegistry()
    meter = Meter(registry)
    name = "tracker_ingest_attempts_total"
    assert name in METRICS
    for outcome in ("conflict", "stored", "stored"):
        meter.tried(outcome)
    counted = {outcome: registry.get_sample_value(name, {"outcome": outcome}) for outcome in OUTCOMES}
    assert counted == {"stored": 2, "conflict": 1, "repeated": 0, "fenced": 0}
