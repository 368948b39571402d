"""``make chaos``: kill ingest, ticker and their server at random moments, or prove that planted defects are caught."""

import argparse
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.chaos.hunts import accused, hunt, hunt_all, planted
from tests.chaos.kills import in_transaction
from tests.chaos.nursery import Nursery
from tests.chaos.report import counts, each, outages, table
from tests.chaos.run import Outcome, run
from tests.chaos.server import RECOVERED_WITHIN, Server, Target
from tests.chaos.stage import Plan
from tests.stores.cluster import Cluster, StoreMissingError

MESSAGES_A_KILL = 20
MESSAGES_A_BLOW = 40
MESSAGES_A_RESTART = 300
LEAST_MESSAGES = 3000
SLOW_PACE = 3
"""Commits to a server take longer: findings are to come due, and to be denied, between them all the same."""
FEW = 40
LEAST_SHARE = 0.4
LEAST_SHARE_OF_FEW = 0.2


def main() -> int:
    """Run what was asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite", help="where the log is kept")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--restarts", type=int, help="with postgres: immediate restarts under load, and nothing else")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutant", help="name of a planted defect, or 'all'")
    asked = parser.parse_args()
    if asked.restarts and asked.store != "postgres":
        parser.error("a file has no server to restart: RESTARTS needs STORE=postgres")
    with ExitStack() as stack:
        try:
            server = stack.enter_context(_serving()) if asked.store == "postgres" else None
        except StoreMissingError as missing:
            print(missing)
            return 2
        nursery = stack.enter_context(closing(Nursery()))
        if asked.mutant:
            return plant(asked.mutant, asked.seed, nursery, server)
        return kill(asked.restarts or asked.kills, asked.seed, nursery, server, restarts=bool(asked.restarts))


@contextmanager
def _serving() -> Iterator[Server]:
    cluster = Cluster()
    try:
        cluster.start()
        server = Server(cluster)
        with server.database():
            yield server
    finally:
        cluster.close()


def kill(kills: int, seed: int, nursery: Nursery, server: Server | None, *, restarts: bool = False) -> int:
    """Kill and print what came of it; what accuses us is kept."""
    each_kill = MESSAGES_A_RESTART if restarts else MESSAGES_A_BLOW if server else MESSAGES_A_KILL
    plan = Plan(seed, max(LEAST_MESSAGES, kills * each_kill))
    if server and not restarts:
        plan = plan._replace(pace=SLOW_PACE)
    path = Path(mkdtemp(prefix="chaos-"))
    outcome = run(plan, kills, nursery, path, target=Target(server, restarts=restarts) if server else None)
    violations = [*outcome.violations, *(server.damaged() if server else ())]
    show(outcome, seed, restarts=restarts)
    for violation in violations[:10]:
        print(f"seed {seed}: {violation}")
    print(f"{counts(violations)}; seed {seed}")
    if violations:
        if server:
            server.dump(path / "log.sql")
        again = f"STORE=postgres {'RESTARTS' if restarts else 'KILLS'}={kills}" if server else f"KILLS={kills}"
        print(f"{len(violations)} violations, the first ones above; ledger and log are in {path}")
        print(f"again with: make chaos {again} SEED={seed}")
        return 1
    shutil.rmtree(path)
    return _enough(outcome, restarts=restarts)


def show(outcome: Outcome, seed: int, *, restarts: bool) -> None:
    """Print what was done, and how long outages were."""
    total, inside = outcome.killed.total(), in_transaction(outcome.killed)
    print(table(outcome.killed))
    print(f"{total} kills, {inside} of them ({inside / max(total, 1):.0%}) inside an open transaction; seed {seed}")
    lines = [*(each(outcome.recoveries) if restarts else ()), *(outages(outcome) if outcome.recoveries else ())]
    print("\n".join([*lines, ""]), end="")
    print(
        f"{outcome.events} messages acked, {outcome.opened} findings opened, {outcome.retracted} of them retracted, "
        f"{outcome.clashes} batches clashed, {outcome.seconds:.0f} s"
    )


def _enough(outcome: Outcome, *, restarts: bool) -> int:
    """Say whether the run was a trial at all, and whether all came back in time."""
    total, inside = outcome.killed.total(), in_transaction(outcome.killed)
    slow = [one for one in outcome.recoveries if one.whole > RECOVERED_WITHIN]
    if slow:
        # The goal is for a machine of its own; what fails is five times that, which is no longer its neighbours.
        print(f"{len(slow)} recoveries took longer than {RECOVERED_WITHIN:.0f} s")
    least = LEAST_SHARE if total >= FEW else LEAST_SHARE_OF_FEW
    if not restarts and inside < least * total:
        print(f"only {inside / max(total, 1):.0%} of the kills fell inside a transaction: {least:.0%} must")
        return 1
    print("0 lost, 0 doubled; order kept, nothing made up, findings as brute force says, ids as they were")
    return 0


def plant(mutant: str, seed: int, nursery: Nursery, server: Server | None) -> int:
    """Hunt planted defects and print by what each was caught."""
    target = Target(server) if server else None
    known = planted(target)
    if mutant not in {"all", *known}:
        print(f"no mutant {mutant!r}; there are: all, {', '.join(known)}")
        return 2
    for violation in accused(seed, nursery, target):
        print(f"SOUND CODE ACCUSED, seed {seed}: {violation}")
        return 1
    print(f"{'nothing planted':<30} not accused of anything")
    survived = 0
    for one in hunt_all(seed, nursery, target) if mutant == "all" else [hunt(mutant, seed, nursery, target)]:
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
