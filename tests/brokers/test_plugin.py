"""A missing broker is skipped with its reason, or an error where it is required; the run says which ones it used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(120)
ROOT = Path(__file__).parents[2]
SUITE = """
import pytest
from tests.brokers.broker import Capability

def test_it_answers(broker):
    assert broker.bootstrap_servers

@pytest.mark.needs(Capability.RESTART)
def test_it_restarts(broker):
    broker.stop()
    broker.start()
"""


def run(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """Run a small suite where no container engine answers; nothing but the embedded broker is looked for."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_suite.py").write_text(SUITE)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    command = [sys.executable, "-m", "pytest", "-p", "tests.brokers.plugin", "-p", "no:cacheprovider", "-rs"]
    ran = subprocess.run(
        [*command, "-k", "embedded or container", *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return ran.returncode, ran.stdout


def table(output: str) -> dict[str, str]:
    """Return what the table at the end says of each broker."""
    lines = [line.split(maxsplit=1) for line in output.partition("Kafka brokers")[2].splitlines()]
    return {line[0]: line[1] for line in lines if line and line[0] in {"apache", "container", "embedded"}}


def test_what_is_missing_is_skipped_with_its_reason_and_what_is_there_is_counted(tmp_path: Path) -> None:
    code, output = run(tmp_path)
    assert code == 0
    told = table(output)
    assert "not used: no test asked for it" in told["apache"]
    assert "not used: no Docker engine answers" in told["container"]
    assert "start_docker.sh" in told["container"]
    assert "used by 1 tests, 1 left to a real Kafka" in told["embedded"]
    assert (
        "no stand-in for a Kafka that keeps records and groups over a restart: tested on apache and container" in output
    )


def test_what_is_required_and_missing_is_an_error(tmp_path: Path) -> None:
    code, output = run(tmp_path, "--require-brokers=container,embedded")
    assert code == 1
    assert "required, but there is no container broker" in output
    assert "required and not used: container" in output


def test_what_is_required_and_was_not_used_fails_a_green_run(tmp_path: Path) -> None:
    code, output = run(tmp_path, "--require-brokers=apache", "--deselect=test_suite.py::test_it_restarts[container]")
    assert code == 1
    assert "required and not used: apache" in output


def test_a_broker_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    code, _ = run(tmp_path, "--require-brokers=redpanda")
    assert code == pytest.ExitCode.USAGE_ERROR


def test_the_tally_crosses_processes(tmp_path: Path) -> None:
    code, output = run(tmp_path, "-n", "2", "--dist", "loadgroup", "--require-brokers=embedded")
    assert code == 0
    assert "used by 1 tests" in table(output)["embedded"]
