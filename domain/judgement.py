"""Judgement: every rule over one subject, each finding by the policy in force when it came due."""

from collections.abc import Sequence
from typing import NamedTuple

from domain.adoption import Adopted
from domain.detection import Finding, FindingEvent, reconcile
from domain.detectors import ORDER_DETECTORS
from domain.fulfillment import unfinished
from domain.instant import FOREVER, Instant
from domain.order import Order


class Verdict(NamedTuple):
    """What to record about a subject, and when to look at it again."""

    events: tuple[FindingEvent, ...]
    again: Instant | None
    open: bool
    """Whether the subject is unfinished, so that another policy may see it otherwise."""


class Judgement:
    """Looks at subjects by all policies that have been in force."""

    def __init__(self, policies: Sequence[Adopted]) -> None:
        """Judge by these, earliest first; each from its ``since`` until the next one's."""
        ends = [one.since for one in policies[1:]] + [FOREVER]
        self._terms = [(one.since, end, one.policy) for one, end in zip(policies, ends, strict=True)]

    def of(self, order: Order, until: Instant) -> Verdict:
        """Find what holds up to ``until`` and what the log must say that it does not say yet."""
        # What has once been read stays read: a writer whose idea of time is behind retracts nothing.
        until = max((until, *(stored.finding.due_at + 1 for stored in order.findings.values())))
        found: list[Finding] = []
        instants: list[Instant] = []
        for since, end, policy in self._terms:
            for detector in ORDER_DETECTORS:
                if detector.kind not in policy.kinds.enabled:
                    continue
                look = detector.look(order, until, policy)
                found.extend(one for one in look.findings if since <= one.due_at < end)
                if look.again is not None and look.again < end:
                    instants.append(look.again)
        return Verdict(reconcile(order.findings, found, until), min(instants, default=None), unfinished(order))
