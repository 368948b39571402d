"""``tracker ingest`` as an operator runs it: a process told by its environment and ended by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.brokers.broker import Broker
from tests.brokers.clients import PATIENCE
from tests.contracts.ingest_runs import Load, running
from tests.contracts.ingesting import Shop, until

pytestmark = pytest.mark.timeout(120)
PROMISED, ALLOWED = 10.0, 50.0
"""Seconds from SIGTERM to the end; the machine that runs the tests may be five times slower than the promise."""
TRACKER = Path(sys.executable).with_name("tracker")


@pytest.fixture
def shop(broker: Broker, tmp_path: Path) -> Shop:
    """Open a shop on the broker, with an empty store."""
    return Shop(broker, tmp_path)


def test_sigterm_under_load_ends_it_in_order(shop: Shop, tmp_path: Path) -> None:
    told = tmp_path / "ingest.log"
    environment = shop.environment(TRACKER_KAFKA__SESSION_TIMEOUT_MS="3000")
    with Load(shop, at_once=10), told.open("wb") as log:
        command = [str(TRACKER), "ingest", "--from", "earliest"]
        with subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process:
            try:
                until(lambda: len(shop.store.facts()) > 500 or process.poll() is not None)
                assert process.poll() is None, told.read_text()
                began = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert process.wait(ALLOWED) == 0, told.read_text()
                took = time.monotonic() - began
            finally:
                process.kill()
    print(f"SIGTERM under load: ended after {took:.2f} s (promised: {PROMISED:.0f} s)")
    assert not shop.is_taken_in(), "it was not under load"
    with running(shop) as run:
        run.until(shop.is_taken_in, ALLOWED)
    shop.check()


def test_a_first_start_that_does_not_say_where_to_begin_ends_with_words(shop: Shop) -> None:
    done = subprocess.run(
        [str(TRACKER), "ingest"], env=shop.environment(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 1
    assert "--from earliest" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broker_that_does_not_answer_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "TRACKER_DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [str(TRACKER), "ingest", "--from", "latest"],
        env=environment, capture_output=True, text=True, timeout=2 * PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
