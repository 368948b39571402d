"""Commands that look at a log: they make none, and say where one is."""

import json

import pytest

from deploy.settings import Settings
from deploy.wiring import open_store
from domain.history.log import Beside
from tests.deploy.command import command_here
from tests.store.rows import quarantined


@pytest.fixture
def tracker(tmp_path):
    """Run the command in a folder of its own, with nothing inherited that would change it."""
    return command_here(tmp_path)


def test_settings_that_would_break_the_log_are_refused(tracker, tmp_path):
    begin(tmp_path)
    done = tracker("quarantine", "list", POSTGRES_ENABLE_DB_FUNCTIONS="y")
    assert done.returncode == 1
    assert "POSTGRES_ENABLE_DB_FUNCTIONS" in done.stderr


def begin(folder, *below):
    """Make the log that the command looks at in a folder, or another one below its data directory."""
    with open_store(Settings(data_dir=folder.joinpath("var", *below))):
        pass


LOOKS = {
    "quarantine list": ("quarantine", "list"),
    "quarantine list --json": ("quarantine", "list", "--json"),
    "quarantine show": ("quarantine", "show", "1"),
    "quarantine retry": ("quarantine", "retry"),
    "quarantine retry --json": ("quarantine", "retry", "--json"),
    "quarantine drop": ("quarantine", "drop", "1", "--why", "test"),
    "projections list": ("projections", "list"),
    "projections verify": ("projections", "verify"),
    "projections rebuild": ("projections", "rebuild"),
}


@pytest.mark.parametrize("command", LOOKS.values(), ids=LOOKS)
def test_looking_at_a_log_that_is_not_there_makes_none_and_names_where_one_is(tracker, tmp_path, command):
    done = tracker(*command)
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no log at var" in done.stderr
    assert "TRACKER_DATA_DIR or DATABASE_URL" in done.stderr
    assert not (tmp_path / "var").exists()
    begin(tmp_path, "embedded")
    assert "There is one in var/embedded" in tracker(*command).stderr
    assert not (tmp_path / "var" / "log.db").exists()


def test_what_the_embedded_broker_s_run_holds_is_seen_where_the_refusal_says(tracker, tmp_path):
    begin(tmp_path, "embedded")
    done = tracker("quarantine", "list", TRACKER_DATA_DIR="var/embedded")
    assert (done.returncode, done.stdout.strip()) == (0, "No message in quarantine is held.")


def test_config_and_doctor_make_no_log_and_doctor_names_where_one_is(tracker, tmp_path):
    assert tracker("config", "show").returncode == 0
    begin(tmp_path, "embedded")
    store = next(one for one in json.loads(tracker("doctor", "--json").stdout) if one["what"] == "store")
    assert "not made yet" in store["found"]
    assert "var/embedded" in store["found"]
    assert not (tmp_path / "var" / "log.db").exists()


def test_an_empty_quarantine_says_so(tracker, tmp_path):
    begin(tmp_path)
    done = tracker("quarantine", "list")
    assert (done.returncode, done.stdout.strip()) == (0, "No message in quarantine is held.")
    gone = tracker("quarantine", "drop", "7", "--why", "test")
    assert (gone.returncode, "no message 7" in gone.stderr) == (1, True)


def test_what_became_of_messages_in_quarantine_is_told_as_json(tracker, tmp_path):
    with open_store(Settings(data_dir=tmp_path / "var")) as log:
        log.append([], Beside(quarantine=[quarantined(1), quarantined(2)]))
    tried = tracker("quarantine", "retry", "--json")
    told = json.loads(tried.stdout)
    assert (tried.returncode, told["taken"], sorted(told["stay"])) == (1, [], ["1", "2"])
    gone = tracker("quarantine", "drop", "1", "--why", "test", "--json")
    assert (gone.returncode, json.loads(gone.stdout)) == (0, {"dropped": 1})
