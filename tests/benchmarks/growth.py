"""P5: P1 on a log that has grown large against P1 on an empty one, and what ingest then holds in memory."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter
from typing import Final, NamedTuple

from consumers.translate import Translator
from deploy.settings import Settings
from domain.history.enrolment import Partition, enrol
from domain.instant import instant
from domain.judging.adoption import adopt
from domain.tracker import Tracker
from tests.benchmarks import ours
from tests.benchmarks.copying import FIRST
from tests.benchmarks.growth_log import END
from tests.benchmarks.measure import check
from tests.benchmarks.place import Place, named, on_every_store
from tests.benchmarks.result import OURS, Figure, Result
from tests.benchmarks.stand import Stand
from tests.benchmarks.subjects import OURS as PRODUCT
from tests.benchmarks.subjects import SubjectFailed, run_apart
from tests.benchmarks.workload import LOGISTICS, SEED, Message, Planned, body, build

MEASURE: Final = "P5"
AT_START: Final = "at the start"
RATE: Final = "rate"
MEMORY: Final = "memory"
UNITS: Final = {RATE: "events/s", MEMORY: "MiB"}
APART: Final = 10_000
"""Between the first order numbers of two runs into one log."""
BATCH: Final = 2_000


class Rates(NamedTuple):
    """Events a second of one run."""

    whole: float
    later_half: float


def measure(stand: Stand) -> list[Result]:
    """Take the same job in on the grown log and on an empty one in turn; then let ingest hear of old orders.

    Raises:
        ResultsDiffer: not everything late was found on the grown log.
    """
    return on_every_store(MEASURE, UNITS, lambda store: [_growth(stand, store), _memory(stand, store)])


def _growth(stand: Stand, store: str) -> Result:
    grown, size = stand.grown(store), stand.size
    there: list[Rates] = []
    empty: list[Rates] = []
    for _ in range(size.runs):
        first = stand.number() * APART
        assert first < FIRST
        stand.tell(f"{MEASURE} {store} on {grown.events:,} events, then at the start …")
        there.append(_rate(grown.place, size.after_growth, first))
        with stand.place(store) as place:
            empty.append(_rate(place, size.after_growth, first))
    warm = median(one.later_half for one in there) / median(one.later_half for one in empty)
    notes = (
        (
            f"{grown.events:,} events of {grown.orders:,} open orders, {grown.late:,} of them late; written, with "
            f"their views, in {grown.seconds:,.0f} s: one template taken in and followed by the product, its rows then "
            "written again in bulk under other order numbers"
        ),
        (
            f"then {size.after_growth:,} messages a run in batches of {BATCH:,}, each by a process just begun; "
            f"of the later half of its batches alone the share is {warm:.2f}"
        ),
    )
    return Result(
        measure=MEASURE,
        name=named(store, RATE),
        unit=UNITS[RATE],
        ours=Figure.of(OURS, [one.whole for one in there]),
        peers=(Figure.of(AT_START, [one.whole for one in empty]),),
        notes=notes,
    )


def _rate(place: Place, messages: int, first: int) -> Rates:
    outcome = run_apart(PRODUCT, messages, place.directory, BATCH, place.url, first=first)
    # What earlier runs left open in the grown log may come due in this one.
    own = frozenset(name for name in outcome.late if first <= int(name.split("-")[2]) < first + APART)
    check(OURS, own, build(messages, first=first).late)
    return Rates(messages / outcome.seconds, messages / 2 / outcome.later_half)


def _memory(stand: Stand, store: str) -> Result:
    grown = stand.grown(store)
    touched = min(stand.size.touched, grown.orders)
    stand.tell(f"{MEASURE} {store} hearing of {touched:,} old orders …")
    command = [sys.executable, "-m", __name__, str(grown.directory), str(grown.orders), str(touched)]
    with grown.place.chosen():
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SubjectFailed(OURS, done.stderr)
    told = json.loads(done.stdout)
    limit = Settings().cache_streams
    note = (
        f"the largest that a process was while it took in a scan of each of {touched:,} orders that it had to read "
        f"first, {touched / told['seconds']:,.0f} events/s; `cache_streams` is {limit:,}, its default"
    )
    figure = Figure.of(OURS, [told["mib"]])
    return Result(measure=MEASURE, name=named(store, MEMORY), unit=UNITS[MEMORY], ours=figure, notes=(note,))


def main() -> None:
    """Hear of orders from all over the grown log, and print how long that took and how large we were."""
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    for name in ("orders", "touched"):
        parser.add_argument(name, type=int)
    chosen = parser.parse_args()
    name, now = "memory-again/logistics/0", instant(END)
    with ours.open_log(chosen.directory) as log:
        policies = adopt(log, ours.POLICY, now)
        enrol(log, {Partition(name, LOGISTICS, 0): 0})
        tracker = Tracker(log, policies, cache_limit=Settings().cache_streams)
        translator = Translator({})
        messages = _scans(chosen.orders, chosen.touched)
        began = perf_counter()
        while batch := [*islice(messages, BATCH)]:
            tracker.take(ours.as_batch(batch, {(LOGISTICS, 0): name}, translator, now), now)
        seconds = perf_counter() - began
    sys.stdout.write(json.dumps({"seconds": seconds, "mib": largest_mib()}) + "\n")


def largest_mib() -> float:
    """Say how large this process has been, without what its parent was."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (kib,) = (int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return kib / 1024


def _scans(orders: int, touched: int) -> Iterator[Message]:
    """Let a carrier announce parcels that have long been packed, one of each order, in no order; all stay armed."""
    numbers = Random(SEED).sample(range(orders), touched)
    for offset, number in enumerate(numbers):
        parcel_id = f"PC-2026-{FIRST + number:08d}1"
        data = {"parcel_id": parcel_id, "carrier": "sf", "status": "label_created", "facility_id": "SF-001"}
        event = Planned(END, "/carriers/sf", f"again-{number}", "parcel.scanned.v1", parcel_id, parcel_id, data)
        yield Message(LOGISTICS, 0, offset, int(END.timestamp() * 1000), parcel_id.encode(), body(event))


if __name__ == "__main__":
    main()
