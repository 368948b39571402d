"""What a run is reported as: kills by phase and by kind, how long the outages were, and what was found wrong."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from tests.chaos.control import Phase
from tests.chaos.kills import Killed
from tests.chaos.run import Outcome
from tests.chaos.server import Recovery

SHOWN: Final = {
    Phase.STARTING: "starting",
    Phase.POLL: "poll",
    Phase.DECIDE: "decide",
    Phase.TICK: "tick",
    Phase.BEGUN: "in transaction, begun",
    Phase.WRITTEN: "in transaction, rows written",
    Phase.COMMITTED: "after commit",
    Phase.WAIT: "waiting",
}
COUNTED: Final = {
    "lost": ("L1 lost",),
    "doubled": ("L2",),
    "out of order": ("L3",),
    "made up": ("L4",),
    "findings off": ("L5",),
    "gaps in versions": ("L6 hole",),
    "positions off": ("L1 position",),
    "changed later": ("L6",),
    "other": ("",),
}
"""Under which words a violation is counted: those of the first that fits."""


def table(killed: Killed) -> str:
    """Write the kills by phase, for each role."""
    roles = ["ingest", "ticker"] + ["server"] * any(role == "server" for role, _ in killed)
    rows = [f"{'killed while':<30}" + "".join(f"{role:>8}" for role in roles)]
    for phase, name in SHOWN.items():
        rows.append(f"{name:<30}" + "".join(f"{killed[role, phase]:>8}" for role in roles))
    return "\n".join(rows)


def counts(violations: Sequence[str]) -> str:
    """Count what was found wrong, by what it is."""
    found = Counter(next(word for word, heads in COUNTED.items() if one.startswith(heads)) for one in violations)
    return ", ".join(f"{found[word]} {word}" for word in COUNTED if word != "other" or found[word])


def outages(outcome: Outcome) -> Iterator[str]:
    """Write how the server was ended, and how all came back."""
    clients = Counter(role for role, _ in outcome.killed.elements())
    yield f"{clients['ingest']:>5} x kill -9 of an ingest process"
    yield f"{clients['ticker']:>5} x kill -9 of the ticker"
    for blow, number in sorted(outcome.blows.items()):
        yield f"{number:>5} x {blow}"
    yield from recovered(outcome.recoveries)
    made, unmade = outcome.answers
    yield (
        f"{made + unmade} commits got no answer: {made} had been made, {unmade} had not; "
        f"{outcome.revived} processes found no server when they started, and were started again"
    )


def recovered(recoveries: Sequence[Recovery]) -> Iterator[str]:
    """Write how long the server was away, and how long it then took to the next committed batch."""
    if recoveries:
        for name, times in (
            ("from the blow to the server's first answer", [one.down for one in recoveries]),
            ("from that answer to the next committed batch", [one.idle for one in recoveries]),
            ("from the blow to that batch", [one.whole for one in recoveries]),
        ):
            yield f"{name}: median {median(times):.2f} s, at most {max(times):.2f} s"


def each(recoveries: Sequence[Recovery]) -> Iterator[str]:
    """Write every outage."""
    for number, one in enumerate(recoveries, 1):
        yield f"{number:>3}  {one.blow}: answers after {one.down:5.2f} s, next batch {one.idle:5.2f} s later"
