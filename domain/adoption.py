"""Adoption: which policy judged when. Policies stand in the log under their hash."""

from functools import lru_cache
from typing import NamedTuple

from domain.batch import PolicyAdopted
from domain.instant import FOREVER, Instant
from domain.log import Beside, Log, Recorded
from domain.policy import Policy, load


class Adopted(NamedTuple):
    """A policy and the instant from which it judges what comes due."""

    since: Instant
    policy: Policy


def adopt(log: Log, text: str, now: Instant) -> list[Adopted]:
    """Make a policy the one in force, unless it is already; returns all, earliest first.

    Raises:
        PolicyInvalid: the text is no policy.
    """
    policy = load(text)
    known = adopted(log)
    if not known or known[-1].policy.hash != policy.hash:
        since = now if known else -FOREVER
        event = PolicyAdopted(hash=policy.hash, text=text, since=since)
        log.append([Recorded("policy", len(known) + 1, event)], Beside())
        known.append(Adopted(since, policy))
    return known


@lru_cache(maxsize=64)
def _loaded(text: str) -> Policy:
    return load(text)


def adopted(log: Log) -> list[Adopted]:
    """List the policies that have judged, earliest first."""
    events = (event for event in log.stream("policy") if isinstance(event, PolicyAdopted))
    return [Adopted(event.since, _loaded(event.text)) for event in events]
