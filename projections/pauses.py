"""Pauses between looks at what may have moved: short after it has, and longer the longer it stands still."""

from collections.abc import Iterator


def growing(first: float, longest: float) -> Iterator[float]:
    """Give seconds without end, each time twice as many as before, up to the longest.

    >>> from itertools import islice
    >>> list(islice(growing(0.5, 3), 5))
    [0.5, 1.0, 2.0, 3, 3]
    """
    pause = first
    while True:
        yield pause
        pause = min(2 * pause, longest)
