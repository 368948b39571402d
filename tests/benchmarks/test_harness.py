"""The harness must notice unequal work, spread and missing peers; how fast anything is, it never judges."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as command
from tests.benchmarks import page, report
from tests.benchmarks.end_to_end import build_until_now
from tests.benchmarks.goals import MEASURES
from tests.benchmarks.in_memory import record
from tests.benchmarks.live import Processes
from tests.benchmarks.measure import ResultsDiffer, check, interleave
from tests.benchmarks.observer import NotVisible, Seen, steady_rate, watch
from tests.benchmarks.peers.outcome import Outcome
from tests.benchmarks.result import OURS, Figure, Result
from tests.benchmarks.subjects import OURS as PRODUCT_ITSELF
from tests.benchmarks.subjects import SQLITE, Subject, SubjectFailed, run_apart
from tests.benchmarks.workload import build

PRODUCT, PEER = Subject("ours", "-"), Subject("peer", "-")


def test_a_subject_that_misses_something_ends_the_run() -> None:
    with pytest.raises(ResultsDiffer, match="peer found 1 late shipments, 2 are: 1 missed"):
        check("peer", frozenset({"F1"}), frozenset({"F1", "F2"}))


def test_a_subject_that_makes_something_up_ends_the_run() -> None:
    with pytest.raises(ResultsDiffer, match=r"1 wrong \['F3'\]"):
        check("peer", frozenset({"F1", "F3"}), frozenset({"F1"}))


def test_what_became_late_during_the_run_may_be_found_or_not() -> None:
    least, most = frozenset({"F1"}), frozenset({"F1", "F2"})
    check("peer", least, least, most)
    check("peer", most, least, most)
    with pytest.raises(ResultsDiffer):
        check("peer", frozenset({"F2"}), least, most)


def test_repetitions_take_turns_on_empty_directories(tmp_path: Path) -> None:
    ran: list[str] = []

    def run_once(subject: Subject, directory: Path) -> tuple[int, Outcome]:
        assert not directory.exists()
        directory.mkdir()
        ran.append(subject.name)
        return 60, Outcome(frozenset(), len(ran), 7)

    measured = interleave([PRODUCT, PEER], 3, run_once, tmp_path)
    assert ran == ["ours", "peer", "peer", "ours", "ours", "peer"]
    assert [one.rates for one in measured] == [[60, 15, 12], [30, 20, 10]]
    assert [one.rows for one in measured] == [7, 7]
    assert not list(tmp_path.iterdir())


def test_the_table_shows_median_spread_and_ratio() -> None:
    peers = (Figure.of("peer", [500.0, 250.0, 1000.0]), Figure.absent("other", "not installed"))
    result = Result(
        measure="P1", name="SQLite", unit="events/s", ours=Figure.of(OURS, [2000.0, 4000.0, 1000.0]), peers=peers
    )
    printed = report.say(result).splitlines()
    assert printed[0] == "P1 SQLite, events/s"
    assert printed[2].split() == ["ours", "2,000", "1,000-4,000"]
    assert printed[3].split() == ["peer", "500", "250-1,000", "4.00"]
    assert printed[4].split() == ["other", "-", "not", "installed"]


def test_a_run_that_stops_short_of_the_end_is_told() -> None:
    with pytest.raises(NotVisible, match="3 of 4 events became visible, then a process ended"):
        watch(4, lambda: 3, lambda: True)
    with pytest.raises(NotVisible, match="time was up"):
        watch(4, lambda: 0, lambda: False, patience=0.05)


def test_every_advance_is_seen_and_the_warm_tenth_is_left_out() -> None:
    counts = iter([0, 10, 10, 55, 100])
    seen = watch(100, lambda: next(counts), lambda: False)
    assert [one.events for one in seen] == [0, 10, 55, 100]
    assert steady_rate(seen) == pytest.approx(90 / (seen[3].at - seen[1].at))


def test_the_steady_rate_needs_no_more_than_one_advance() -> None:
    assert steady_rate([Seen(0.0, 0), Seen(2.0, 100)]) == 50
    assert steady_rate([Seen(0.0, 0), Seen(9.0, 5), Seen(10.0, 20), Seen(11.0, 60), Seen(12.0, 100)]) == 40


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the command keep its files in a directory of the test's own."""
    monkeypatch.setattr(command, "ROOT", tmp_path / "bench")
    monkeypatch.setattr(page, "PAGE", tmp_path / "performance.md")
    monkeypatch.setattr(page, "LAST", tmp_path / "last.json")
    return tmp_path


def asked(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])


def measuring(monkeypatch: pytest.MonkeyPatch, measure) -> None:
    """Let every measure be this one."""
    monkeypatch.setattr(command, "import_module", lambda _: type("Module", (), {"measure": staticmethod(measure)}))


def slow(_stand) -> list[Result]:
    peers = (Figure.of("bytewax with recovery", [10_000.0]),)
    return [Result(measure="P1", name="SQLite", unit="events/s", ours=Figure.of(OURS, [1.0]), peers=peers)]


def differ(_stand) -> list[Result]:
    raise ResultsDiffer("peer", frozenset(), frozenset({"F1"}))


def kept(here: Path) -> dict[str, object]:
    (path,) = (here / "bench").glob("*.json")
    found: dict[str, object] = json.loads(path.read_text())
    return found


def test_the_command_fails_when_results_differ_and_takes_the_other_measures_all_the_same(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked(monkeypatch, "--only", "P1", "--only", "P7")
    measuring(monkeypatch, differ)
    assert command.main() == 1
    assert "peer found 0 late shipments, 1 are" in capsys.readouterr().err
    assert [one["measure"] for one in kept(here)["results"]] == ["P1", "P7"]
    assert {one["why_not"] for one in kept(here)["goals"]} == {
        "failed: peer found 0 late shipments, 1 are: 1 missed ['F1'], 0 wrong []"
    }
    assert not page.PAGE.exists()


def test_the_command_keeps_figures_however_slow(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, "--quick")
    measuring(monkeypatch, slow)
    assert command.main() == 0
    found = kept(here)
    assert [one["ours"]["median"] for one in found["results"]] == [1.0] * len(MEASURES)
    assert found["quick"]
    assert set(found["machine"]) == set(report.machine())
    assert found["goals"][0]["verdict"] == "missed"
    assert not page.PAGE.exists()


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [
        ((), (11_500_000, 11_500_000)),
        (("--events", "300000"), (300_000, 300_000)),
        (("--events", "300000", "--server-events", "100000"), (300_000, 100_000)),
        (("--server-events", "100000"), (11_500_000, 100_000)),
    ],
)
def test_one_size_is_that_of_both_grown_logs_and_postgres_may_have_its_own(
    arguments, sizes, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch, slow)
    asked(monkeypatch, "--only", "P5", *arguments)
    assert command.main() == 0
    found = kept(here)["size"]
    assert (found["grown_events"], found["grown_on_server"]) == sizes


def test_measures_are_taken_in_the_order_in_which_they_disturb_each_other_least(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring(monkeypatch, slow)
    asked(monkeypatch, "--only", "P5", "--only", "P6", "--only", "P4")
    assert command.main() == 0
    assert list(kept(here)["took"]) == ["P4", "P6", "P5"]


def test_only_a_full_run_of_every_measure_is_put_on_the_page(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring(monkeypatch, slow)
    asked(monkeypatch, "--only", "P1")
    assert command.main() == 0
    assert not page.PAGE.exists()
    asked(monkeypatch, "--json", str(here / "all.json"))
    assert command.main() == 0
    whole = report.Kept.load_from(here / "all.json")
    assert page.PAGE.read_text() == page.render([whole])
    assert page.last() == [whole]


def test_processes_get_their_settings_and_end_when_told(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.start(
        "one", sys.executable, "-c", "import os, time; print(os.environ['A'], flush=True); time.sleep(60)", A="b"
    )
    while not processes.said().endswith("b\n"):
        assert not processes.failed()
    began = time.monotonic()
    processes.stop()
    assert time.monotonic() - began < 10


def test_a_process_that_fails_is_noticed_with_its_words(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.start("one", sys.executable, "-c", "raise SystemExit('no such topic')")
    while not processes.failed():
        time.sleep(0.01)  # between two looks
    assert "no such topic" in processes.said()
    processes.stop()


def test_processes_say_how_much_processor_time_they_used(tmp_path: Path) -> None:
    # Each stays until it is ended: what a process used is gone with it.
    busy = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True); time.sleep(60)"
    processes = Processes(tmp_path)
    for name in ("one", "two"):
        processes.start(name, sys.executable, "-c", busy)
    while processes.said().count("done") < 2:
        assert not processes.failed()
    assert 0.55 < processes.processor_seconds() < 5
    processes.stop()


def test_a_workload_for_live_detection_ends_now() -> None:
    workload = build_until_now(300)
    assert abs((datetime.now(UTC) - workload.until).total_seconds()) < 5
    assert [one.key for one in workload.messages] == [one.key for one in build(300).messages]
    assert len(workload.late) == len(build(300).late)


def test_the_machine_is_named_by_cores_and_versions_only() -> None:
    assert set(report.machine()) == {"cores", "python", "sqlite", *report.PACKAGES}


def test_a_peer_that_is_not_installed_says_how_to_install_it() -> None:
    absent = Subject("peer", "-", needs="no_such_package")
    assert absent.missing is not None
    assert "requirements-bench.lock" in absent.missing
    assert Subject("peer", "-").missing is None


def test_each_run_has_a_process_of_its_own(tmp_path: Path) -> None:
    (crud,) = (one for one in SQLITE if one.name == "CRUD upserts")
    outcome = run_apart(crud, 300, tmp_path / "run", 50)
    assert outcome.late == build(300).late
    assert outcome.seconds > 0


def test_the_product_does_the_peers_job(tmp_path: Path) -> None:
    outcome = run_apart(PRODUCT_ITSELF, 300, tmp_path / "run", 50)
    assert outcome.late == build(300).late


def test_what_the_product_writes_is_copied_for_the_ceiling(tmp_path: Path) -> None:
    counted = record(300, 50, tmp_path).count()
    assert counted["seen_ids"] == 300
    assert counted["stored_events"] > 300
    (ceiling,) = (one for one in SQLITE if not one.detects)
    assert run_apart(ceiling, 300, tmp_path / "run", 50).rows == sum(counted.values())


def test_a_failing_subject_is_told_with_its_own_words(tmp_path: Path) -> None:
    (ceiling,) = (one for one in SQLITE if not one.detects)
    with pytest.raises(SubjectFailed, match="written-300-50"):
        run_apart(ceiling, 300, tmp_path / "run", 50)
