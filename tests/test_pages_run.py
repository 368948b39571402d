"""What our pages show is run: every command of README, the mapping with what it prints, the backup of the runbook."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.cluster import Cluster
from consumers.translate import TOPICS
from deploy.embedded import EmbeddedBroker
from deploy.wiring import open_log
from domain.history.batch import TickFired
from domain.history.log import Beside, Log, Recorded
from projections import VIEWS
from projections.follower import Follower
from projections.views import SqliteViews
from tests import pages
from tests.members import ROOT

README = ROOT / "README.md"
RUNBOOK = ROOT / "docs" / "runbook.md"
MAPPING = ROOT / "docs" / "mapping.md"
EXAMPLE = ROOT / "docs" / "example"
RUN_ELSEWHERE = {"make test": ".ci/run"}
"""Commands of README that are not run here, and the file that runs them."""
STAYS = re.compile(r"make run|.*\btracker run\b.*")
SHOWN_BROKER = "localhost:9092"
READY = 20.0
"""Seconds until a command that stays says where its page is."""


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A tree like a checkout, but with a data directory of its own."""
    place = tmp_path / "checkout"
    place.mkdir()
    for entry in ROOT.iterdir():
        if entry.name != "var" and not entry.name.startswith("."):
            (place / entry.name).symlink_to(entry)
    # A stamp of its own: `make setup` must find nothing to do, or it would install this tree into our environment.
    (place / ".venv").mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != ".installed":
            (place / ".venv" / entry.name).symlink_to(entry)
    (place / ".venv" / ".installed").touch()
    return place


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """A Kafka with the topics that the tracker reads."""
    with EmbeddedBroker(tmp_path) as embedded:
        Cluster({"bootstrap_servers": [embedded.bootstrap_servers]}, TOPICS).create_missing(1)
        yield embedded.bootstrap_servers


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKER_", "KAFKA_"))}
    return {**kept, "TRACKER_PORT": "0", "NO_COLOR": "1", "COLUMNS": "200"}


def start(command: str, place: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        ["bash", "-c", command],
        cwd=place,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(command: str, place: Path) -> tuple[int, str]:
    process = start(command, place)
    printed, _ = process.communicate(timeout=60)
    return process.returncode, printed


def page_of(process: subprocess.Popen[str]) -> str:
    """Wait until a command says where its page is; a command that ends or says nothing fails with what it printed."""
    late = threading.Timer(READY, process.kill)
    late.start()
    printed = []
    try:
        for line in process.stdout or ():
            printed.append(line)
            if (found := re.search(r"http://\S+", line)) and line.startswith("Open "):
                return found[0]
    finally:
        late.cancel()
    raise AssertionError(f"no page was announced:\n{''.join(printed)}")


def test_readme_shows_the_commands_that_matter():
    told = pages.shown(README)
    assert len(told) == len(set(told))
    for part in ("make run", "make test", "doctor", "run --from", "config show", "validate", "backtest", "quarantine"):
        assert any(part in command for command in told), part


def test_what_is_run_elsewhere_really_is():
    assert set(RUN_ELSEWHERE) <= set(pages.shown(README))
    for command, file in RUN_ELSEWHERE.items():
        assert any(line.endswith(command) for line in pages.text(ROOT / file).splitlines()), file


@pytest.mark.parametrize("command", [one for one in pages.shown(README) if one not in RUN_ELSEWHERE])
def test_the_readme_does_what_it_says(command: str, scratch: Path, request: pytest.FixtureRequest):
    if SHOWN_BROKER in command:
        command = command.replace(SHOWN_BROKER, request.getfixturevalue("broker"))
    if "quarantine" in command:
        with open_log(scratch / "var" / "log.db"):
            pass
    if STAYS.fullmatch(command):
        stays_until_interrupted(command, scratch)
    else:
        code, printed = run(command, scratch)
        assert code == 0, printed
        assert printed.strip()


def stays_until_interrupted(command: str, place: Path) -> None:
    process = start(command, place)
    try:
        with urllib.request.urlopen(page_of(process), timeout=5) as page:
            assert page.status == 200
        os.killpg(process.pid, signal.SIGINT)
        begun = time.monotonic()
        printed, _ = process.communicate(timeout=15)
        assert time.monotonic() - begun < 10, printed
        # make itself reports the interrupt; the tracker calls it a success.
        assert process.returncode == 0 or command.startswith("make "), printed
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def test_the_mapping_turns_the_webhook_into_the_example():
    (code,) = pages.blocks(MAPPING, "python")
    known: dict[str, object] = {}
    exec(code, known)
    calls = json.loads(pages.text(EXAMPLE / "own-shop-webhook.json"))
    made = [event for call in calls for event in known["events"](call)]
    assert made == [json.loads(line) for line in pages.text(EXAMPLE / "events.jsonl").splitlines()]
    assert json.loads(pages.blocks(MAPPING, "json")[0]) == calls[0]


def test_the_mapping_shows_what_the_commands_print(scratch: Path, tmp_path: Path):
    (scratch / "var").mkdir()
    validate, backtest = pages.shown(MAPPING)
    taken, done, refused = pages.blocks(MAPPING, "text")
    (slips,) = pages.blocks(MAPPING, "jsonl")
    (tmp_path / "slips.jsonl").write_text(slips)
    assert run(f".venv/bin/{validate}", scratch) == (0, taken)
    assert run(f".venv/bin/{backtest}", scratch) == (0, done)
    assert run(f".venv/bin/tracker validate {tmp_path}/slips.jsonl", scratch) == (2, refused)
    finding = json.loads(pages.blocks(MAPPING, "json")[1])
    assert [finding] == [json.loads(line) for line in pages.text(scratch / "var" / "findings.jsonl").splitlines()]


def test_the_runbook_backs_up_a_running_log_and_restores_it(scratch: Path):
    (backup,), (remove, copy, renew) = [
        block.splitlines() for block in pages.blocks(RUNBOOK, "sh") if "log-backup.db" in block
    ]
    stands = scratch / "var" / "log.db"
    with open_log(stands) as log:
        ticks(log, 1, 2)
        epoch = log.store.epoch()
        assert run(backup, scratch) == (0, "")
        ticks(log, 3, 4)
        views = SqliteViews(scratch / "var" / "views.db")
        Follower(views, log.store).catch_up()
    for command in (remove, copy, renew):
        assert run(command, scratch) == (0, "")
    with open_log(stands) as log:
        assert log.store.epoch() != epoch
        assert [(row.position, row.version) for row in log.store.select_rows(0, 10)] == [(1, 1), (2, 2)]
        assert Follower(views, log.store).begun == [view.name for view in VIEWS]
    views.close()


def ticks(log: Log, *versions: int) -> None:
    for version in versions:
        log.append([Recorded("ticks", version, TickFired(until=version, subjects=0))], Beside())
