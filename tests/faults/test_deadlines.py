"""Being killed over a thousand due deadlines: each incident is found once, at its due time, whatever its kind."""

import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from domain.detection import FINDING_EVENTS, FindingOpened
from domain.history.log import Log, encode
from domain.policies.thresholds import KINDS
from tests.faults.deadlines import READ, Due, expected, fire, prepare
from tests.story import file_log, hours

KILLS: Final = (("before", 2), ("inside", 5), ("after", 3), ("inside", 11), ("before", 9), ("after", 8), ("inside", 14))
"""At which point of which of its transactions each process after the other is killed."""
ABSENT: Final = frozenset(KINDS) - {
    "damaged_parcel",
    "stock_out",
    "mis_shipment_cluster",
    "product_defect",
    "price_difference",
}
"""All kinds but those which events open and no deadline does."""


@pytest.fixture(name="path", scope="module")
def a_log_with_a_thousand_deadlines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Take a world in whose deadlines all lie ahead."""
    path = tmp_path_factory.mktemp("due") / "log.db"
    prepare(path)
    return path


def _copy(path: Path, name: str) -> Path:
    copied = path.with_name(name)
    for part in path.parent.glob(path.name + "*"):
        shutil.copy(part, part.with_name(part.name.replace(path.name, name)))
    return copied


def _opened(log: Log) -> list[FindingOpened]:
    found = [one for _, _, one in log.read(0, 10**6, [FindingOpened.TOPIC])]
    return [one for one in found if isinstance(one, FindingOpened) and one.finding.reported]


def _ahead(log: Log) -> list[Due]:
    """List what was found after the time that was read before anything was killed."""
    told = ((one, one.finding) for one in _opened(log))
    return [
        (found.kind, found.subject, found.clock, round(hours(found.due_at) or 0, 6))
        for one, found in told
        if (hours(one.known_up_to) or 0) > READ
    ]


def _findings(log: Log) -> dict[str, list[bytes]]:
    """Give the bytes of every change of a finding, by stream."""
    told: dict[str, list[bytes]] = {}
    for _, stream, event in log.read(0, 10**6, [kind.TOPIC for kind in FINDING_EVENTS]):
        told.setdefault(stream, []).append(event.TOPIC.encode() + encode(event))
    return told


def _run(path: Path, point: str, number: int) -> int:
    command = [sys.executable, "-m", "tests.faults.deadlines", str(path), point, str(number)]
    return subprocess.run(command, check=False, timeout=60, cwd=Path(__file__).parents[2]).returncode


@pytest.fixture(name="undisturbed", scope="module")
def the_same_world_undisturbed(path: Path) -> dict[str, list[bytes]]:
    """Fire everything in one go."""
    copied = _copy(path, "undisturbed.db")
    fire(copied)
    with file_log(copied) as log:
        return _findings(log)


@pytest.mark.only_on("sqlite")  # its processes begin from copies of one file
def test_killed_again_and_again_each_deadline_is_found_once_at_its_time(
    path: Path, undisturbed: dict[str, list[bytes]]
) -> None:
    killed = _copy(path, "killed.db")
    seen = [0]
    for point, number in KILLS:
        assert _run(killed, point, number) == -signal.SIGKILL
        with file_log(killed) as log:
            seen.append(len(_ahead(log)))
    assert seen == sorted(seen)
    assert 0 < seen[-1] < len(list(expected()))  # every process was killed with more than enough still to do
    assert _run(killed, "never", 0) == 0
    with file_log(killed) as log:
        assert Counter(_ahead(log)) == Counter(_rounded())
        assert _findings(log) == undisturbed


def _rounded() -> list[Due]:
    return [(kind, subject, clock, round(due, 6)) for kind, subject, clock, due in expected()]


@pytest.mark.only_on("sqlite")
def test_the_world_has_more_than_a_thousand_of_them_of_every_kind_that_has_deadlines(path: Path) -> None:
    due: dict[str, Any] = Counter(kind for kind, *_ in expected())
    assert set(due) == ABSENT
    assert sum(due.values()) > 1500
    with file_log(path) as log:
        assert _ahead(log) == []
