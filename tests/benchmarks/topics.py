"""Topics of one workload: every measure has its own in the one broker."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Final

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic
from kafka.errors import RetriableError
from kafka.partitioner.default import murmur2

from consumers.translate import TOPICS
from tests.benchmarks.workload import PARTITIONS, Workload

TRANSACTION_MS: Final = 600_000


def name(prefix: str, topic: str) -> str:
    """Name a workload's own topic that stands for one of the contract."""
    return f"{prefix}.{topic}"


def settings(prefix: str) -> dict[str, str]:
    """Give the product's settings that make it read these topics."""
    keys = {topic: f"TRACKER_TOPICS__{topic.partition('.')[0].upper()}" for topic in TOPICS}
    return {key: name(prefix, topic) for topic, key in keys.items()}


def create(
    servers: str, prefix: str, partitions: int = PARTITIONS, configuration: dict[str, str] | None = None
) -> None:
    """Make the topics of a workload."""
    made = [NewTopic(name(prefix, one), partitions, 1, topic_configs=configuration) for one in TOPICS]
    with closing(KafkaAdminClient(bootstrap_servers=servers)) as admin:
        admin.create_topics(made)


def fill(servers: str, prefix: str, workload: Workload) -> None:
    """Make the topics and send every message to the partition it was planned for."""
    create(servers, prefix)
    with closing(KafkaProducer(bootstrap_servers=servers, linger_ms=20, batch_size=1 << 17)) as producer:
        for one in workload.messages:
            producer.send(name(prefix, one.topic), one.value, one.key, partition=one.partition)
        producer.flush()


@contextmanager
def hidden(servers: str, prefix: str, workload: Workload, partitions: int) -> Iterator[Callable[[], None]]:
    """Send every message in one transaction; gives what lets everybody read all of them at once."""
    create(servers, prefix, partitions)
    options = {"transactional_id": prefix, "transaction_timeout_ms": TRANSACTION_MS}
    with closing(KafkaProducer(bootstrap_servers=servers, linger_ms=20, batch_size=1 << 17, **options)) as producer:
        producer.init_transactions()
        producer.begin_transaction()
        for one in workload.messages:
            place = (murmur2(one.key) & 0x7FFFFFFF) % partitions
            producer.send(name(prefix, one.topic), one.value, one.key, partition=place)
        producer.flush()
        yield producer.commit_transaction


def has_settled(servers: str, group: str, members: int) -> bool:
    """Say whether a group has so many members, each with partitions to read."""
    with closing(KafkaAdminClient(bootstrap_servers=servers)) as admin:
        try:
            found = admin.describe_groups([group])[group]
        except RetriableError:
            # The broker is still making the topic that it keeps groups in.
            return False
    states = [bool(one["member_assignment"]) for one in found["members"]]
    return found["group_state"] == "Stable" and len(states) == members and all(states)
