"""A rebuild that is killed, wherever it is: the live views stand as they stood, and the next one ends the work."""

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from projections import VIEWS, rebuild
from projections.views import SqliteViews
from tests.projections.stage import stage
from tests.stores.engine import file_log, views_at
from tests.story import placed, requested

pytestmark = pytest.mark.only_on("sqlite")

ORDERS = 12
BATCH = 40
"""Events in one transaction, so that many are begun and ended."""


@pytest.fixture(scope="module")
def told(tmp_path_factory, engine):  # noqa: ARG001  # it counts what was used
    with stage(tmp_path_factory.mktemp("killed")) as made:
        for n in range(ORDERS):
            made.hear(placed(0, of=f"O{n}", key=f"p{n}"), requested(0, f"F{n}", of=f"O{n}", ship_by=20), until=30)
        yield made


def command(folder: Path, killed_at: int, *names: str) -> list[str]:
    """Rebuild in a process that is killed as it begins its so-manieth statement; prints how many there were."""
    return [sys.executable, "-m", __name__, str(folder), str(killed_at), *names]


def rebuilt_apart(folder: Path, killed_at: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(folder, killed_at), check=False, capture_output=True, text=True)


def in_small_steps(patch=setattr):
    patch(rebuild, "BATCH", BATCH)
    patch(rebuild, "_NEAR", 0)


def test_wherever_it_is_killed_the_live_views_are_whole_and_the_next_one_ends_the_work(told, monkeypatch):
    in_small_steps(monkeypatch.setattr)
    before = told.tables()
    whole = rebuilt_apart(told.folder, 0)
    assert whole.returncode == 0, whole.stderr
    count = int(whole.stdout)
    switch = 3 * sum(len(view.tables) for view in VIEWS)
    went_on = 0
    # Begun, in the middle of batches, in the switch, at its commit and after it.
    for place in (5, count // 4, count // 2, 3 * count // 4, count - switch, count - 8, count - 4, count - 1):
        assert rebuilt_apart(told.folder, place).returncode == -signal.SIGKILL, place
        assert told.tables() == before
        came = []
        rebuild.rebuild(told.store, told.log.store, tell=came.append)
        went_on += came[0].position > 0
        assert told.tables() == before
        assert told.query("PRAGMA integrity_check") == [("ok",)]
        assert list(told.folder.glob("views.db.*")) == []
    assert went_on > 2


def test_two_processes_may_make_half_of_the_views_each(told):
    before, names = told.tables(), [view.name for view in VIEWS]
    with told.store.writing() as rows:
        for view in VIEWS:
            rows.execute(f"DELETE FROM {view.tables[0]}")
    halves = [subprocess.Popen(command(told.folder, 0, *some)) for some in (names[::2], names[1::2])]
    assert [one.wait() for one in halves] == [0, 0]
    assert told.tables() == before


def test_a_rebuild_leaves_python_looking_for_cycles_as_it_did(told):
    before, seen = gc.get_threshold(), []
    rebuild.rebuild(told.store, told.log.store, ["feed"], tell=lambda _: seen.append(gc.get_threshold()[0]))
    assert min(seen) > before[0]
    assert gc.get_threshold() == before
    assert gc.isenabled()


def main(folder: Path, killed_at: int, *names: str) -> None:
    """Count every statement of every connection to the views."""
    count = 0

    def begins(_: str) -> None:
        nonlocal count
        count += 1
        if count == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    connect = SqliteViews._connect

    def traced(self):
        connection = connect(self)
        # So little room that pages are written long before the commit that they belong to.
        connection.execute("PRAGMA cache_size=5")
        connection.set_trace_callback(begins)
        return connection

    SqliteViews._connect = traced
    in_small_steps()
    store = views_at(folder / "views.db")
    with file_log(folder / "log.db") as log:
        rebuild.rebuild(store, log.store, names)
    store.close()
    print(count)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
