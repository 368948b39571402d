"""Memory: how often a process looks for objects that only refer to each other."""

import gc
from typing import Final

_YOUNG: Final = 50_000
"""New objects between two looks. Python's 700 suit short scripts: a batch makes tens of thousands, and few cycles."""


def look_rarely() -> None:
    """Have Python look for cycles only now and then; what no cycle holds is freed at once all the same."""
    gc.set_threshold(_YOUNG)
