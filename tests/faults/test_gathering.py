"""What comes in a steady stream is taken together, what comes after silence at once."""

import pytest

from consumers import loop
from domain.history.batch import BatchTaken
from domain.history.log import decode
from tests.faults.rig import Rig
from tests.pauses import Pauses
from tests.story import placed


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no batch of a slow machine take longer than there is to gather in."""
    monkeypatch.setattr(loop, "GATHER", 60.0)


def taken(rig: Rig) -> list[int]:
    """Say how many records each batch had."""
    events = (decode(row.topic, row.state) for row in rig.log.store.select_rows(0, 100_000))
    return [one.records for one in events if isinstance(one, BatchTaken)]


def test_ingest_takes_the_first_at_once_and_gathers_what_comes_next(rig: Rig) -> None:
    rig.say_orders(0, 1)
    stop = Pauses(lambda: rig.say_orders(1, 4), lambda: rig.say_orders(4, 6), lambda: None)
    rig.ingest().run(stop)  # type: ignore[arg-type]  # it is asked for nothing else
    assert taken(rig) == [1, 3, 2]
    assert all(50 < one <= 60 for one in stop.seconds)


def test_ingest_that_is_behind_takes_one_full_batch_after_the_other(rig: Rig) -> None:
    rig.say(*(placed(0, of=f"O{number}", key=f"p{number}") for number in range(7)))
    stop = Pauses(lambda: None)
    rig.ingest(limit=2).run(stop)  # type: ignore[arg-type]  # as above
    assert taken(rig) == [2, 2, 2, 1]
    assert len(stop.seconds) == 1
