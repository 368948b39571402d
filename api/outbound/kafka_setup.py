"""Kafka topics as their records need them: made where they are missing, refused where they would lose some."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import BrokerResponseError, KafkaError, TopicAlreadyExistsError

from api.outbound.deliverer import Interrupted, NotDelivered
from api.outbound.topic import Making, Topic
from domain.errors import Explained

UNKNOWN: Final = 3
CLEANUP: Final = "cleanup.policy"


class TopicUnfit(Explained):
    """A topic is missing or set up otherwise than its records need; the text says what to do."""


def prepared(connection: Mapping[str, Any], topics: Sequence[Topic], making: Making) -> dict[str, str]:
    """Make what is missing, look at what is there, and name each as the cluster does."""
    with answering("the broker"), closing(KafkaAdminClient(**connection)) as admin:
        for topic in topics:
            if described(admin, topic)["error_code"] == UNKNOWN:
                _make(admin, topic, making)
            else:
                _check(admin, topic)
        cluster = admin.describe_cluster()["cluster_id"]
        found = {topic.name: described(admin, topic) for topic in topics}
        for name, one in found.items():
            if one["error_code"]:
                # Another broker of the cluster may not have heard of it yet; it has no identity to keep a mark of.
                raise NotDelivered(f"the broker does not know topic {name} yet")
        return {name: f"{cluster}/{one['topic_id']}" for name, one in found.items()}


def described(admin: Any, topic: Topic) -> dict[str, Any]:
    """Ask the cluster what it knows of a topic, an error code included."""
    found: dict[str, Any] = admin.describe_topics([topic.name])[0]
    return found


def settings(admin: Any, topic: Topic) -> dict[str, str] | None:
    """Ask how a topic is set up; none where we are not told: who may write to it need not be allowed to ask."""
    try:
        found = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name)], config_filter="all")
        known = {name: one["value"] for name, one in found["topic"][topic.name].items()}
    except (KafkaError, KeyError):
        return None
    return known if CLEANUP in known else None


def unfit(topic: Topic, known: Mapping[str, str]) -> str | None:
    """Say which records a topic that is set up like this would lose; none where it is fit."""
    policy = {one.strip() for one in known[CLEANUP].split(",")}
    if topic.compacted and policy != {"compact"}:
        return "the last state of some would be removed"
    if not topic.compacted and "compact" in policy:
        return "all but the last of a key would be lost"
    return None


def alter(topic: Topic, name: str, value: str) -> str:
    """Write the command that sets a topic up otherwise."""
    return f"kafka-configs.sh --alter --entity-type topics --entity-name {topic.name} --add-config {name}={value}"


def create(topic: Topic, making: Making) -> str:
    """Write the command that makes a topic."""
    configs = " ".join(f"--config {name}={value}" for name, value in topic.configs.items())
    return f"kafka-topics.sh --create --topic {topic.name} --partitions {making.partitions} {configs}"


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
    known = settings(admin, topic)
    why = None if known is None else unfit(topic, known)
    if known is not None and why is not None:
        mend = alter(topic, CLEANUP, topic.configs[CLEANUP])
        raise TopicUnfit(f"topic {topic.name} has {CLEANUP}={known[CLEANUP]}: {why}. Set it: {mend}")


def _missing(topic: Topic, making: Making, why: str) -> TopicUnfit:
    return TopicUnfit(f"topic {topic.name} does not exist, and {why}. Make it: {create(topic, making)}")


@contextmanager
def answering(what: str) -> Iterator[None]:
    """Turn whatever the client raises into ``NotDelivered``; it has many errors and they all mean this."""
    try:
        yield
    except (Explained, Interrupted):
        raise
    except Exception as error:
        raise NotDelivered(f"{what}: {error!r}") from error
