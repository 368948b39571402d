"""`make bench`: the product and its peers in one run, printed as a table and kept as JSON. Asserts no speed."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from time import perf_counter
from traceback import format_exception
from typing import Final

import msgspec

from tests.benchmarks import page, report
from tests.benchmarks.goals import MEASURES, judge
from tests.benchmarks.report import Kept
from tests.benchmarks.result import not_measured
from tests.benchmarks.stand import QUICK, Measure, Size, Stand
from tests.brokers.broker import BrokerMissingError
from tests.stores.cluster import StoreMissingError

ROOT: Final = Path("var/bench")
# In the order in which they are taken: what P5 puts into the grown log P6 would have to wait for.
MODULES: Final = {
    "P1": "in_memory",
    "P2": "end_to_end",
    "P3": "latency",
    "P4": "rebuilding",
    "P6": "lookups",
    "P5": "growth",
    "P7": "fan_out",
    "P8": "deadlines",
    "P9": "two_processes",
}
MISSING: Final = (BrokerMissingError, StoreMissingError)
"""What this machine lacks: told in place of a figure."""


def main() -> int:
    """Measure what was asked for; fails only when a subject fails or finds something else than the others."""
    chosen = _arguments()
    size = _size(chosen)
    measures = [one for one in MODULES if not chosen.only or one in chosen.only]
    ROOT.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(prefix="work-", dir=ROOT))
    before, at = os.getloadavg()[0], report.now()
    try:
        with Stand(work, size) as stand:
            failures = measure_all(measures, stand)
    finally:
        rmtree(work, ignore_errors=True)
    kept = Kept(
        at=at.strftime("%Y-%m-%d"),
        quick=size.quick,
        machine=report.machine() | stand.versions,
        load=(before, os.getloadavg()[0]),
        size=msgspec.to_builtins(size),
        took=stand.took,
        results=stand.results,
        goals=judge(stand.results, measures),
    )
    path = chosen.json or ROOT / f"{at.strftime('%Y%m%dT%H%M%SZ')}.json"
    kept.save(path)
    _say(kept, path)
    if not size.quick and set(measures) == set(MEASURES) and not failures:
        page.publish([kept])
    return 1 if failures else 0


def measure_all(measures: Sequence[str], stand: Stand) -> list[Exception]:
    """Take one measure after the other and print each; returns what failed."""
    failures: list[Exception] = []
    for name in measures:
        measure: Measure = import_module(f"tests.benchmarks.{MODULES[name]}").measure
        began = perf_counter()
        try:
            found = measure(stand)
        except MISSING as missing:
            found = [not_measured(name, "", "", str(missing))]
        except Exception as failure:  # noqa: BLE001  # the other measures are taken all the same
            failures.append(failure)
            sys.stderr.write("".join(format_exception(failure)))
            found = [not_measured(name, "", "", f"failed: {[*str(failure).splitlines(), repr(failure)][0]}")]
        stand.results += found
        stand.took[name] = perf_counter() - began
        sys.stdout.write("".join(f"\n{report.say(one)}\n" for one in found))
        sys.stdout.flush()
    return failures


def _say(kept: Kept, path: Path) -> None:
    # What others do here lowers every figure, and not all alike.
    load = f"load {kept.load[0]:.1f} before, {kept.load[1]:.1f} after, on {os.cpu_count()} cores"
    small = "a quick run, of small sizes: its verdicts are no more than a sign of life\n" if kept.quick else ""
    sys.stdout.write(f"\n{report.say_goals(kept.goals)}\n\n{small}{load}; {report.say_took(kept)}; kept in {path}\n")


def _forget_settings() -> None:
    # What whoever starts this has set for a tracker of theirs is no part of the measurement.
    for name in list(os.environ):
        if name.startswith(("TRACKER_", "KAFKA_")) or name in {"DATABASE_URL", "SHARDS"}:
            del os.environ[name]


def _size(chosen: argparse.Namespace) -> Size:
    size = QUICK if chosen.quick else Size()
    events = chosen.events or size.grown_events
    on_server = chosen.server_events or chosen.events or size.grown_on_server
    return msgspec.structs.replace(size, grown_events=events, grown_on_server=on_server)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and under three minutes; prints only")
    parser.add_argument("--only", action="append", choices=MEASURES, help="take this measure; may be given again")
    parser.add_argument("--events", type=int, help="events of the grown log of P5, P6 and P8")
    parser.add_argument("--server-events", type=int, help="the same on PostgreSQL, where it is to be another size")
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    return parser.parse_args()


if __name__ == "__main__":
    # Told to end, we still end what we started and clear up.
    _forget_settings()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
