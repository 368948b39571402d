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

from tests.generator.declared import DECLARED
from tests.generator.expected import expected
from tests.generator.features import Event
from tests.generator.kinds import kinds
from tests.generator.labels import features
from tests.generator.outcomes import outcomes
from tests.generator.policies import policies
from tests.generator.season import seasons
from tests.oracle.late_shipment import oracle

LEAST_SHARE = 0.01
LABELS = DECLARED


def labels(season: Sequence[Event], policy: Mapping[str, Any]) -> set[str]:
    """Name what a season holds, what was shipped late by the default policy, and what else went wrong by this one."""
    return features(season) | outcomes(season, oracle(season, {}), {}) | kinds(season, policy)


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
    @given(seasons(), policies())
    def one(season: list[Event], policy: dict[str, Any]) -> None:
        nonlocal drawn, labelling
        expected(season, policy)
        labelled_from = time.process_time()
        counted.update(labels(season, policy))
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
