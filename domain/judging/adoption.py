"""Adoption: which policy judged when. Policies stand in the log under their hash."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from domain.history.batch import PolicyAdopted
from domain.history.log import Beside, Log, Recorded
from domain.instant import FOREVER, Instant
from domain.policies.policy import Policy, PolicyInvalid, load_versions


class Adopted(NamedTuple):
    """A policy and the instant from which it judges what comes due."""

    since: Instant
    policy: Policy


def adopt(log: Log, text: str, now: Instant) -> list[Adopted]:
    """Make a policy file the one that counts, unless it does already; returns all that judge, earliest first.

    The first file of a log judges all that came before, or from its own date on; as long as the log holds nothing that
    could be judged, a later one is the first instead. Any other judges from now on, so that old verdicts stay; its
    versions of later dates are adopted now as well, in place of what was planned.

    Raises:
        PolicyInvalid: the text is no policy.
    """
    if to_adopt(log, text, now):
        # Of several processes that start with a new file at once, the first one adopts it.
        with log.store.writing():
            first, news = len(_heard(log)) + 1, to_adopt(log, text, now)
            log.append([Recorded("policy", version, one) for version, one in enumerate(news, first)], Beside())
    return adopted(log)


def to_adopt(log: Log, text: str, now: Instant) -> list[PolicyAdopted]:
    """List what must be written so that a policy file is the one that counts; nothing where it does already.

    Raises:
        PolicyInvalid: the text is no policy.
    """
    versions, heard = _versions(text), _heard(log)
    stands = standing(heard)
    if not heard or log.store.last_position() > len(heard):
        return _news(versions, stands, now)
    # A start that came to nothing has adopted what nobody chose. What is first judges what comes before its date, too;
    # to say so leaves nothing standing of what was there.
    instead = [msgspec.structs.replace(versions[0], since=-FOREVER)]
    instead += [one for one in versions if one.since > -FOREVER]
    return [] if _shape(stands) in (_shape(versions), _shape(instead)) else instead


def adopted(log: Log) -> list[Adopted]:
    """List the policies that judge or have judged, those planned for a later date included; earliest first."""
    return judging(_heard(log))


def planned(text: str) -> list[Adopted]:
    r"""List what an empty log would adopt of a policy file, earliest first.

    >>> later = '[[version]]\nvalid_from = "1970-01-02T00:00:00Z"\n[version.presumed_lost]\nafter = "10d"'
    >>> [since for since, _ in planned(later)] == [-FOREVER, 86_400_000_000]
    True

    Raises:
        PolicyInvalid: the text is no policy.
    """
    return judging(_versions(text))


def judging(events: Iterable[PolicyAdopted]) -> list[Adopted]:
    """Read adoptions, in the order of the log, as the policies that judge, earliest first.

    Raises:
        PolicyInvalid: one cannot be read by this version of the tracker.
    """
    return [Adopted(one.since, policy_of(one.text, one.hash)) for one in standing(events)]


def standing(events: Iterable[PolicyAdopted]) -> list[PolicyAdopted]:
    """Leave out what was planned for a time from which a later adoption judges."""
    stands: list[PolicyAdopted] = []
    for event in events:
        stands = [*(one for one in stands if one.since < event.since), event]
    return stands


def in_force(policies: Sequence[Adopted], at: Instant) -> Policy:
    """Give the policy that judges what comes due at an instant; before any of them does, the first."""
    begun = [one.policy for one in policies if one.since <= at]
    return begun[-1] if begun else policies[0].policy


def mark(policies: Sequence[Adopted], at: Instant) -> str:
    """Name what judges from an instant on: another mark means that deadlines may be others.

    >>> only = [Adopted(5, policy_of("", load_versions("")[0][1].hash))]
    >>> mark(only, 4) == mark(only, 5)
    True
    """
    # The first one judges what comes before it, too: that its time comes changes nothing.
    ahead = [one.policy.hash for one in policies[1:] if one.since > at]
    return "+".join((in_force(policies, at).hash, *ahead))


@lru_cache(maxsize=64)
def policy_of(text: str, digest: str) -> Policy:
    """Give the version of a policy file that has a hash.

    Raises:
        PolicyInvalid: the text is no policy, or holds no such version.
    """
    versions = [policy for _, policy in load_versions(text)]
    if len(versions) == 1:
        return versions[0]  # whatever an earlier version of the tracker made its hash of
    found = next((policy for policy in versions if policy.hash == digest), None)
    if found is None:
        raise PolicyInvalid(f"no version of this file has the hash {digest}")
    return found


def _heard(log: Log) -> list[PolicyAdopted]:
    return [event for event in log.stream("policy") if isinstance(event, PolicyAdopted)]


def _versions(text: str) -> list[PolicyAdopted]:
    return [
        PolicyAdopted(hash=policy.hash, text=text, since=-FOREVER if since is None else since)
        for since, policy in load_versions(text)
    ]


def _news(versions: Sequence[PolicyAdopted], stands: Sequence[PolicyAdopted], now: Instant) -> list[PolicyAdopted]:
    """List what must be written so that these versions count from now on."""
    if not stands:
        return [*versions]
    # Another process's clock may be behind: nothing is adopted before what was adopted last.
    now = max(now, *(one.since for one in stands if not _is_dated(one)), -FOREVER)
    known, wanted = _from(stands, now), _from(versions, now)
    if wanted[0].since > now:
        wanted = [*(one for one in known if one.since == now), *wanted]
    if _shape(wanted[: len(known)]) == _shape(known):
        return wanted[len(known) :]
    return wanted


def _from(policies: Sequence[PolicyAdopted], now: Instant) -> list[PolicyAdopted]:
    """List what judges now, as if since now, and what is planned."""
    here = [msgspec.structs.replace(one, since=now) for one in policies if one.since <= now][-1:]
    return [*here, *(one for one in policies if one.since > now)]


def _shape(policies: Iterable[PolicyAdopted]) -> list[tuple[Instant, str]]:
    return [(one.since, one.hash) for one in policies]


def _is_dated(one: PolicyAdopted) -> bool:
    """Say whether it judges from the date that its file gives, and not from when it was adopted."""
    return one.since == policy_of(one.text, one.hash).valid_from
