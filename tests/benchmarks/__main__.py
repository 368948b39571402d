"""`make bench`: the product and its peers in one run, printed as a table and kept as JSON. Asserts no speed."""

import argparse
import os
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Final

from tests.benchmarks import end_to_end, in_memory, report
from tests.benchmarks.measure import ResultsDiffer
from tests.benchmarks.report import Line
from tests.benchmarks.subjects import SubjectFailed
from tests.brokers.broker import BrokerMissingError

ROOT: Final = Path("var/bench")
MEASURES: Final = ("P1", "P2")
SHARE_OF_P1: Final = "0.75 (beyond 0.9)"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    messages: int
    batches: tuple[int, ...]
    repetitions: int
    from_broker: int
    repetitions_from_broker: int


QUICK: Final = Size(12_000, (500,), 3, 12_000, 3)
FULL: Final = Size(40_000, (500, 2_000), 5, 60_000, 3)


def main() -> int:
    """Measure what was asked for; fails only when subjects do not find the same."""
    chosen = _arguments()
    size = QUICK if chosen.quick else FULL
    ROOT.mkdir(parents=True, exist_ok=True)
    work = Path(mkdtemp(prefix="work-", dir=ROOT))
    load = [os.getloadavg()[0]]
    try:
        lines, kept = measure_all(chosen.only or list(MEASURES), size, work)
    except (ResultsDiffer, SubjectFailed) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    finally:
        rmtree(work, ignore_errors=True)
    load.append(os.getloadavg()[0])
    path = chosen.json or ROOT / f"{report.now_as_name()}.json"
    said = {
        "machine": report.machine(),
        "size": asdict(size),
        "load": load,
        "lines": [asdict(one) for one in lines],
        **kept,
    }
    report.keep(path, said)
    # What others do here lowers every figure, and not all alike.
    sys.stdout.write(f"\nload {load[0]:.1f} before, {load[1]:.1f} after, on {os.cpu_count()} cores; kept in {path}\n")
    return 0


def measure_all(measures: list[str], size: Size, work: Path) -> tuple[list[Line], dict[str, object]]:
    """Measure and print one after the other; returns every line and what to keep beside them."""
    lines: list[Line] = []
    kept: dict[str, object] = {}
    if "P1" in measures:
        for batch in size.batches:
            found, notes = in_memory.measure(size.messages, batch, size.repetitions, work)
            _show(found, notes.say())
            lines += found
            kept[f"P1/{batch}"] = asdict(notes)
    if "P2" in measures:
        lines += _from_broker(size, work, lines, kept)
    return lines, kept


def _from_broker(size: Size, work: Path, lines: list[Line], kept: dict[str, object]) -> list[Line]:
    try:
        found, notes = end_to_end.measure(size.from_broker, size.repetitions_from_broker, work)
    except BrokerMissingError as missing:
        found = [Line(end_to_end.MEASURE, "ours", None, note=str(missing))]
        _show(found, [])
        return found
    found += against_memory(found[0], lines)
    _show(found, notes.say())
    kept[end_to_end.MEASURE] = asdict(notes)
    return found


def against_memory(from_broker: Line, lines: list[Line]) -> list[Line]:
    """Set our rate from the broker against our best from memory, where that was measured too."""
    ours = [one.rate for one in lines if one.subject == from_broker.subject and one.rate is not None]
    if not ours or from_broker.rate is None:
        return []
    best = max(ours)
    return [Line(from_broker.measure, "ours from memory (P1)", best, None, None, from_broker.rate / best, SHARE_OF_P1)]


def _show(lines: list[Line], notes: list[str]) -> None:
    sys.stdout.write("\n".join(["", report.table(lines), "", *notes, ""]))
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller and under three minutes")
    parser.add_argument("--only", action="append", choices=MEASURES, help="measure this; may be given again")
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    return parser.parse_args()


if __name__ == "__main__":
    # Told to end, we still end what we started and clear up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
