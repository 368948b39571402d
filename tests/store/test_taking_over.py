"""A log of a former layout, opened by several processes at once: one takes it over, the others wait and say so."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deploy.store import sqlite, sqlite_recorder
from tests.members import ROOT
from tests.store.rows import beside_it, lay_out_as_before
from tests.stores.engine import file_log

pytestmark = pytest.mark.only_on("sqlite")

KEY = b"k" * 16


@pytest.fixture(name="former")
def a_former_log(path: Path) -> Path:
    """Make a log as it was laid out before."""
    with file_log(path):
        pass
    with beside_it(path) as other:
        lay_out_as_before(other, [(KEY, b"\x01", 5)])
    return path


def opening(path: Path, seconds: float) -> "subprocess.Popen[str]":
    """Open a log in another process, which takes a while over what it lacks, under the lock."""
    command = [sys.executable, "-m", __name__, str(path), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_who_opens_it_while_another_process_takes_it_over_waits_and_says_so(former: Path) -> None:
    with opening(former, 1.5) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "takes over\n"
        with opening(former, 0) as second:
            told, said = second.communicate()
            assert (told, second.returncode) == ("knows 1\n", 0)
            assert said.count("waiting until it is done") == 1
            assert said.count("is ready now") == 1
        assert first.communicate() == ("knows 1\n", "")
        assert first.returncode == 0


def test_who_opens_it_while_somebody_writes_who_never_takes_it_over_does_so_itself(former: Path) -> None:
    with beside_it(former) as other:
        other.execute("BEGIN IMMEDIATE")
        with opening(former, 0.01) as waiting:
            assert waiting.stderr is not None
            assert "end the processes of the version before" in waiting.stderr.readline()
            assert waiting.poll() is None
            other.execute("COMMIT")
            told, said = waiting.communicate()
    assert (told, waiting.returncode) == ("takes over\nknows 1\n", 0)
    assert "is ready now" in said


def main(path: Path, seconds: float) -> None:
    """Open a log, wait little for others, and tell what it knows."""
    patch = pytest.MonkeyPatch()
    patch.setattr(sqlite, "LOCK_TIMEOUT", 0.1)  # shorter than it takes over, as with millions of ids
    create = sqlite_recorder.SqliteLogRecorder._create_table

    def slowly(self: Any, cursor: Any) -> None:
        if seconds:
            sys.stdout.write("takes over\n")
            sys.stdout.flush()
        time.sleep(seconds)  # it holds the lock meanwhile
        create(self, cursor)

    patch.setattr(sqlite_recorder.SqliteLogRecorder, "_create_table", slowly)
    with file_log(path) as log:
        sys.stdout.write(f"knows {len(log.store.seen([KEY]))}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
