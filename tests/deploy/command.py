"""The command: as a person runs it, in a process of its own, or in this one, which takes a tenth of the time."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from deploy.cli import main

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def command_in(folder: Path) -> Command:
    """Give what runs the command in a folder, with nothing inherited that would change it."""

    def run(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [Path(sys.executable).with_name("tracker"), *map(str, arguments)],
            cwd=folder,
            env={**_kept(), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def command_here(folder: Path) -> Command:
    """Give what runs the command in this process, as if it stood in a folder: for commands that only look and end."""

    def run(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as world, redirect_stdout(out), redirect_stderr(err):
            world.chdir(folder)
            world.setattr(os, "environ", {**_kept(), **environment})
            world.setattr(sys, "argv", ["tracker", *map(str, arguments)])
            with pytest.raises(SystemExit) as end:
                main()
        return subprocess.CompletedProcess(arguments, int(end.value.code or 0), out.getvalue(), err.getvalue())

    return run


def _kept() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("TRACKER_", "KAFKA_"))}
