"""Steps: all that people, time and the tracker did about an incident, in the order in which it was written.

Read from the log itself, up to where the views have come; nothing is kept twice.
"""

from typing import Any, Final

import msgspec

from domain.history.log import LogRecorder, decode
from domain.incidents.events import INCIDENT_EVENTS
from domain.instant import iso

_ENVELOPE: Final = frozenset({"at", "by", "why", "command_id", "digest", "position"})
_INSTANTS: Final = frozenset({"at", "until", "next_attempt", "resolved_at"})
_POSITIONS: Final = frozenset({"true_at"})


def history(log: LogRecorder, incident: str, up_to: int) -> list[dict[str, Any]]:
    """List the steps of an incident, the first one first; ``position`` is where each stands in the log."""
    found = ((row, decode(row.topic, row.state)) for row in log.select_streams([incident], up_to))
    return [
        {
            "step": row.topic.split(".")[1],
            "at": iso(event.at),
            "by": event.by,
            "why": event.why,
            "position": row.position,
            "detail": _shown({name: value for name, value in content.items() if name not in _ENVELOPE}),
        }
        for row, event in found
        if isinstance(event, INCIDENT_EVENTS) and (content := msgspec.to_builtins(event)) is not None
    ]


def _shown(content: Any) -> Any:
    """Write instants as the contract has them, however deep they lie; positions of the log are nobody's business."""
    if isinstance(content, list | tuple):
        return [_shown(one) for one in content]
    if not isinstance(content, dict):
        return content
    return {
        name: iso(value) if name in _INSTANTS and isinstance(value, int) else _shown(value)
        for name, value in content.items()
        if name not in _POSITIONS
    }
