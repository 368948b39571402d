"""Looks from outside at how many input events have become visible, and says how fast that went."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

WARM_SHARE: Final = 0.1
"""The part that is not counted: joining the group, first fetches, cold caches."""
LOOK_SECONDS: Final = 0.02
PATIENCE_SECONDS: Final = 180.0


@dataclass(frozen=True, slots=True)
class Seen:
    """How many input events an outsider could see the effects of, and when."""

    at: float
    events: int


class NotVisible(Exception):
    """Not all events became visible."""

    def __init__(self, events: int, total: int, why: str) -> None:
        """Keep how far it came."""
        super().__init__(f"{events} of {total} events became visible, then {why}")


def watch(
    total: int, count: Callable[[], int], ended: Callable[[], bool], patience: float = PATIENCE_SECONDS
) -> list[Seen]:
    """Look again and again until everything is visible; every advance is one entry.

    Raises:
        NotVisible: it ended before, or it took too long.

    """
    seen = [Seen(time.perf_counter(), 0)]
    give_up = seen[0].at + patience
    while seen[-1].events < total:
        time.sleep(LOOK_SECONDS)  # between two looks
        over = ended()
        now, events = time.perf_counter(), count()
        if events > seen[-1].events:
            seen.append(Seen(now, events))
        elif over or now > give_up:
            raise NotVisible(events, total, "a process ended" if over else "time was up")
    return seen


def steady_rate(seen: Sequence[Seen]) -> float:
    """Give events a second from a tenth of the way to the end."""
    last = seen[-1]
    warm = next(one for one in seen[:-1] if one.events >= last.events * WARM_SHARE or one is seen[-2])
    return (last.events - warm.events) / (last.at - warm.at)
