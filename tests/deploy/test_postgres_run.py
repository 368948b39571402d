"""The commands on PostgreSQL: chosen by DATABASE_URL, whose password is told to nobody."""

import json
from pathlib import Path

import pytest

from deploy.settings import Settings
from deploy.wiring import open_store, open_views
from projections.follower import Follower
from tests.deploy.command import command_in
from tests.stores import engine
from tests.story import Desk, placed, requested

pytestmark = pytest.mark.only_on("postgres")
SECRET = "open-sesame"  # a word to look for


@pytest.fixture
def tracker(tmp_path, engine):  # noqa: ARG001  # runs on what the environment names
    """Run the command in a folder of its own, on a schema of its own."""
    return command_in(tmp_path)


def address():
    """Give the URL with a password that the server does not ask for."""
    return (engine.url() or "").replace("tracker@", f"tracker:{SECRET}@")


def doctor(tracker, **environment):
    done = tracker("doctor", "--json", **environment)
    return {one["what"]: (one["ok"], one["found"]) for one in json.loads(done.stdout)}, done


def test_the_password_is_told_to_nobody(tracker):
    for command in (["config", "show", "--json"], ["doctor"], ["projections", "list"], ["database", "prepare"]):
        done = tracker(*command, DATABASE_URL=address())
        assert SECRET not in done.stdout + done.stderr
    shown = json.loads(tracker("config", "show", "--json", DATABASE_URL=address()).stdout)
    [one] = [row for row in shown if row["variable"] == "DATABASE_URL"]
    assert (one["value"], one["origin"]) == ("**********", "set")


def test_a_doctor_makes_nothing_and_says_what_is_there(tracker, tmp_path):
    found, _ = doctor(tracker, DATABASE_URL=address(), TRACKER_DATABASE_SCHEMA="shop")
    assert found["store"] == (True, "PostgreSQL, schema shop not made yet")
    settings = Settings(database_url=address(), database_schema="shop")
    with open_store(settings) as log:
        Desk(log).take(placed(0), requested(0, ship_by=10), until=20)
    found, _ = doctor(tracker, DATABASE_URL=address(), TRACKER_DATABASE_SCHEMA="shop")
    assert found["store"] == (True, "PostgreSQL, schema shop, log at position 6, synchronous, fsync on")
    assert list(tmp_path.glob("var/*.db")) == []


def test_a_database_that_does_not_answer_is_an_explained_failure(tracker, tmp_path):
    found, done = doctor(tracker, DATABASE_URL=f"postgresql://u:{SECRET}@/d?host={tmp_path}")
    assert (found["store"][0], done.returncode) == (False, 1)
    done = tracker("quarantine", "list", DATABASE_URL=f"postgresql://u:{SECRET}@/d?host={tmp_path}")
    assert done.returncode == 1
    assert done.stderr.startswith("tracker: the database cannot be used")
    assert SECRET not in done.stderr


def test_views_are_listed_rebuilt_and_compared(tracker):
    settings = Settings(database_url=address(), database_schema="seen")
    with open_store(settings) as log, open_views(settings) as views:
        Desk(log).take(placed(0), requested(0, ship_by=10), until=20)
        Follower(views, log.store).catch_up()
        last = log.store.last_position()
    environment = {"DATABASE_URL": address(), "TRACKER_DATABASE_SCHEMA": "seen"}
    listed = json.loads(tracker("projections", "list", "--json", **environment).stdout)
    assert {one["position"] for one in listed} == {last}
    assert json.loads(tracker("projections", "rebuild", "--json", **environment).stdout)["position"] == last
    assert json.loads(tracker("projections", "verify", "--json", **environment).stdout) == []


def test_the_roles_are_printed_for_an_administrator(tracker):
    done = tracker("database", "roles", "--owner", "o", "--runtime", "r", "--name", "d")
    assert done.returncode == 0
    assert done.stdout.splitlines()[:2] == ['CREATE ROLE "o" LOGIN;', 'CREATE ROLE "r" LOGIN;']


@pytest.mark.parametrize("schema", ["", "A", "a-b", 'a"; DROP TABLE x', "a" * 41])
def test_a_schema_is_a_plain_name(tracker, schema):
    assert tracker("config", "show", TRACKER_DATABASE_SCHEMA=schema).returncode == 2


def test_what_breaks_the_log_is_refused_here_as_well(tracker):
    done = tracker("quarantine", "list", DATABASE_URL=address(), POSTGRES_ENABLE_DB_FUNCTIONS="y")
    assert (done.returncode, "POSTGRES_ENABLE_DB_FUNCTIONS" in done.stderr) == (1, True)


def test_disposable_stores_stay_files():
    settings = Settings(database_url="postgresql://u@h/d").on_files(Path("var/demo"))
    assert (settings.database_url, settings.place) == (None, "var/demo/log.db")
