"""A page of memory that harness and children share; what a killed child wrote last can still be read."""

import mmap
import struct
from enum import IntEnum
from pathlib import Path
from typing import Final

SIZE: Final = 64
_PHASES, _AIMS = 8, 16
_COUNTS: Final = struct.Struct("<I")
_ERRORS, _CLASHES = 24, 44
_SLOTS: Final = 4
INGEST, TICKER, SECOND = 0, 1, 2
"""Slots of the children: the ingest process, the ticker, and a second ingest process."""


class Phase(IntEnum):
    """What a child is doing."""

    STARTING = 0
    POLL = 1
    DECIDE = 2
    BEGUN = 3
    WRITTEN = 4
    COMMITTED = 5
    WAIT = 6
    TICK = 7


IN_TRANSACTION: Final = frozenset({Phase.BEGUN, Phase.WRITTEN})


class Control:
    """The clock, each child's phase, where each child is to dwell, and how often the store failed it."""

    def __init__(self, stage: Path) -> None:
        """Open the page of a stage, or make it."""
        path = stage / "control"
        if not path.exists():
            path.write_bytes(bytes(SIZE))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), SIZE)
        # A view of whole words: struct would write the clock byte by byte, and a child would read it half written.
        self._clock = memoryview(self._page).cast("q")

    def now(self) -> int:
        """Read the clock, in microseconds."""
        return int(self._clock[0])

    def set_clock(self, at: int) -> None:
        """Set the clock."""
        self._clock[0] = at

    def phase(self, slot: int) -> Phase:
        """Say what a child is doing, or was when it died."""
        return Phase(self._page[_PHASES + slot])

    def mark(self, slot: int, phase: Phase) -> None:
        """Say what this child is doing now."""
        self._page[_PHASES + slot] = phase

    def aim(self, slot: int) -> Phase:
        """Say in which phase a child is to dwell a little; STARTING means nowhere."""
        return Phase(self._page[_AIMS + slot])

    def set_aim(self, slot: int, phase: Phase) -> None:
        """Make a child dwell in a phase, so that a kill finds it there."""
        self._page[_AIMS + slot] = phase

    def count_error(self, slot: int) -> None:
        """Count an error of the store that the child ran into."""
        self._count(_ERRORS, slot)

    def count_clash(self, slot: int) -> None:
        """Count a batch that clashed with another writer and was decided again or dropped."""
        self._count(_CLASHES, slot)

    def errors(self) -> int:
        """Count the store's errors over all children."""
        return self._total(_ERRORS)

    def clashes(self) -> int:
        """Count the clashes over all children."""
        return self._total(_CLASHES)

    def _count(self, begin: int, slot: int) -> None:
        at = begin + slot * _COUNTS.size
        _COUNTS.pack_into(self._page, at, _COUNTS.unpack_from(self._page, at)[0] + 1)

    def _total(self, begin: int) -> int:
        return sum(_COUNTS.unpack_from(self._page, begin + slot * _COUNTS.size)[0] for slot in range(_SLOTS))
