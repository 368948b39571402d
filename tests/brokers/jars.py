"""The jars of a real Apache Kafka, assembled once by Maven, each checked against the SHA-256 that is in the tree.

`python -m tests.brokers.jars` assembles them when need be and prints where they are.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.brokers.broker import BrokerMissingError

HERE = Path(__file__).parent / "kafka"
POM = HERE / "pom.xml"
CHECKSUMS = HERE / "jars.sha256"
ASSEMBLY_SECONDS = 900
_LOG_TAIL = 2_000


def checksums() -> dict[str, str]:
    """Return the SHA-256 of every jar by its file name."""
    lines = (line.split() for line in CHECKSUMS.read_text().splitlines())
    return {name: digest for digest, name in lines}


def kafka_version() -> str:
    """Return the version of Kafka that the checksums are for."""
    versions = [match[1] for name in checksums() if (match := re.fullmatch(r"kafka_2\.13-(.+)\.jar", name))]
    return versions[0]


def cache_dir() -> Path:
    """Return where what the tests assemble is kept, outside the tree, for every clone of this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "order-incident-tracker"


def kafka_jars() -> Path:
    """Return the directory with exactly the listed jars, assembled now if they were not there."""
    target = cache_dir() / f"kafka-{kafka_version()}"
    with _one_at_a_time(target):
        if wrong_jars(target):
            shutil.rmtree(target, ignore_errors=True)
            _assemble(target)
    return target


def wrong_jars(directory: Path) -> list[str]:
    """Return the names of jars that are missing from the directory, foreign to the list, or not the listed bytes."""
    expected = checksums()
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.glob("*")}
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def _assemble(target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise BrokerMissingError("no Maven to assemble Kafka with; on Debian: apt-get install maven")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="kafka-") as scratch:
        jars = Path(scratch) / "jars"
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
        command = [maven, "--quiet", "--batch-mode", "--file", str(POM), *goal]
        run = subprocess.run(command, capture_output=True, text=True, timeout=ASSEMBLY_SECONDS, check=False)
        if run.returncode:
            raise BrokerMissingError(f"Maven could not assemble Kafka: {(run.stdout + run.stderr)[-_LOG_TAIL:]}")
        if wrong := wrong_jars(jars):
            raise RuntimeError(f"Maven brought other jars than {CHECKSUMS.name} lists: {', '.join(wrong)}")
        jars.rename(target)


@contextmanager
def _one_at_a_time(target: Path) -> Iterator[None]:
    """Let parallel test processes wait for the one that assembles."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.stdout.write(f"{kafka_jars()}\n")
