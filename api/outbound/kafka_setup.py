"""Kafka topics as their records need them: made where they are missing, refused where they would lose some."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import BrokerResponseError, KafkaError, TopicAlreadyExistsError

from api.outbound.deliverer import Interrupted, NotDelivered
from domain.errors import Explained

_UNKNOWN: Final = 3


class TopicUnfit(Explained):
    """A topic is missing or set up otherwise than its records need; the text says what to do."""


class Topic(NamedTuple):
    """A topic, and how it must be set up."""

    name: str
    compacted: bool = False
    """Keeps the last record of each key, and nothing else."""
    retention_ms: int | None = None
    """With which it is made; whoever made it may have chosen another."""
    largest: int | None = None
    """Bytes of a record with which it is made."""

    @property
    def configs(self) -> dict[str, str]:
        """Give the settings with which it is made."""
        chosen = {"retention.ms": self.retention_ms, "max.message.bytes": self.largest}
        given = {name: str(value) for name, value in chosen.items() if value is not None}
        return {"cleanup.policy": "compact" if self.compacted else "delete", **given}


class Making(NamedTuple):
    """How topics are made that are missing."""

    allowed: bool = True
    partitions: int = 3
    replication: int = -1
    """The broker's default where negative."""


def prepared(connection: Mapping[str, Any], topics: Sequence[Topic], making: Making) -> dict[str, str]:
    """Make what is missing, look at what is there, and name each as the cluster does."""
    with answering("the broker"), closing(KafkaAdminClient(**connection)) as admin:
        for topic in topics:
            if _described(admin, topic)["error_code"] == _UNKNOWN:
                _make(admin, topic, making)
            else:
                _check(admin, topic)
        cluster = admin.describe_cluster()["cluster_id"]
        found = {topic.name: _described(admin, topic) for topic in topics}
        for name, one in found.items():
            if one["error_code"]:
                # Another broker of the cluster may not have heard of it yet; it has no identity to keep a mark of.
                raise NotDelivered(f"the broker does not know topic {name} yet")
        return {name: f"{cluster}/{one['topic_id']}" for name, one in found.items()}


def _described(admin: Any, topic: Topic) -> dict[str, Any]:
    found: dict[str, Any] = admin.describe_topics([topic.name])[0]
    return found


def _make(admin: Any, topic: Topic, making: Making) -> None:
    if not making.allowed:
        raise _missing(topic, making, "we are told not to make any (outbound.create)")
    wanted = {"num_partitions": making.partitions, "replication_factor": making.replication, "configs": topic.configs}
    try:
        admin.create_topics({topic.name: wanted}, wait_for_metadata=True)
    except TopicAlreadyExistsError:
        _check(admin, topic)
    except BrokerResponseError as error:
        if error.retriable:
            raise
        raise _missing(topic, making, f"the broker refuses to make it: {error}") from error


def _check(admin: Any, topic: Topic) -> None:
    try:
        found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name)], config_filter="all")
        policy = found["topic"][topic.name]["cleanup.policy"]["value"]
    except (KafkaError, KeyError):
        # Who may write to a topic need not be allowed to ask how it is set up.
        return
    if topic.compacted is not ("compact" in policy):
        why = (
            "the last state of some would be removed" if topic.compacted else "all but the last of a key would be lost"
        )
        wanted = topic.configs["cleanup.policy"]
        raise TopicUnfit(
            f"topic {topic.name} has cleanup.policy={policy}: {why}. Set it: kafka-configs.sh --alter --entity-type "
            f"topics --entity-name {topic.name} --add-config cleanup.policy={wanted}"
        )


def _missing(topic: Topic, making: Making, why: str) -> TopicUnfit:
    configs = " ".join(f"--config {name}={value}" for name, value in topic.configs.items())
    return TopicUnfit(
        f"topic {topic.name} does not exist, and {why}. Make it: kafka-topics.sh --create --topic {topic.name} "
        f"--partitions {making.partitions} {configs}"
    )


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Turn whatever the client raises into ``NotDelivered``; it has many errors and they all mean this."""
    try:
        yield
    except (Explained, Interrupted):
        raise
    except Exception as error:
        raise NotDelivered(f"{what}: {error!r}") from error
