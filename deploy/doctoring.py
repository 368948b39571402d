"""Doctor: looks at everything that must be right and says how to mend what is not."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from api.outbound import kafka_look
from api.outbound.deliverer import NotDelivered
from consumers.cluster import Cluster, SourceFailed
from deploy import clock
from deploy.embedded import EmbeddedBrokerError, find_binary
from deploy.outgoing import making, outgoing
from deploy.settings import LOOPBACK, Settings, refuse_forbidden
from deploy.wiring import is_begun, leases, open_store, others_begun, read_policy, translator
from domain.errors import StoreUnsuitable
from domain.history.enrolment import Partition, TopicReplaced, check_identities, went_live
from domain.history.log import Log
from domain.instant import DAY, FOREVER, Instant, iso
from domain.judging.adoption import Adopted, adopted, planned, to_adopt
from domain.policies.policy import PolicyInvalid

_EXAMPLES = 5
_SAME: Final = "give every process the same file"


class Check(NamedTuple):
    """One thing looked at."""

    what: str
    ok: bool
    found: str
    mend: str = ""


def examine() -> list[Check]:
    """Look at settings, policy, store, broker and topics; stops at settings that cannot be read."""
    try:
        settings = Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        return [Check("settings", ok=False, found=f"{where}: {first['msg']}", mend="see tracker config show --help")]
    return [Check("settings", ok=True, found="readable"), *_each(settings)]


def _each(settings: Settings) -> Iterator[Check]:
    for look in (_environment, _address, _policy, _rights, _store, _broker, _shards):
        yield from look(settings)


def _environment(_settings: Settings) -> Iterator[Check]:
    try:
        refuse_forbidden(os.environ)
        yield Check("environment", ok=True, found="nothing in it breaks the log")
    except StoreUnsuitable as error:
        yield Check("environment", ok=False, found=str(error), mend="unset it")


def _address(settings: Settings) -> Iterator[Check]:
    safe = settings.host in LOOPBACK or settings.behind_proxy
    yield Check(
        "address",
        ok=safe,
        found=f"{settings.host}:{settings.port}",
        mend="" if safe else "put a proxy with TLS and sign-in in front and set TRACKER_BEHIND_PROXY=true",
    )


def _policy(settings: Settings) -> Iterator[Check]:
    try:
        versions = planned("" if settings.policy is None else read_policy(settings.policy))
        for one in versions:
            translator(one.policy, settings.policy)
        hashes = ", ".join(one.policy.hash[:12] for one in versions)
        yield Check("policy", ok=True, found=f"{settings.policy or 'defaults'} ({hashes})")
    except PolicyInvalid as error:
        yield Check("policy", ok=False, found=str(error), mend="correct the file named by TRACKER_POLICY")


def _rights(settings: Settings) -> Iterator[Check]:
    """Look at what we may do with the tables of log and views, and whether events are safe from us."""
    if settings.database_url is None:
        return
    from deploy.store import postgres_rights  # noqa: PLC0415 - its driver is loaded by those who use it

    try:
        looked = postgres_rights.look(
            settings.database_url.get_secret_value(), settings.database_schema, settings.views_schema
        )
    except StoreUnsuitable as error:
        yield Check("rights", ok=False, found=f"not known: {error}", mend="see store, below")
        return
    if looked is None:
        return
    if not looked.faults:
        yield Check("rights", ok=True, found=f"{looked.role} may do what each role needs, and change no event")
    for fault in looked.faults:
        yield Check(f"rights on {fault.where}", ok=False, found=f"{looked.role}: {fault.found}", mend=fault.mend)


def _store(settings: Settings) -> Iterator[Check]:
    try:
        if not is_begun(settings):
            yield _not_yet(settings)
            return
        with open_store(settings) as log:
            held = len(log.store.quarantined("held", 10_000))
            safe = "WAL and FULL" if settings.database_url is None else "synchronous, fsync on"
            found = f"{settings.place}, log at position {log.store.last_position()}, {safe}"
            yield Check("store", ok=True, found=found)
            yield from _rules(settings, log)
            mend = "look at them: tracker quarantine list" if held else ""
            yield Check("quarantine", ok=True, found=f"{held} messages held", mend=mend)
            live = went_live(log)
            yield Check("live", ok=True, found="not yet" if live is None else f"from {live.begun_from}")
            for one in leases(log).leases():
                who = f"{one.holder} is active" if one.left > 0 else f"nobody is active; {one.holder} was last"
                yield Check(one.name, ok=True, found=who)
    except Exception as error:  # noqa: BLE001  # a doctor reports whatever it is
        mend = "the data directory must be on a local, writable disk"
        if settings.database_url is not None:
            mend = "check DATABASE_URL and the server; docs/postgresql.md says how it must be set up"
        yield Check("store", ok=False, found=str(error), mend=mend)


def _rules(settings: Settings, log: Log) -> Iterator[Check]:
    """Say by which rules the log is judged, and whether the next process that judges would bring others."""
    now, known = clock.of(settings.data_dir)(), adopted(log)
    if not known:
        return
    begun = [one for one in known if one.since <= now] or known[:1]
    judges = begun[-1]
    found, mend = f"the log is judged by {judges.policy.hash[:12]}", ""
    if judges.since > -FOREVER:
        found += f" since {iso(judges.since)}"
    if back := _brought_back(begun, now):
        found, mend = f"{found}; a former policy was brought back {back} times within a day", _SAME
    with suppress(PolicyInvalid):  # told by the look at the file itself
        if settings.policy is not None and to_adopt(log, read_policy(settings.policy), now):
            found += f"; {settings.policy} holds other rules"
            mend = f"the next start of ingest or tick adopts them: {_SAME}"
    yield Check("rules", ok=True, found=found, mend=mend)


def _brought_back(begun: Sequence[Adopted], now: Instant) -> int:
    """Count how often of late a policy came back after another: processes with different files do that by turns."""
    hashes = [one.policy.hash for one in begun]
    return sum(
        one.since > now - DAY and one.policy.hash in hashes[:n] and one.policy.hash != hashes[n - 1]
        for n, one in enumerate(begun)
    )


def _not_yet(settings: Settings) -> Check:
    others = ", ".join(map(str, others_begun(settings)))
    found = f"{settings.place} not made yet" + (f"; there is a log in {others}: TRACKER_DATA_DIR" if others else "")
    if settings.database_url is not None:
        return Check("store", ok=True, found=found)
    parent = next(one for one in (settings.data_dir.absolute(), *settings.data_dir.absolute().parents) if one.exists())
    ok = os.access(parent, os.W_OK)
    return Check("store", ok=ok, found=found, mend="" if ok else f"let us write {parent}")


def _broker(settings: Settings) -> Iterator[Check]:
    if settings.bootstrap_servers is None:
        try:
            find_binary()
            yield Check("broker", ok=True, found="KAFKA_BOOTSTRAP_SERVERS is not set; the embedded one is there")
        except EmbeddedBrokerError as error:
            yield Check("broker", ok=False, found="no Kafka is set and no embedded one is there", mend=str(error))
        return
    connection = {**settings.kafka.connection(settings.bootstrap_servers), "bootstrap_timeout_ms": 5000}
    try:
        partitions = Cluster(connection, settings.topics.names()).partitions()
    except SourceFailed as error:
        yield Check(
            "broker", ok=False, found=str(error), mend="check KAFKA_BOOTSTRAP_SERVERS, TRACKER_KAFKA__… and topics"
        )
        return
    yield Check("broker", ok=True, found=f"{settings.bootstrap_servers}, {len(partitions)} partitions")
    yield from _same_topics(settings, partitions)
    yield from _outgoing(settings, connection)


def _outgoing(settings: Settings, connection: Mapping[str, Any]) -> Iterator[Check]:
    """Look at the topics that ``tracker deliver`` writes to."""
    topics = outgoing(settings.outbound, settings.topics.names()).topics()
    try:
        for one in kafka_look.look(connection, topics, making(settings.outbound)):
            yield Check(f"topic {one.topic}", ok=one.ok, found=one.found, mend=one.mend)
    except NotDelivered as error:
        yield Check("outgoing topics", ok=False, found=str(error), mend="see whether the broker answers our user")


def _shards(settings: Settings) -> Iterator[Check]:
    if not settings.shards:
        return
    from deploy import sharding  # noqa: PLC0415 - it loads the web, which no other check needs

    try:
        found = sharding.crossings(settings)
    except Exception as error:  # noqa: BLE001  # a doctor reports whatever it is
        mend = "check SHARDS, and that each shard's own processes run"
        yield Check("shards", ok=False, found=str(error), mend=mend)
        return
    examples = found.examples[:_EXAMPLES]
    told = [f"{one.what} {one.id} in {' and '.join(one.shards)}" for one in examples]
    told += [f"and {found.total - len(told)} more"] * (found.total > len(told))
    listed = f": {', '.join(told)}" if told else ""
    yield Check(
        "shards",
        ok=not found.total,
        found=f"{len(settings.shards)} shards have {found.total} orders and parcels in common{listed}",
        mend="see docs/scaling.md: route their events to one shard" if found.total else "",
    )


def _same_topics(settings: Settings, partitions: dict[str, Partition]) -> Iterator[Check]:
    try:
        if not is_begun(settings):
            return
        with open_store(settings) as log:
            check_identities(log.store.positions(), partitions)
        yield Check("topics", ok=True, found="the ones this log was fed from")
    except TopicReplaced as error:
        yield Check("topics", ok=False, found=str(error), mend="tracker ingest --accept-new-topics")
    except StoreUnsuitable:
        yield Check("topics", ok=False, found="not compared: the store is away", mend="see store, above")
