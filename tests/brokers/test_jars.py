"""The jars of the real Kafka are the listed ones or they are not used."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.brokers import jars
from tests.brokers.broker import BrokerMissingError


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lists one jar, and returns a directory with it."""
    sums = tmp_path / "jars.sha256"
    sums.write_text(f"{hashlib.sha256(b'good').hexdigest()}  kafka_2.13-9.9.9.jar\n")
    monkeypatch.setattr(jars, "CHECKSUMS", sums)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    directory = tmp_path / "cache" / "order-incident-tracker" / "kafka-9.9.9"
    directory.mkdir(parents=True)
    (directory / "kafka_2.13-9.9.9.jar").write_bytes(b"good")
    return directory


def test_a_complete_cache_is_used_as_it_is(listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert jars.kafka_jars() == listed


@pytest.mark.parametrize("content", [b"evil", None])
def test_a_wrong_jar_is_never_used(listed: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None) -> None:
    monkeypatch.setenv("PATH", "")
    if content is None:
        (listed / "kafka_2.13-9.9.9.jar").unlink()
    else:
        (listed / "kafka_2.13-9.9.9.jar").write_bytes(content)
    assert jars.wrong_jars(listed) == ["kafka_2.13-9.9.9.jar"]
    with pytest.raises(BrokerMissingError, match="apt-get install maven"):
        jars.kafka_jars()


def test_a_jar_that_is_not_listed_is_wrong(listed: Path) -> None:
    (listed / "more.jar").write_bytes(b"x")
    assert jars.wrong_jars(listed) == ["more.jar"]


def test_jars_that_maven_brings_are_checked_too(listed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    maven = tmp_path / "bin" / "mvn"
    maven.parent.mkdir()
    maven.write_text(
        "#!/bin/sh\nfor a; do case $a in -DoutputDirectory=*) d=${a#*=};; esac; done\n"
        'mkdir -p "$d" && printf evil >"$d/kafka_2.13-9.9.9.jar"\n'
    )
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{maven.parent}:/usr/bin:/bin")
    (listed / "kafka_2.13-9.9.9.jar").unlink()
    with pytest.raises(RuntimeError, match=r"other jars than jars\.sha256 lists: kafka_2"):
        jars.kafka_jars()
    assert not listed.exists()


def test_the_list_in_the_tree_is_of_a_kafka_4() -> None:
    assert int(jars.kafka_version().split(".")[0]) >= 4
    assert len(jars.checksums()) > 40
