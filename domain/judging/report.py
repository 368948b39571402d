"""Findings as others read them: one JSON line each, in the form of the contract."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from domain.detection import FINDING_EVENTS, FindingEvent, Key, Stored, note
from domain.history.log import Log
from domain.instant import iso

_PAGE: Final = 5000


def final(log: Log) -> list[Stored]:
    """Give the last word of the log on every finding, sorted by (kind, subject, since)."""
    found: dict[str, dict[Key, Stored]] = {}
    for stream, event in _changes(log):
        note(found.setdefault(stream, {}), event)
    stored = [one for findings in found.values() for one in findings.values()]
    return sorted(stored, key=lambda one: (one.finding.key, one.finding.order_ids))


def line(stored: Stored) -> dict[str, Any]:
    """Write a finding with exactly the contract's keys."""
    finding = stored.finding
    return {
        "kind": finding.kind,
        "subject": finding.subject,
        "since": iso(finding.since),
        "due_at": iso(finding.due_at),
        "ended_at": None if finding.ended_at is None else iso(finding.ended_at),
        "state": stored.state,
        "order_ids": list(finding.order_ids),
        "parcel_id": finding.parcel_id,
        "warehouse_id": finding.warehouse_id,
        "carrier": finding.carrier,
        "sku": finding.sku,
        "severity": finding.severity,
        "rule": finding.rule,
        "policy": finding.policy,
        "proof": list(finding.proof),
        "detail": dict(sorted(finding.detail.items())),
    }


def _changes(log: Log) -> Iterator[tuple[str, FindingEvent]]:
    after = 0
    topics = [event.TOPIC for event in FINDING_EVENTS]
    while page := list(log.read(after, _PAGE, topics)):
        yield from ((stream, event) for _, stream, event in _only_findings(page))
        after = page[-1][0]


def _only_findings(page: Iterable[tuple[int, str, Any]]) -> Iterator[tuple[int, str, FindingEvent]]:
    return (one for one in page if isinstance(one[2], FINDING_EVENTS) and one[2].finding.reported)
