"""Where tests write: in memory where there is room for it, for it is the disk that most of them would wait for."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
ROOM: Final = 4 << 30
"""Bytes that a whole test run may write, with plenty to spare; a container has less unless it was given more."""


def quick_place() -> Path:
    """Name a folder that any account may enter, with a name short enough for sockets, in memory if there is room."""
    return MEMORY if MEMORY.is_dir() and _may_be_used(MEMORY) else Path(tempfile.gettempdir())


def _may_be_used(place: Path) -> bool:
    runs_programs = not os.statvfs(place).f_flag & os.ST_NOEXEC
    return os.access(place, os.W_OK) and runs_programs and shutil.disk_usage(place).free >= ROOM
