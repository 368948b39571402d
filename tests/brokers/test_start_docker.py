"""The script that makes a Docker engine answer finds the settings that this machine allows."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "start_docker.sh"
pytestmark = pytest.mark.timeout(60)


def machine(tmp_path: Path, works_with: str) -> dict[str, str]:
    """Return the environment of a machine whose engine starts only with these settings."""
    programs = {
        "id": "echo 0",
        "docker": f'if [ "$1" = info ]; then cat {tmp_path}/up; else test -e {tmp_path}/up; fi',
        "dockerd": f'case "$*" in {works_with}) echo "$*" >{tmp_path}/up; exec sleep 5;; esac; exit 1',
    }
    for name, body in programs.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
    return {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOME": str(tmp_path), "TRACKER_TEST_DOCKER_RUN": str(tmp_path)}


def start(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=50, check=False
    )


@pytest.mark.parametrize(
    ("works_with", "chosen"),
    [
        ("*", "--storage-driver=overlay2"),
        ("--storage-driver=vfs*", "--storage-driver=vfs"),
        ("*--bridge=none", "--storage-driver=overlay2 --iptables=false --ip6tables=false --bridge=none"),
        ("*vfs*--bridge=none", "--storage-driver=vfs --iptables=false --ip6tables=false --bridge=none"),
    ],
)
def test_the_first_settings_that_work_are_used(tmp_path: Path, works_with: str, chosen: str) -> None:
    ran = start(machine(tmp_path, works_with))
    assert (ran.returncode, ran.stdout.strip()) == (0, chosen)


def test_where_nothing_works_it_says_where_to_look(tmp_path: Path) -> None:
    ran = start(machine(tmp_path, "nothing"))
    assert ran.returncode == 1
    assert "dockerd.log" in ran.stderr
    log = (tmp_path / ".cache/order-incident-tracker/dockerd.log").read_text()
    assert log.count("start_docker: dockerd") == 4


def test_an_engine_that_answers_is_left_alone(tmp_path: Path) -> None:
    environment = machine(tmp_path, "nothing")
    (tmp_path / "up").write_text("running already\n")
    ran = start(environment)
    assert (ran.returncode, ran.stdout.strip()) == (0, "running already")


def test_the_number_of_a_killed_engine_does_not_keep_another_from_starting(tmp_path: Path) -> None:
    environment = machine(tmp_path, "*")
    stale = tmp_path / "docker.pid"
    stale.write_text(str(os.getpid()))
    assert start(environment).returncode == 0
    assert not stale.exists()
