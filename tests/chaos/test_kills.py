"""The kill harness itself: it finds nothing in sound code, and is blind to none of its laws."""

import shutil
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

from tests.chaos import stage as stages
from tests.chaos.control import INGEST, TICKER
from tests.chaos.evidence import Evidence
from tests.chaos.hunts import hunt
from tests.chaos.kills import USUAL, Killer, in_transaction
from tests.chaos.oracle import Judge
from tests.chaos.season import season
from tests.chaos.stage import Plan, Stage, comes_to_nothing
from tests.chaos.witness import Witness

pytestmark = pytest.mark.xdist_group("chaos")
PLAN = Plan(seed=7, messages=700, pace=3)
KILLS = 15


@pytest.fixture(scope="module")
def survived(tmp_path_factory, nursery):
    """Kill fifteen times and let everything come to rest."""
    stage = Stage(tmp_path_factory.mktemp("killed"), PLAN, nursery)
    killer = Killer(stage, KILLS, USUAL)
    with stage:
        killer.run()
        stage.drain()
        for slot in (INGEST, TICKER):
            stage.stop(slot)
    return stage, killer.killed


def test_nothing_is_lost_or_doubled_by_fifteen_kills(survived):
    stage, killed = survived
    assert stage.judged() == []
    assert killed.total() == KILLS
    assert in_transaction(killed) > 0


def test_a_run_holds_what_the_laws_are_about(survived):
    stage, _ = survived
    told = dict(stage.query("SELECT topic, COUNT(*) FROM stored_events GROUP BY topic"))
    held = dict(stage.query("SELECT code, COUNT(*) FROM quarantine GROUP BY code"))
    assert told["finding.opened.v1"] > 50
    assert told["finding.retracted.v1"] > 0
    assert told["tick.fired.v1"] > 0
    assert told["parcel.order_linked.v1"] > 10
    assert {"id_conflict", "not_json", "bad_data", "tombstone"} <= held.keys()
    assert stage.query("SELECT COUNT(*) FROM seen_ids")[0][0] > 400


def test_the_same_seed_tells_the_same_season():
    assert season(3, 400) == season(3, 400)
    assert season(3, 400) != season(4, 400)


@pytest.mark.parametrize(
    ("left", "comes"),
    [
        ([(3,), (2,), (1,), (0,)], True),
        ([(1, 9), (1, 8), (0, 9), (0, 0)], True),
        ([(3,), (2,), (2,), (2,), (2,), (0,)], False),
        ([(2,), (1,), (2,), (1,), (2,), (1,), (0,)], False),
    ],
    ids=["less and less", "another thing is more meanwhile", "it stands still", "it goes to and fro"],
)
def test_what_goes_on_is_waited_for_however_long_it_takes(left, comes, monkeypatch):
    seconds, told = iter(range(99)), iter(left)
    monkeypatch.setattr(stages, "time", SimpleNamespace(monotonic=lambda: next(seconds), sleep=lambda _: None))
    assert comes_to_nothing(lambda: next(told), 2.5) is comes


def _again(topic: str) -> str:
    """Store an event of this name once more, behind its stream."""
    return (
        "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
        "SELECT originator_id, 1 + (SELECT MAX(originator_version) FROM stored_events b "
        "WHERE b.originator_id = a.originator_id), topic, state FROM stored_events a "
        f"WHERE topic = '{topic}' LIMIT 1"
    )


TAMPERED = {
    "a fact is gone": (
        "DELETE FROM stored_events WHERE rowid = (SELECT MIN(rowid) FROM stored_events WHERE topic='order.placed.v1')",
        "L1 lost",
    ),
    "a fact stands twice": (_again("order.approved.v1"), "L2 doubled"),
    "a finding stands twice": (_again("finding.opened.v1"), "L2 doubled"),
    "a finding is gone": (
        """DELETE FROM stored_events WHERE rowid = (SELECT MAX(rowid) FROM stored_events WHERE topic='finding.opened.v1'
        AND originator_id NOT IN (SELECT originator_id FROM stored_events WHERE topic = 'finding.retracted.v1'))""",
        "L5 differs",
    ),
    "a fact was never sent": (
        "UPDATE stored_events SET state = replace(state, 's-0.0', 's-0.99') WHERE topic = 'order.placed.v1'",
        "L4 phantom",
    ),
    "a quarantined message is gone": ("DELETE FROM quarantine WHERE id = (SELECT MIN(id) FROM quarantine)", "L1 lost"),
    "a quarantined message was emptied": ("UPDATE quarantine SET value = NULL WHERE code = 'not_json'", "L1 lost"),
    "an id was forgotten": ("DELETE FROM seen_ids WHERE key = (SELECT MIN(key) FROM seen_ids)", "L6 forgotten"),
    "an id was seen twice": (
        "INSERT INTO seen_ids (key, digest, at) SELECT key, digest, at FROM seen_ids LIMIT 1",
        "L2 doubled",
    ),
    "an id was made up": ("INSERT INTO seen_ids (key, digest, at) VALUES (x'00', x'00', 0)", "L4 phantom"),
    "a position is short": ("UPDATE positions SET next = next - 1 WHERE topic = 'orders.events.v1'", "L1 position"),
    "a deadline is gone": ("DELETE FROM deadlines", "L5 asleep"),
    "a deadline was not fired": ("INSERT INTO deadlines VALUES ('order-x', 1, '')", "L5 asleep"),
    "a stream has a hole": (
        "UPDATE stored_events SET originator_version = 99 WHERE topic = 'finding.opened.v1' AND originator_version = 4",
        "L6 hole",
    ),
    "a partition went back": (
        "UPDATE stored_events SET state = replace(state, '\"first\":', '\"first\":-') WHERE topic = 'batch.taken.v1'",
        "L3 order",
    ),
}


@pytest.mark.parametrize(("statement", "law"), TAMPERED.values(), ids=TAMPERED.keys())
def test_the_oracle_sees_that(statement, law, survived, tmp_path):
    stage, _ = survived
    shutil.copy(stage.path / "ledger.jsonl", tmp_path)
    with (
        closing(sqlite3.connect(stage.path / "log.db")) as sound,
        closing(sqlite3.connect(tmp_path / "log.db")) as copy,
    ):
        sound.backup(copy)
        assert copy.execute(statement).rowcount > 0
        copy.commit()
    found = list(Judge(Evidence(tmp_path, stage.season.end)).violations())
    assert [one for one in found if one.startswith(law)], found


def test_a_witness_sees_that_an_id_changed(survived, tmp_path):
    stage, _ = survived
    with (
        closing(sqlite3.connect(stage.path / "log.db")) as sound,
        closing(sqlite3.connect(tmp_path / "log.db")) as copy,
    ):
        sound.backup(copy)
        witness = Witness(tmp_path)
        witness.look()
        copy.execute("UPDATE stored_events SET state = state || ' ' WHERE rowid = 5")
        copy.commit()
    assert witness.changed() == [5]


@pytest.mark.parametrize("mutant", ["position_first", "clash_taken_for_success"])
def test_planted_defects_are_caught(mutant, nursery):
    assert hunt(mutant, 1, nursery).caught_by is not None
