"""A census of generated seasons: which labels they carry, and whether any is too rare to prove anything.

python -m tests.generator.census --examples 2000 --seed 1
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.generator.features import Event, features
from tests.generator.outcomes import Finding, outcomes
from tests.generator.season import seasons
from tests.oracle.late_shipment import oracle

LEAST_SHARE = 0.01
SEASON_LABELS = """
heartbeat; known type that must not matter; foreign family; another offset; fraction of a second; empty list
equal times; several sources at one instant; told again under another id
implicit fulfilment; ship_by before placing; approved after ship_by; never approved; placed twice; never placed
requested twice; several fulfilments; overlapping fulfilments; starts after ship_by; starts by ship_by
request for an unknown line
promise moved by customer; promise moved by platform; promise moved by merchant; promise moved for the order
promise moved for the fulfilment; promise moved before ship_by; promise moved at ship_by
promise moved after ship_by; promise moved to a date that had passed; first promise by a promise change
hold of the order; hold of the fulfilment; held at the deadline; released at the deadline; hold without end
release of what was not held; holds for several reasons
line cancelled; order cancelled; cancelled before ship_by; cancelled at ship_by; cancelled after ship_by
voided by possession; voided after possession; replaced parcel; packed for several orders; expected contents
names several orders; names several fulfilments; packed twice; order in several parcels
label echo; raw code only; scan in 1970; scan before its order; parcel of an unknown order
delivered before picked up; recycled number; scan by number before its label; scan by number after its label
"""
OUTCOME_LABELS = """
late; nothing late; late by two promises; several findings in one order; late, open; late, ended; knowable later
handed over before it was knowable; a hold moved a deadline that was missed; late by a moved promise
implicit fulfilment late; ended by parcel.scanned; ended by order.cancelled; ended by order.promise_changed
a void matters; a packing record matters; a label matters; a scan by number matters; a hold matters
a release matters; a promise change matters; a promise moved by the merchant matters
a cancelled line matters; a foreign event moves time; a shared parcel matters to several orders
handed over on the dot; a later start spares; a deadline lies behind the end; a recycled number matters
"""
LABELS = tuple(
    name.strip() for line in (SEASON_LABELS + OUTCOME_LABELS).split("\n") for name in line.split(";") if name
)


def labels(season: Sequence[Event], findings: Sequence[Finding], policy: Mapping[str, Any] | None = None) -> set[str]:
    """Name what a season holds and what, by these findings, it came to."""
    return features(season) | outcomes(season, findings, policy or {})


def count(examples: int, number: int) -> tuple[Counter[str], int, float]:
    """Count labels over so many seasons; also say how much processor time drawing and the oracle alone took."""
    counted: Counter[str] = Counter()
    drawn, labelling, begun = 0, 0.0, time.process_time()

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(seasons())
    def one(season: list[Event]) -> None:
        nonlocal drawn, labelling
        findings = oracle(season, {})
        labelled_from = time.process_time()
        counted.update(labels(season, findings))
        drawn += 1
        labelling += time.process_time() - labelled_from

    one()
    return counted, drawn, time.process_time() - begun - labelling


def main() -> int:
    """Print every label with its share, and fail when a declared one is too rare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    counted, drawn, seconds = count(asked.examples, asked.seed)
    rare = [name for name in LABELS if counted[name] < LEAST_SHARE * drawn]
    for name in sorted(LABELS, key=lambda label: (counted[label], label)):
        sys.stdout.write(f"{counted[name] / drawn:7.2%}  {name}{'   TOO RARE' if name in rare else ''}\n")
    for name in sorted(counted.keys() - set(LABELS)):
        sys.stdout.write(f"{counted[name] / drawn:7.2%}  {name}   (not declared)\n")
    speed = f"{drawn / seconds:.0f} drawn and judged in a second of processor time"
    sys.stdout.write(f"{drawn} seasons, {speed}, {len(rare)} labels too rare\n")
    return 1 if rare or drawn < asked.examples else 0


if __name__ == "__main__":
    sys.exit(main())
