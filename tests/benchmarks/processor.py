"""Processor time of programs that the measures did not start themselves: a broker, a database server."""

import os
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

_TICKS: Final = os.sysconf("SC_CLK_TCK")


class _Process(NamedTuple):
    """A process as the kernel tells of it."""

    pid: int
    parent: int
    seconds: float
    """What it has used, and what those have that it started and that have ended."""
    command: bytes


def seconds(named: str) -> float:
    """Say what the programs whose command names this have used so far, with all that they started."""
    processes = _all()
    started: defaultdict[int, list[_Process]] = defaultdict(list)
    for one in processes:
        started[one.parent].append(one)
    found: dict[int, float] = {}
    waiting = [one for one in processes if named.encode() in one.command and one.pid != os.getpid()]
    while waiting:
        one = waiting.pop()
        if one.pid not in found:
            found[one.pid] = one.seconds
            waiting += started[one.pid]
    return sum(found.values())


def _all() -> list[_Process]:
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                # The name in the second field may hold anything, a bracket too.
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                command = (place / "cmdline").read_bytes()
            except OSError:
                # It has ended meanwhile.
                continue
            used = sum(map(int, fields[11:15])) / _TICKS
            found.append(_Process(int(place.name), int(fields[1]), used, command))
    return found
