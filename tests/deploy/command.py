"""The command as a person runs it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def command_in(folder: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Give what runs the command in a folder, with nothing inherited that would change it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKER_", "KAFKA_"))}

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("tracker"), *map(str, arguments)],
            cwd=folder,
            env={**kept, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run
