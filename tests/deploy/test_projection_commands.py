"""``tracker projections`` over a log whose views nobody has made yet, on both stores."""

import json

import pytest
from pydantic import SecretStr

from deploy.settings import Settings
from deploy.wiring import open_store
from tests.deploy.command import command_here
from tests.stores import engine as engines
from tests.story import Desk, placed, requested


@pytest.fixture
def tracker(tmp_path, engine):  # noqa: ARG001  # runs on what the environment names
    """Run the command on a log that nothing has followed."""
    address = engines.url()
    schema = engines.schema_of(tmp_path)
    store = {} if address is None else {"database_url": SecretStr(address), "database_schema": schema}
    with open_store(Settings(data_dir=tmp_path / "var", **store)) as log:
        Desk(log).take(placed(0), requested(0, ship_by=10), until=20)
    run = command_here(tmp_path)
    environment = {} if address is None else {"DATABASE_URL": address, "TRACKER_DATABASE_SCHEMA": schema}
    return lambda *arguments: run(*arguments, **environment)


def test_views_that_were_never_made_are_no_error_of_the_list_and_it_says_how_they_are_made(tracker):
    done = tracker("projections", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No view has been made yet. tracker project")
    assert "tracker projections rebuild" in done.stdout
    assert json.loads(tracker("projections", "list", "--json").stdout) == []


def test_what_was_never_made_cannot_be_compared(tracker):
    done = tracker("projections", "verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tracker: No view has been made yet.")


def test_the_named_command_makes_them(tracker):
    assert tracker("projections", "rebuild").returncode == 0
    rows = json.loads(tracker("projections", "list", "--json").stdout)
    assert {one["behind"] for one in rows} == {0}
    assert tracker("projections", "verify").stdout == "Every view equals its replay.\n"
