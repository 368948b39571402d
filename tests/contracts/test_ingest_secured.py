"""A Kafka that asks for TLS and a login: the settings reach it, and wrong ones are refused with words."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from consumers.cluster import SourceFailed
from deploy import backtests
from deploy.kafka_settings import Kafka
from deploy.settings import Settings
from tests.brokers.apache import ApacheKafka
from tests.brokers.broker import BrokerMissingError
from tests.brokers.plugin import lent
from tests.generator import files

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "correct horse battery"  # of a broker that lives for this module
BY_NAME = {
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "SCRAM-SHA-512",
    "sasl_username": "tracker",
    "sasl_password": SECRET,
    "ssl_cafile": Path("/ca.pem"),
    "ssl_certfile": Path("/us.pem"),
    "ssl_keyfile": Path("/us.key"),
    "client_id": "us",
}


def test_settings_become_the_clients_own_arguments() -> None:
    given = Kafka.model_validate(BY_NAME).connection("one:9092,two:9092")
    wanted = {
        "bootstrap_servers": ["one:9092", "two:9092"],
        "client_id": "us",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "tracker",
        "sasl_plain_password": SECRET,
        "ssl_cafile": "/ca.pem",
        "ssl_certfile": "/us.pem",
        "ssl_keyfile": "/us.key",
    }
    assert {name: value for name, value in given.items() if name in wanted} == wanted
    for client in (KafkaConsumer, KafkaProducer, KafkaAdminClient):
        assert given.keys() <= client.DEFAULT_CONFIG.keys(), client


def test_a_secret_is_nowhere_in_what_settings_say_of_themselves() -> None:
    kafka = Kafka.model_validate(BY_NAME)
    assert SECRET not in f"{kafka!r} {kafka} {kafka.model_dump_json()}"


class SecuredKafka(ApacheKafka):
    """Takes clients only over TLS and with a login; its certificate is in `certificate`."""

    certificate: Path

    def _format(self, java: list[str]) -> None:
        super()._format(java)
        keys, self.certificate = make_certificate(self.log.parent)
        users = f'user_node="{SECRET}" user_tracker="{SECRET}"'
        login = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="node" password="{SECRET}"'
        protocols = re.sub("PLAINTEXT:PLAINTEXT", "PLAINTEXT:SASL_SSL", self._settings.read_text())
        lines = {
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.plaintext.plain.sasl.jaas.config": f"{login} {users};",
            "ssl.keystore.location": str(keys),
            "ssl.keystore.password": SECRET,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.certificate),
        }
        self._settings.write_text(protocols + "".join(f"{key}={value}\n" for key, value in lines.items()))


def make_certificate(directory: Path) -> tuple[Path, Path]:
    """Make a key for this machine, and a certificate that says so; keytool comes with every Java."""
    keytool = shutil.which("keytool")
    if keytool is None:
        raise BrokerMissingError("no keytool beside java to make a certificate with")
    keys, certificate = directory / "keys.p12", directory / "certificate.pem"
    common = ["-alias", "node", "-keystore", str(keys), "-storepass", SECRET]
    name = ["-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1"]
    for command in (
        ["-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2", *name],
        ["-exportcert", "-rfc", "-file", str(certificate)],
    ):
        subprocess.run([keytool, *command, *common], capture_output=True, timeout=60, check=True)
    return keys, certificate


@pytest.fixture(scope="module", params=[pytest.param("apache", marks=pytest.mark.xdist_group("broker-apache"))])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """Lend an Apache Kafka that asks for TLS and a login."""
    yield from lent(request.config, request.param, lambda: SecuredKafka(tmp_path_factory.mktemp("secured")))


def season(directory: Path) -> tuple[Path, Path]:
    """Write a small season and its policy."""
    files.write(20, 3, directory)
    return directory / "events.jsonl", directory / "policy.toml"


def settings(broker: SecuredKafka, directory: Path, **changes: Any) -> Settings:
    """Give the settings of somebody who may log in, but for these changes."""
    right = {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_username": "tracker",
        "sasl_password": SECRET,
        "ssl_cafile": broker.certificate,
    }
    kafka = Kafka.model_validate(right | changes)
    return Settings(data_dir=directory, bootstrap_servers=broker.bootstrap_servers, kafka=kafka)


@pytest.mark.timeout(90)
def test_over_tls_and_with_a_login_everything_works_as_without(broker: SecuredKafka, tmp_path: Path) -> None:
    events, policy = season(tmp_path)
    straight, through = tmp_path / "straight.jsonl", tmp_path / "through.jsonl"
    backtests.of_file(events, policy, straight, retracted=False)
    chosen = settings(broker, tmp_path)
    backtests.through_kafka(chosen, events, policy, through, partitions=3, poll=50, retracted=False)
    assert through.read_bytes() == straight.read_bytes()
    assert straight.stat().st_size > 0


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"sasl_password": "a guess"}, "security_protocol"),
        ({"ssl_cafile": None}, "certificate verify failed"),
        ({"security_protocol": "PLAINTEXT", "sasl_mechanism": None}, "security_protocol"),
    ],
    ids=["wrong password", "unknown certificate", "no TLS"],
)
def test_a_wrong_setting_is_refused_with_words(
    broker: SecuredKafka, tmp_path: Path, changes: dict[str, Any], word: str
) -> None:
    events, policy = season(tmp_path)
    chosen = settings(broker, tmp_path, **changes)
    with pytest.raises(SourceFailed, match=word) as refused:
        backtests.through_kafka(chosen, events, policy, tmp_path / "out", partitions=3, poll=50, retracted=False)
    assert SECRET not in str(refused.value)
