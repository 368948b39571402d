"""One set of Kafka settings for every real broker of the tests, so that they differ in nothing but how they start."""

from __future__ import annotations

import base64
import uuid

from deploy.embedded import free_port

# One node holds every replica. Internal topics get one partition each and groups form at once: quick, and no less real.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "BROKER",
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    # A broker that was killed may come back only when the session it had is over.
    "broker.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "200",
    # Tests let a consumer's session end and wait for it.
    "group.min.session.timeout.ms": "500",
}
HEAP = ("-Xms64m", "-Xmx256m")


def listener_settings(bind: str, client: tuple[int, int], broker: int, controller: int) -> dict[str, str]:
    """Return the settings of a node whose clients come to 127.0.0.1.

    `client` is the port that it listens on at `bind` and the one that its clients come to; in a container these differ,
    so the node talks to itself through a listener of its own.
    """
    listens, told = client
    return {
        "listeners": f"PLAINTEXT://{bind}:{listens},BROKER://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{told},BROKER://127.0.0.1:{broker}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
    }


def free_ports(count: int) -> list[int]:
    """Return different loopback ports that nobody listened on just now."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return list(ports)


def new_cluster_id() -> str:
    """Return a cluster id in Kafka's form, which no command line takes for an option."""
    while (made := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return made
