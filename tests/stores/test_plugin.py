"""A missing store is skipped with its reason, or an error where it is required; the run says which ones it used."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.members import ROOT

pytestmark = pytest.mark.timeout(120)
SUITE = """
import pytest

def test_on_both(engine):
    assert engine in ("sqlite", "postgres")

@pytest.mark.only_on("sqlite")
def test_on_files(engine):
    assert engine == "sqlite"
"""


def run(tmp_path: Path, *arguments: str, there: bool = True) -> tuple[int, str]:
    """Run a small suite, where there is a server or none."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_suite.py").write_text(SUITE)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "tests.stores.plugin", "-p", "no:cacheprovider", "-rs"]
    if not there:
        (tmp_path / "without.py").write_text(
            "from tests.stores import cluster\n"
            "def none():\n    raise cluster.StoreMissingError('no PostgreSQL server is installed')\n"
            "cluster.binaries = none\n"
        )
        command += ["-p", "without"]
        environment["PYTHONPATH"] += f"{os.pathsep}{tmp_path}"
    ran = subprocess.run(
        [*command, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    return ran.returncode, ran.stdout


def table(output: str) -> dict[str, str]:
    """Return what the table at the end says of each store."""
    lines = [line.split(maxsplit=1) for line in output.partition(" stores ")[2].splitlines()]
    return {line[0]: line[1] for line in lines if line and line[0] in {"sqlite", "postgres"}}


def test_what_is_missing_is_skipped_with_its_reason(tmp_path: Path) -> None:
    code, output = run(tmp_path, there=False)
    assert code == 0
    assert table(output)["sqlite"] == "used by 2 tests"
    assert table(output)["postgres"] == "not used: no PostgreSQL server is installed"
    assert "SKIPPED" in output


def test_what_is_required_and_missing_is_an_error(tmp_path: Path) -> None:
    code, output = run(tmp_path, "--require-stores=postgres", there=False)
    assert code == 1
    assert "required, but there is no PostgreSQL" in output
    assert "required and not used: postgres" in output


def test_what_is_required_and_was_not_used_fails_a_green_run(tmp_path: Path) -> None:
    code, output = run(tmp_path, "--require-stores=postgres", "-k", "files")
    assert code == 1
    assert "required and not used: postgres" in output


def test_a_store_can_be_left_to_another_run(tmp_path: Path) -> None:
    code, output = run(tmp_path, "--leave-stores=postgres")
    assert code == 0
    assert table(output) == {"sqlite": "used by 2 tests", "postgres": "left to another run"}


def test_a_store_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    assert run(tmp_path, "--require-stores=oracle")[0] == pytest.ExitCode.USAGE_ERROR


def test_both_are_used_where_both_are_there_over_processes(tmp_path: Path) -> None:
    code, output = run(tmp_path, "-p", "xdist", "-n", "2", "--require-stores=sqlite,postgres")
    assert code == 0
    assert table(output)["sqlite"] == "used by 2 tests"
    assert table(output)["postgres"].endswith("used by 1 tests")


def test_no_server_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        monkeypatch.setenv("TMPDIR", place)
        code, output = run(tmp_path, "--require-stores=postgres", "--basetemp", str(tmp_path / "base"))
        assert (code, table(output)["postgres"].endswith("used by 1 tests")) == (0, True)
        assert list(Path(place).iterdir()) == []
