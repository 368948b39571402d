"""Memory: how often a process looks for objects that only refer to each other."""

import gc
from typing import Final

_YOUNG: Final = 500_000
"""Objects that may come beyond those that are freed before the next look; Python's 700 suit short scripts.

Each look goes through all that has come since the last one and stays. What ingest makes of a batch and keeps is tens of
thousands of objects, and none of them is in a cycle.
"""


def look_rarely() -> None:
    """Have Python look for cycles only now and then; what no cycle holds is freed at once all the same."""
    gc.set_threshold(_YOUNG)
