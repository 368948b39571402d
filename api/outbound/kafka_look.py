"""A look at the topics that are told of something: nothing is made, and what is wrong says how to mend it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Final, NamedTuple

from kafka import KafkaAdminClient
from kafka.errors import TopicAuthorizationFailedError, for_code

from api.outbound.kafka_setup import CLEANUP, UNKNOWN, alter, answering, create, described, settings, unfit
from api.outbound.topic import Making, Topic

LEAST: Final = 1_000_000
"""Bytes that every topic must take in one record."""
_COPIES: Final = 2
"""Copies that outlive the loss of one; a topic with no more replicas than these stands still without either."""
_DAY: Final = 24 * 3600 * 1000
_RETENTION: Final = "retention.ms"
_LARGEST: Final = "max.message.bytes"
_IN_SYNC: Final = "min.insync.replicas"


class Seen(NamedTuple):
    """What is to be said of a topic."""

    topic: str
    ok: bool
    found: str
    mend: str = ""
    """How to make it right, or better."""


class _Remark(NamedTuple):
    """Something that is not as it should be."""

    found: str
    mend: str
    wrong: bool = True
    """Whether records would not arrive, or be lost; otherwise it is advice."""


def look(connection: Mapping[str, Any], topics: Sequence[Topic], making: Making) -> list[Seen]:
    """Look at each topic.

    Raises:
        NotDelivered: the broker does not answer.
    """
    with answering("the broker"), closing(KafkaAdminClient(**connection)) as admin:
        return [_seen(admin, topic, making) for topic in topics]


def _seen(admin: Any, topic: Topic, making: Making) -> Seen:
    cluster = described(admin, topic)
    if cluster["error_code"] == UNKNOWN:
        return _not_there(topic, making)
    if cluster["error_code"]:
        return _unseen(topic, for_code(cluster["error_code"]))
    known = settings(admin, topic)
    remarks = [*_written(topic, cluster, known or {}), *_set_up(topic, known)]
    remarks.sort(key=lambda one: not one.wrong)
    found = "; ".join([_standing(cluster, known), *(one.found for one in remarks)])
    return Seen(topic.name, not any(one.wrong for one in remarks), found, "; ".join(one.mend for one in remarks))


def _not_there(topic: Topic, making: Making) -> Seen:
    if not making.allowed:
        return Seen(topic.name, ok=False, found="not there, and outbound.create is off", mend=create(topic, making))
    configs = ", ".join(f"{name}={value}" for name, value in topic.configs.items())
    return Seen(topic.name, ok=True, found=f"not there; is made with {making.partitions} partitions, {configs}")


def _unseen(topic: Topic, error: type[Exception]) -> Seen:
    if error is TopicAuthorizationFailedError:
        return Seen(topic.name, ok=False, found="we may not look at it", mend=_allow(topic, "Describe", "Write"))
    return Seen(topic.name, ok=False, found=error.__name__, mend="see whether all of its partitions have a leader")


def _allow(topic: Topic, *operations: str) -> str:
    wanted = " ".join(f"--operation {one}" for one in operations)
    return f"kafka-acls.sh --add --allow-principal User:<ours> {wanted} --topic {topic.name}"


def _standing(cluster: Mapping[str, Any], known: Mapping[str, str] | None) -> str:
    shown = [f"{name}={known[name]}" for name in (CLEANUP, _RETENTION) if known is not None and name in known]
    counts = [f"partitions: {len(cluster['partitions'])}", f"replicas: {_fewest(cluster, 'replica_nodes')}"]
    return ", ".join([*counts, *shown])


def _fewest(cluster: Mapping[str, Any], nodes: str) -> int:
    """Count the brokers of the partition that has the fewest."""
    return min((len(one[nodes]) for one in cluster["partitions"]), default=0)


def _written(topic: Topic, cluster: Mapping[str, Any], known: Mapping[str, str]) -> Iterator[_Remark]:
    """Say what keeps records from being written."""
    allowed = cluster["authorized_operations"]
    if allowed is not None and "WRITE" not in allowed:
        yield _Remark("we may not write to it", _allow(topic, "Write"))
    there, replicas, needed = (
        _fewest(cluster, "isr_nodes"),
        _fewest(cluster, "replica_nodes"),
        int(known.get(_IN_SYNC, 1)),
    )
    if there < needed:
        mend = f"bring brokers back until {needed} replicas of each partition are in sync"
        if replicas < needed:
            mend = f"give it {needed} replicas, or {alter(topic, _IN_SYNC, str(replicas))}"
        yield _Remark(f"replicas in sync: {there}, needed: {needed}, so nothing is acknowledged", mend)
    elif _IN_SYNC in known and needed == 1 and replicas > _COPIES:
        yield _Remark("one copy is enough to acknowledge", alter(topic, _IN_SYNC, str(_COPIES)), wrong=False)
    if int(known.get(_LARGEST, LEAST)) < LEAST:
        mend = alter(topic, _LARGEST, str(topic.largest or LEAST))
        yield _Remark(f"takes no record of {LEAST} bytes", mend)


def _set_up(topic: Topic, known: Mapping[str, str] | None) -> Iterator[_Remark]:
    """Say what becomes of records that were written."""
    if known is None:
        mend = f"{_allow(topic, 'DescribeConfigs')}, or see yourself that {CLEANUP}={topic.configs[CLEANUP]}"
        yield _Remark("how it is set up is not told to us", mend, wrong=False)
        return
    why = unfit(topic, known)
    if why is not None:
        yield _Remark(why, alter(topic, CLEANUP, topic.configs[CLEANUP]))
    if topic.compacted or _RETENTION not in known:
        return
    kept = int(known[_RETENTION])
    if 0 <= kept < _DAY:
        mend = alter(topic, _RETENTION, str(topic.retention_ms or 7 * _DAY))
        yield _Remark("who reads once a day misses some", mend, wrong=False)
    if topic.retention_ms is not None and not 0 <= kept <= topic.retention_ms:
        mend = alter(topic, _RETENTION, str(topic.retention_ms))
        yield _Remark("is kept for longer than in quarantine, and may be personal", mend, wrong=False)
