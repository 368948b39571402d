"""A page of memory that harness and children share; what a killed child wrote last can still be read."""

import mmap
import struct
from enum import IntEnum
from pathlib import Path
from typing import Final

SIZE: Final = 128
_PHASES, _AIMS, _BROKE_IN, _DWELL = 8, 16, 20, 12
_COUNTS: Final = struct.Struct("<I")
_ERRORS, _CLASHES, _BROKEN, _BACKENDS, _MADE, _UNMADE = 24, 40, 56, 72, 88, 104
_SLOTS: Final = 4
USUAL_DWELL: Final = 0.012
"""Seconds a child stays in the phase that is aimed at, unless it is told otherwise."""
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

    def dwell(self) -> float:
        """Say for how many seconds."""
        return self._page[_DWELL] / 1000 or USUAL_DWELL

    def set_dwell(self, seconds: float) -> None:
        """Make children dwell longer than usual, or (0) as long as usual."""
        self._page[_DWELL] = round(seconds * 1000)

    def count_error(self, slot: int) -> None:
        """Count an error of the store that the child ran into."""
        self._count(_ERRORS, slot)

    def count_clash(self, slot: int) -> None:
        """Count a batch that clashed with another writer and was decided again or dropped."""
        self._count(_CLASHES, slot)

    def count_broken(self, slot: int) -> None:
        """Count a transaction of the child's that the end of the server broke off, and say how far it was."""
        self._page[_BROKE_IN + slot] = self._page[_PHASES + slot]
        self._count(_BROKEN, slot)

    def count_answer(self, slot: int, *, made: bool) -> None:
        """Count a commit whose answer was lost, by what had become of it."""
        self._count(_MADE if made else _UNMADE, slot)

    def set_backend(self, slot: int, pid: int) -> None:
        """Say which process of the server this child speaks to."""
        _COUNTS.pack_into(self._page, _BACKENDS + slot * _COUNTS.size, pid)

    def backend(self, slot: int) -> int:
        """Give the process of the server that a child spoke to in its last transaction; 0 before that."""
        return self._read(_BACKENDS, slot)

    def broken(self, slot: int) -> int:
        """Count the transactions of a child's that the end of the server broke off."""
        return self._read(_BROKEN, slot)

    def broke_in(self, slot: int) -> Phase:
        """Say in which phase the last one was."""
        return Phase(self._page[_BROKE_IN + slot])

    def answers(self) -> tuple[int, int]:
        """Count the commits whose answer was lost: those that had been made, and those that had not."""
        return self._total(_MADE), self._total(_UNMADE)

    def errors(self) -> int:
        """Count the store's errors over all children."""
        return self._total(_ERRORS)

    def clashes(self) -> int:
        """Count the clashes over all children."""
        return self._total(_CLASHES)

    def _count(self, begin: int, slot: int) -> None:
        _COUNTS.pack_into(self._page, begin + slot * _COUNTS.size, self._read(begin, slot) + 1)

    def _read(self, begin: int, slot: int) -> int:
        return int(_COUNTS.unpack_from(self._page, begin + slot * _COUNTS.size)[0])

    def _total(self, begin: int) -> int:
        return sum(self._read(begin, slot) for slot in range(_SLOTS))
