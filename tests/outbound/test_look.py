"""What is said of a topic, by what a cluster tells of it: each thing that is wrong, by itself, and how it is mended."""

import pytest
from kafka.errors import TopicAuthorizationFailedError

from api.outbound import kafka_look
from api.outbound.deliverer import NotDelivered
from api.outbound.kafka_look import look
from api.outbound.topic import Making, Topic

pytestmark = pytest.mark.only_on("sqlite")
DAY = 24 * 3600 * 1000
CHANGES = Topic("changes")
STATES = Topic("states", compacted=True)
LETTERS = Topic("letters", retention_ms=30 * DAY, largest=5_000_000)
FIT = {
    "cleanup.policy": "delete",
    "retention.ms": str(7 * DAY),
    "max.message.bytes": "1048588",
    "min.insync.replicas": "2",
}


class Cluster:
    """An admin client of a cluster with one topic, and what our user may see of it."""

    def __init__(self, *, error=0, replicas=3, in_sync=3, operations=("DESCRIBE", "WRITE"), configs=FIT):
        self.error, self.operations, self.configs = error, operations, configs
        self.partitions = [{"replica_nodes": [*range(replicas)], "isr_nodes": [*range(in_sync)]}] * 3

    def describe_topics(self, names):
        partitions = [] if self.error else self.partitions
        return [
            {"name": one, "error_code": self.error, "partitions": partitions, "authorized_operations": self.operations}
            for one in names
        ]

    def describe_configs(self, asked, config_filter):
        assert config_filter == "all"
        return {"topic": {one.name: {name: {"value": text} for name, text in self.configs.items()} for one in asked}}

    def close(self):
        pass


@pytest.fixture
def seen(monkeypatch):
    def ask(topic=CHANGES, **cluster):
        monkeypatch.setattr(kafka_look, "KafkaAdminClient", lambda **_: Cluster(**cluster))
        [found] = look({}, [topic], Making())
        return found

    return ask


def configs(**others):
    return {"configs": FIT | {name.replace("_", "."): text for name, text in others.items()}}


def test_a_topic_that_is_right_is_described(seen):
    found = seen()
    assert (found.ok, found.mend) == (True, "")
    assert found.found == f"partitions: 3, replicas: 3, cleanup.policy=delete, retention.ms={7 * DAY}"
    assert seen(STATES, **configs(cleanup_policy="compact")).ok


@pytest.mark.parametrize(
    ("topic", "cluster", "found", "mend"),
    [
        (CHANGES, {"error": TopicAuthorizationFailedError.errno}, "we may not look at it", "--operation Describe"),
        (CHANGES, {"error": 5}, "LeaderNotAvailableError", "leader"),
        (CHANGES, {"operations": ["DESCRIBE"]}, "we may not write to it", "--operation Write --topic changes"),
        (CHANGES, {"in_sync": 1}, "in sync: 1, needed: 2", "bring brokers back"),
        (CHANGES, {"replicas": 1, "in_sync": 1}, "in sync: 1, needed: 2", "min.insync.replicas=1"),
        (CHANGES, configs(max_message_bytes="1000"), "takes no record of", "max.message.bytes=1000000"),
        (LETTERS, configs(max_message_bytes="1000"), "takes no record of", "max.message.bytes=5000000"),
        (CHANGES, configs(cleanup_policy="compact"), "all but the last of a key", "cleanup.policy=delete"),
        (STATES, configs(cleanup_policy="delete"), "the last state of some", "cleanup.policy=compact"),
        (STATES, configs(cleanup_policy="compact, delete"), "the last state of some", "cleanup.policy=compact"),
    ],
)
def test_what_is_wrong_fails_and_says_how_to_mend_it(seen, topic, cluster, found, mend):
    said = seen(topic, **cluster)
    assert not said.ok
    assert found in said.found
    assert mend in said.mend


@pytest.mark.parametrize(
    ("topic", "cluster", "found", "mend"),
    [
        (CHANGES, {"configs": {}}, "how it is set up is not told to us", "--operation DescribeConfigs"),
        (CHANGES, configs(min_insync_replicas="1"), "one copy is enough", "min.insync.replicas=2"),
        (CHANGES, configs(retention_ms="3600000"), "who reads once a day", f"retention.ms={7 * DAY}"),
        (LETTERS, configs(retention_ms="-1"), "longer than in quarantine", f"retention.ms={30 * DAY}"),
        (LETTERS, configs(retention_ms=str(31 * DAY)), "longer than in quarantine", f"retention.ms={30 * DAY}"),
    ],
)
def test_what_could_be_better_is_advice(seen, topic, cluster, found, mend):
    said = seen(topic, **cluster)
    assert said.ok
    assert found in said.found
    assert mend in said.mend


@pytest.mark.parametrize(
    ("topic", "cluster"),
    [
        (STATES, configs(cleanup_policy="compact", retention_ms="1")),
        (CHANGES, configs(retention_ms="-1")),
        (LETTERS, configs(retention_ms=str(30 * DAY))),
        (CHANGES, {"operations": None}),
        (CHANGES, {"replicas": 1, "in_sync": 1, **configs(min_insync_replicas="1")}),
    ],
    ids=["a compacted topic keeps states for ever", "kept for ever", "as in quarantine", "no ACLs", "one broker"],
)
def test_nothing_is_said_of_what_is_as_it_should_be(seen, topic, cluster):
    said = seen(topic, **cluster)
    assert (said.ok, said.mend) == (True, "")


def test_what_is_wrong_is_told_before_advice(seen):
    said = seen(in_sync=1, **configs(retention_ms="1"))
    assert said.found.index("in sync") < said.found.index("once a day")


def test_a_broker_that_does_not_answer_is_one_error(monkeypatch):
    def refuse(**_):
        raise OSError("refused")

    monkeypatch.setattr(kafka_look, "KafkaAdminClient", refuse)
    with pytest.raises(NotDelivered, match="refused"):
        look({}, [CHANGES], Making())
