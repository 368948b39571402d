"""``make chaos``: kill ingest and ticker at random moments, or prove that planted defects are caught."""

import argparse
import shutil
import sys
from pathlib import Path
from tempfile import mkdtemp

from tests.chaos.hunts import accused, hunt, hunt_all
from tests.chaos.kills import in_transaction
from tests.chaos.mutants import MUTANTS
from tests.chaos.nursery import Nursery
from tests.chaos.run import run, table
from tests.chaos.stage import Plan

MESSAGES_A_KILL = 20
LEAST_MESSAGES = 3000
LEAST_SHARE = 0.4


def main() -> int:
    """Run what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", help="name of a planted defect, or 'all'")
    asked = parser.parse_args()
    nursery = Nursery()
    try:
        if asked.mutant:
            return plant(asked.mutant, asked.seed, nursery)
        return kill(asked.kills, asked.seed, nursery)
    finally:
        nursery.close()


def kill(kills: int, seed: int, nursery: Nursery) -> int:
    """Kill and print what came of it; what accuses us is kept."""
    plan = Plan(seed, max(LEAST_MESSAGES, kills * MESSAGES_A_KILL))
    path = Path(mkdtemp(prefix="chaos-"))
    outcome = run(plan, kills, nursery, path)
    total, inside = outcome.killed.total(), in_transaction(outcome.killed)
    print(table(outcome.killed))
    print(f"{total} kills, {inside} of them ({inside / max(total, 1):.0%}) inside an open transaction; seed {seed}")
    print(
        f"{outcome.events} messages acked, {outcome.opened} findings opened, {outcome.retracted} of them retracted, "
        f"{outcome.clashes} batches clashed, {outcome.seconds:.0f} s"
    )
    for violation in outcome.violations[:10]:
        print(f"seed {seed}: {violation}")
    if outcome.violations:
        print(f"{len(outcome.violations)} violations, the first ones above; ledger and log are in {path}")
        print(f"again with: make chaos KILLS={kills} SEED={seed}")
        return 1
    shutil.rmtree(path)
    if inside < LEAST_SHARE * total:
        print(
            f"only {inside / max(total, 1):.0%} of the kills fell inside a transaction, at least {LEAST_SHARE:.0%} must"
        )
        return 1
    print("0 lost, 0 doubled; order kept, nothing made up, findings as brute force says, ids as they were")
    return 0


def plant(mutant: str, seed: int, nursery: Nursery) -> int:
    """Hunt planted defects and print by what each was caught."""
    if mutant not in {"all", *MUTANTS}:
        print(f"no mutant {mutant!r}; there are: all, {', '.join(MUTANTS)}")
        return 2
    for violation in accused(seed, nursery):
        print(f"SOUND CODE ACCUSED, seed {seed}: {violation}")
        return 1
    print(f"{'nothing planted':<30} not accused of anything")
    survived = 0
    for one in hunt_all(seed, nursery) if mutant == "all" else [hunt(mutant, seed, nursery)]:
        survived += one.caught_by is None
        verdict = "SURVIVED" if one.caught_by is None else " … ".join({**dict.fromkeys(_ends(one.caught_by))})
        print(f"{one.mutant:<30} {one.kills:>3} kills {one.seconds:5.1f} s  {verdict}", flush=True)
    print(f"{survived} survived; seed {seed}")
    return 1 if survived else 0


def _ends(text: str) -> list[str]:
    lines = text.splitlines()
    return [lines[0][:90], lines[-1].strip()[:90]]


if __name__ == "__main__":
    sys.exit(main())
