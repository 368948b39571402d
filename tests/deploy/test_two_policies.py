"""Processes that were given different policies: what was brought last judges, and each that brought another says so."""

import threading
from contextlib import contextmanager

import pytest
from eventsourcing.persistence import OperationalError
from prometheus_client import CollectorRegistry

from deploy import clock, doctoring
from deploy.roles import ticker
from deploy.settings import Settings
from deploy.telemetry import METRICS, Superseded
from deploy.wiring import system
from domain.instant import DAY, HOUR
from tests.story import LATER, Desk, placed

STRICT, LAX = '[late_shipment]\npromise = "latest"', ""
NAME = "tracker_policy_superseded"


@pytest.fixture(name="now")
def hands(monkeypatch):
    """Let a test say what time it is."""
    time = [LATER]
    monkeypatch.setattr(clock, "of", lambda _: lambda: time[0])
    return time


@contextmanager
def started(folder, text):
    """Start a process that judges, with a file of its own; gives its parts and its metric."""
    file = None if text is None else folder / f"policy-{len(text)}.toml"
    if file is not None:
        file.write_text(text)
    with system(Settings(data_dir=folder, policy=file), adopting=True) as parts:
        registry = CollectorRegistry()
        registry.register(Superseded(parts))
        yield parts, lambda: registry.get_sample_value(NAME)


def judges(parts):
    return parts.tracker.policies[-1].policy.hash


@pytest.fixture(name="begun")
def a_log_in_which_something_happened(tmp_path, now):  # noqa: ARG001  # its clock
    with started(tmp_path, LAX) as (parts, _):
        Desk(parts.log, LAX).take(placed(0), until=1)
    return tmp_path


def test_who_has_another_file_than_was_brought_last_judges_by_that_and_says_so(begun, now):
    assert NAME in METRICS
    with started(begun, LAX) as (old, of_old):
        assert of_old() == 0
        now[0] += HOUR
        with started(begun, STRICT) as (new, of_new):
            assert (of_old(), of_new()) == (1, 0)
            worker = ticker(old, Settings(data_dir=begun), lambda *_: None)
            follow(worker, lambda: judges(old) == judges(new))
            assert judges(old) == judges(new)
            assert (of_old(), of_new()) == (1, 0)
        now[0] += HOUR
        with started(begun, STRICT) as (_, of_new):
            assert of_new() == 0


def follow(worker, there):
    """Let a worker run until something is so."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        for _ in range(2000):
            if there() or stop.wait(0.01):  # between two looks at what another thread does
                break
    finally:
        stop.set()
        thread.join()


def test_who_was_given_no_file_brings_none_and_is_never_superseded(begun, now):
    with started(begun, None) as (_, of_none):
        now[0] += HOUR
        with started(begun, STRICT):
            assert of_none() == 0


def test_a_log_that_cannot_be_read_is_not_told_as_either(begun, monkeypatch):
    def fail(*_):
        raise OperationalError("away")

    with started(begun, LAX) as (parts, told):
        monkeypatch.setattr(parts.log.store, "select_streams", fail)
        assert told() is None


def rules(folder, text=None):
    """Ask the doctor by which rules the log is judged."""
    file = folder / "mine.toml"
    file.write_text(text or LAX)
    with system(Settings(data_dir=folder)) as parts:
        [check] = doctoring._rules(Settings(data_dir=folder, policy=None if text is None else file), parts.log)
    return check


def test_a_doctor_says_since_when_they_judge_and_that_they_went_to_and_fro(begun, now):
    assert "since" not in rules(begun).found
    for text in (STRICT, LAX, STRICT):
        now[0] += HOUR
        with started(begun, text):
            pass
        assert ("brought back" in rules(begun).found) is (now[0] > LATER + HOUR)
    found = rules(begun)
    assert "since 20" in found.found
    assert "brought back 2 times within a day" in found.found
    assert found.mend == "give every process the same file"
    now[0] += DAY
    assert "brought back" not in rules(begun).found
    assert "holds other rules" in rules(begun, LAX).found
