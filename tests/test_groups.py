"""What is dear is made once: tests of one group run in one process."""

import subprocess
import sys
from pathlib import Path

from tests.members import ROOT

SUITE = """
import os
from pathlib import Path

import pytest

@pytest.fixture(scope="module")
def dear():
    Path("dear").open("a").write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")

@pytest.mark.parametrize("number", range(20))
def test_that_shares_what_its_module_makes(dear, number):
    pass

@pytest.mark.xdist_group("ours")
@pytest.mark.parametrize("number", range(20))
def test_that_is_in_a_group(number):
    Path("group").open("a").write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def test_a_group_runs_in_one_process_and_makes_what_it_shares_once(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_suite.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-n", "2", "--dist", "loadgroup", tmp_path]
    ran = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
    told = {name: (tmp_path / name).read_text().split() for name in ("dear", "group")}
    assert [len(told[name]) for name in ("dear", "group")] == [1, 20]
    assert len(set(told["group"])) == 1
