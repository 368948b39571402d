"""Ties the life of another process to ours, however we end, kill -9 included.

PR_SET_PDEATHSIG alone cannot promise that: it fires when the *thread* that forked ends, and Linux only has it. So a
keeper of one thread, this module run as a script, starts the command and waits for the end of a pipe that only we
hold; a changed parent id covers a pipe that a forked child of ours inherited. The keeper in turn is the command's
parent, and there PR_SET_PDEATHSIG is exact.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PR_SET_PDEATHSIG = 1


def start_kept(command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start `command` with its output in `log`, and return its keeper: the two end together, and with us.

    SIGTERM to the keeper goes on to the command, and Ctrl-C at our terminal reaches neither.
    """
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our interpreter and our callers' own commands
            [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def end_kept(keeper: subprocess.Popen[bytes], seconds: float) -> None:
    """Leave nothing of the keeper and its command behind, within `seconds`."""
    if keeper.stdin is not None:
        keeper.stdin.close()
    try:
        keeper.wait(seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(keeper.pid, signal.SIGKILL)
        keeper.wait()


def _keep(owner: int, command: Sequence[str]) -> None:
    keeper = os.getpid()
    child = os.fork()
    if child == 0:
        _become(command, keeper)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    signal.signal(signal.SIGCHLD, lambda *_: _end_with(child))
    _end_with(child)  # it may have ended before we listened
    while os.getppid() == owner:
        if select.select([0], [], [], 1.0)[0] and not os.read(0, 1):
            break
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _become(command: Sequence[str], keeper: int) -> None:
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != keeper:  # it ended before the line above
            os._exit(1)
    os.execv(command[0], [*command])  # noqa: S606 - no shell is the point


def _end_with(child: int) -> None:
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid:
        os._exit(abs(os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    _keep(int(sys.argv[1]), sys.argv[2:])
