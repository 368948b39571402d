"""Fetches the dashboard's modules by the npm client: exactly the versions and bytes of ``vendor.lock``.

``python -m api.vendoring`` writes them anew; with ``--check`` it only compares what is there, without a network.
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
LOCK: Final = FOLDER / "vendor.lock"


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


def locked() -> list[Locked]:
    """Read the lock."""
    return [Locked(**one) for one in tomllib.loads(LOCK.read_text(encoding="utf-8"))["file"]]


def check() -> list[str]:
    """Name the files that are missing or not as locked, and those that nothing locks."""
    known = {one.file: one.sha256 for one in locked()}
    there = {path.name for path in FOLDER.iterdir()} - {LOCK.name}
    wrong = [name for name, digest in known.items() if name not in there or _digest(FOLDER / name) != digest]
    return sorted([*wrong, *(there - known.keys())])


def fetch() -> None:
    """Write every locked file anew.

    Raises:
        ChecksumWrong: the registry gave other bytes.
    """
    with tempfile.TemporaryDirectory() as folder:
        for package, version in sorted({(one.package, one.version) for one in locked()}):
            archive = _pack(f"{package}@{version}", Path(folder))
            for one in locked():
                if (one.package, one.version) == (package, version):
                    content = _member(archive, one.member)
                    if sha256(content).hexdigest() != one.sha256:
                        raise ChecksumWrong(f"{one.member} of {package} {version} is {sha256(content).hexdigest()}")
                    (FOLDER / one.file).write_bytes(content)


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
    if "--check" not in sys.argv[1:]:
        fetch()
    wrong = check()
    sys.stdout.write(f"not as locked: {', '.join(wrong)}\n" if wrong else "as locked\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
