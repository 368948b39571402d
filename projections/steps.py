"""Steps: all that rules, people, time and the tracker did about an incident, in the order in which it was written.

Read from the log itself, up to where the views have come; nothing is kept twice.
"""

from typing import Any, Final, cast

import msgspec

from domain.detection import FINDING_EVENTS, FindingEvent
from domain.events import Event
from domain.history.log import LogRecorder
from domain.incidents.events import INCIDENT_EVENTS
from domain.incidents.step import Step
from domain.instant import iso
from projections.history import happened, said
from projections.recorded import Entry, Until, known

RULE: Final = "rule"
"""Stands in ``by`` where a rule said it."""
_ENVELOPE: Final = frozenset({"at", "by", "why", "command_id", "digest", "position"})
_INSTANTS: Final = frozenset({"at", "until", "next_attempt", "resolved_at"})
_POSITIONS: Final = frozenset({"true_at"})
_FINDINGS: Final = frozenset(event.TOPIC for event in FINDING_EVENTS)
_STEPS: Final = frozenset(event.TOPIC for event in INCIDENT_EVENTS)


def taken(log: LogRecorder, incident: str, until: Until) -> list[dict[str, Any]]:
    """List what was done about an incident, the first step first; ``position`` is where each stands in the log."""
    rows = [row for row in log.select_streams([incident], until.position) if row.topic in _STEPS]
    return [_shown(one) for one in known(log, rows, until)]


def history(log: LogRecorder, incident: str, subject: str, until: Until) -> list[dict[str, Any]]:
    """List the same with what the rules said of its finding, which stands in the subject's stream."""
    rows = log.select_streams([incident, subject], until.position)
    told = known(log, (row for row in rows if row.topic in _STEPS | _FINDINGS), until)
    return [_shown(one) for one in told if one.stream == incident or _is_of(one.event, incident)]


def _is_of(event: Event, incident: str) -> bool:
    return isinstance(event, FINDING_EVENTS) and event.finding.incident == incident


def _shown(one: Entry) -> dict[str, Any]:
    event = one.event
    told = _said(event) if isinstance(event, FINDING_EVENTS) else _done(cast(Step, event))
    return {"step": event.TOPIC.split(".")[1], "position": one.position, "recorded_at": iso(one.recorded_at), **told}


def _said(event: FindingEvent) -> dict[str, Any]:
    told = said(event)
    return {"at": iso(happened(event)), "by": RULE, "why": "", "detail": told.pop("about"), **told}


def _done(event: Step) -> dict[str, Any]:
    content = {name: value for name, value in msgspec.to_builtins(event).items() if name not in _ENVELOPE}
    return {"at": iso(event.at), "by": event.by, "why": event.why, "detail": _written(content)}


def _written(content: Any) -> Any:
    """Write instants as the contract has them, however deep they lie; positions of the log are nobody's business."""
    if isinstance(content, list | tuple):
        return [_written(one) for one in content]
    if not isinstance(content, dict):
        return content
    return {
        name: iso(value) if name in _INSTANTS and isinstance(value, int) else _written(value)
        for name, value in content.items()
        if name not in _POSITIONS
    }
