"""``tracker projections`` over a log whose views nobody has made yet, on both stores."""

import json
import os
import socket
import time
from functools import partial

import pytest
from pydantic import SecretStr

from deploy import projecting
from deploy.leading import alone
from deploy.settings import Settings
from deploy.wiring import leases, open_store
from domain.instant import SECOND
from tests.deploy.command import command_here
from tests.stores import engine as engines
from tests.story import Desk, placed, requested


@pytest.fixture
def settings(tmp_path, engine):  # noqa: ARG001  # runs on what the environment names
    """Say where the log is."""
    address = engines.url()
    schema = engines.schema_of(tmp_path)
    store = {} if address is None else {"database_url": SecretStr(address), "database_schema": schema}
    return Settings(data_dir=tmp_path / "var", **store)


@pytest.fixture
def tracker(tmp_path, settings):
    """Run the command on a log that nothing has followed."""
    with open_store(settings) as log:
        Desk(log).take(placed(0), requested(0, ship_by=10), until=20)
    run, address = command_here(tmp_path), engines.url()
    environment = (
        {} if address is None else {"DATABASE_URL": address, "TRACKER_DATABASE_SCHEMA": settings.database_schema}
    )
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


@pytest.mark.parametrize("words", [("verify",), ("rebuild", "feed")], ids=" ".join)
def test_what_another_process_is_at_is_left_to_it(tracker, settings, monkeypatch, words):
    assert tracker("projections", "rebuild").returncode == 0
    monkeypatch.setattr(projecting, "alone", partial(alone, span=0.2))
    lease = "-".join(words)
    with open_store(settings) as log, alone(lease, leases(log), span=0.2):
        done = tracker("projections", *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"tracker: {lease}: {socket.gethostname()}:{os.getpid()}:")
        assert "is at it" in done.stderr
    for _ in range(2):  # each gives it up at its end
        assert tracker("projections", *words).returncode == 0


def test_who_works_alone_stays_so_for_as_long_as_it_takes_and_waits_for_one_that_died(settings):
    with open_store(settings) as log:
        book = leases(log)
        assert book.claim("work", "one that died", SECOND) is not None
        with alone("work", book, span=1.0):
            tries = [book.claim("work", "another one", SECOND) for _ in range(16) if not time.sleep(0.1)]
        assert tries == [None] * 16
        assert book.claim("work", "another one", SECOND) is not None
