"""A process that has imported everything and forks the children, so that a restart costs milliseconds.

Spoken to in lines of JSON on standard input; it and its children end with whoever holds the other end.
"""

import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
_PR_SET_PDEATHSIG: Final = 1


class Nursery:
    """Starts children and says how they ended."""

    def __init__(self) -> None:
        """Start the process that forks."""
        command = [sys.executable, "-m", "tests.chaos.nursery"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, part: Any) -> int:
        """Start a child that plays a part; returns its process id."""
        return int(self._ask(do="start", part=list(part)))

    def reap(self, pid: int) -> int:
        """Wait for a child to end and return its exit code, negative for a signal."""
        return int(self._ask(do="reap", pid=pid))

    def ended(self, pid: int) -> int | None:
        """Say how a child ended by itself; nothing while it lives."""
        found = self._ask(do="look", pid=pid)
        return None if found is None else int(found)

    def run(self, part: Any) -> int:
        """Play a part to its end."""
        return self.reap(self.start(part))

    def close(self) -> None:
        """End it and every child that is left."""
        self._process.communicate(timeout=20)

    def _ask(self, **request: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _serve() -> None:
    from tests.chaos.children import Part, play  # noqa: PLC0415 - imported once, here, for all children

    gc.collect()
    gc.freeze()
    living: set[int] = set()
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "start":
            part = Part(*request["part"])
            pid = os.fork()
            if pid == 0:
                _become(part, play)
            living.add(pid)
            print(pid, flush=True)
        else:
            ended, status = os.waitpid(request["pid"], os.WNOHANG if request["do"] == "look" else 0)
            living.discard(ended)
            print(json.dumps(os.waitstatus_to_exitcode(status) if ended else None), flush=True)
    for pid in living:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _become(part: Any, play: Any) -> None:
    code = 70
    try:
        _end_with(os.getppid())
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        output = os.open(Path(part.stage) / f"{part.role}.out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = play(part)
    except BaseException:  # noqa: BLE001 - a fork must never return into its parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _end_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


if __name__ == "__main__":
    _serve()
