"""Fetches files of packages by the npm client: exactly the versions and bytes that a folder's ``vendor.lock`` names.

``python -m api.vendoring FOLDER …`` writes them anew, the dashboard's where no folder is named; with ``--check`` it
only compares what is there, without a network.
"""

import subprocess
import sys
import tarfile
import tempfile
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).parent / "dashboard" / "vendor"
LOCK: Final = "vendor.lock"


class ChecksumWrong(Exception):
    """A file is not the one that the lock names; nothing was written."""


class Locked(NamedTuple):
    """One file of one package."""

    package: str
    version: str
    member: str
    """Where it is in the package's archive."""
    file: str
    sha256: str


def locked(folder: Path) -> list[Locked]:
    """Read the lock."""
    return [Locked(**one) for one in tomllib.loads((folder / LOCK).read_text(encoding="utf-8"))["file"]]


def check(folder: Path = FOLDER) -> list[str]:
    """Name the files that are missing or not as locked, and those that nothing locks."""
    known = {one.file: one.sha256 for one in locked(folder)}
    there = {path.name for path in folder.iterdir()} - {LOCK}
    wrong = [name for name, digest in known.items() if name not in there or _digest(folder / name) != digest]
    return sorted([*wrong, *(there - known.keys())])


def fetch(folder: Path) -> None:
    """Write every locked file anew.

    Raises:
        ChecksumWrong: the registry gave other bytes.
    """
    files = locked(folder)
    with tempfile.TemporaryDirectory() as scratch:
        for package, version in sorted({(one.package, one.version) for one in files}):
            archive = _pack(f"{package}@{version}", Path(scratch))
            for one in files:
                if (one.package, one.version) == (package, version):
                    content = _member(archive, one.member)
                    if sha256(content).hexdigest() != one.sha256:
                        raise ChecksumWrong(f"{one.member} of {package} {version} is {sha256(content).hexdigest()}")
                    (folder / one.file).write_bytes(content)


def _pack(name: str, folder: Path) -> Path:
    command = ["npm", "pack", "--silent", "--ignore-scripts", name]
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)  # noqa: S603
    return folder / done.stdout.split()[-1]


def _member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as packed:
        found = packed.extractfile(name)
        assert found is not None
        return found.read()


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def main() -> int:
    """Run as a command."""
    folders = [Path(one) for one in sys.argv[1:] if not one.startswith("--")] or [FOLDER]
    if "--check" not in sys.argv[1:]:
        for folder in folders:
            fetch(folder)
    wrong = [str(folder / name) for folder in folders for name in check(folder)]
    sys.stdout.write(f"not as locked: {', '.join(wrong)}\n" if wrong else "as locked\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
