"""Memory: the command looks for cycles rarely, and finds them all the same."""

import gc
import sys
from collections.abc import Iterator

import pytest

from deploy.cli import main


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_the_command_looks_for_cycles_rarely_and_does_not_stop_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.set_threshold(700, 10, 10)
    monkeypatch.setattr(sys, "argv", ["tracker", "--help"])
    with pytest.raises(SystemExit):
        main()
    assert gc.get_threshold() == (500_000, 10, 10)
    assert gc.isenabled()
