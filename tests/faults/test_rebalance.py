"""Two ingest loops over one log, in a group that takes partitions from one and gives them to the other."""

import threading
import time
from random import Random

import pytest

from tests.chaos.evidence import Evidence
from tests.chaos.oracle import Judge
from tests.chaos.season import season
from tests.chaos.source import PARTITIONS, FileSource
from tests.faults.rig import Rig
from tests.story import at

pytestmark = pytest.mark.xdist_group("chaos")
NAMES = sorted(PARTITIONS)


class Group:
    """Gives partitions to two members; for a while both may own the same, as a zombie does."""

    def __init__(self, seed):
        self._dice = Random(seed)
        self._owned = [frozenset(NAMES[:3]), frozenset(NAMES[3:])]

    def owned(self, member):
        return lambda: self._owned[member]

    def rebalance(self):
        moved = frozenset(name for name in NAMES if self._dice.random() < 0.5)
        others = frozenset(NAMES) - moved
        shared = frozenset(name for name in NAMES if self._dice.random() < 0.2)
        self._owned = [moved | shared, others | shared]

    def settle(self):
        self._owned = [frozenset(NAMES), frozenset()]


@pytest.mark.parametrize("seed", [1, 2])
def test_partitions_that_go_back_and_forth_are_taken_in_once(seed, tmp_path):
    told = season(seed, 900)
    group = Group(seed)

    def member(number):
        return lambda path, starts: FileSource(path, starts, group.owned(number))

    with Rig(tmp_path) as rig:
        loops = [rig.ingest(member(number), log=rig.open_log(), limit=12) for number in range(2)]
        with rig.running(*loops, ticking=True):
            for place, one in enumerate(told.sent):
                rig.clock = one.heard
                rig.broker.send(one)
                if place % 4 == 0:
                    time.sleep(0.005)  # so that messages come while members join
                if place % 40 == 0:
                    group.rebalance()
            rig.clock = told.end + 1_000_000
            group.settle()
            rig.wait(lambda: rig.is_read() and rig.is_known_up_to(told.end), 40)
            rig.wait(lambda: not rig.log.store.due(told.end, 1))
        assert "ingest_fenced_total" in {name for name, _ in rig.noted}
    assert list(Judge(Evidence(tmp_path, told.end)).violations()) == []


def test_two_loops_that_own_everything_take_it_in_once(tmp_path):
    """What the group should never allow costs time and nothing else."""
    told = season(3, 500)
    with Rig(tmp_path) as rig:
        for one in told.sent:
            rig.broker.send(one)
        rig.clock = told.end + 1_000_000
        loops = [rig.ingest(log=rig.open_log(), limit=limit) for limit in (7, 11)]
        with rig.running(*loops, ticking=True):
            rig.wait_until_settled()
    assert list(Judge(Evidence(tmp_path, told.end)).violations()) == []


def test_a_first_start_of_two_at_once_begins_once(tmp_path):
    with Rig(tmp_path) as rig:
        rig.clock = at(1)
        rig.say()
        with rig.log.store.datastore.transaction(commit=True) as cursor:
            cursor.execute("DELETE FROM positions")
        loops = [rig.ingest(log=rig.open_log()) for _ in range(2)]
        started = threading.Barrier(2)
        for loop in loops:
            loop._unknown = _together(started, loop._unknown)
        with rig.running(*loops):
            rig.wait(lambda: rig.stands().keys() == PARTITIONS.keys() and rig.is_known_up_to(at(1)))


def _together(started, unknown):
    """Let both see that nothing is known before either writes."""

    def seen():
        found = unknown()
        if found:
            started.wait(5)
        return found

    return seen
