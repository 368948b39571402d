"""The topics that are told of something, as AsyncAPI tells them."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from api import asyncapi
from api.asyncapi import Channel, Message
from api.contract.feed import Change, ChangeKind
from api.contract.incidents import IncidentState
from api.outbound.records import JSON, REASON, SPECVERSION, type_of
from api.outbound.topic import Topic

ATTRIBUTES: Final = {
    "ce_specversion": "Version of CloudEvents.",
    "ce_id": "The same whenever it is told; drop what you have seen.",
    "ce_source": "`/order-incidents/` and the life of the log.",
    "ce_type": "What happened, with the version of its form.",
    "ce_subject": "Incident id.",
    "ce_time": "When it was decided: when a step was taken, or where time stood for the rule.",
    "ce_sequence": "Position in the log, twenty digits: of two of one source, the greater text is the newer.",
    "content-type": "Of the value.",
}
"""Every header of a change, and what it says; a state has all but the time."""
REASONS: Final = {
    "topic": "Topic that it came from.",
    "partition": "Its partition there.",
    "offset": "Its place in the partition; a repeat is known by these three.",
    "connector.name": "Who could not take it in.",
    "task.id": "Always 0.",
    "stage": "Always TRANSFORMATION.",
    "class.name": "The same as the connector's.",
    "exception.class.name": "The code under which quarantine has it.",
    "exception.message": "Why it could not be taken in.",
}
"""Every header that is put behind those with which a dead letter came, below ``REASON``, and what it says."""
_CHANGES: Final = "Every change of an incident: at least once, in order per incident. Drop an id that you have seen."
_STATES: Final = "The latest state of every incident, told whenever its finding changes or staff do something."
_LETTERS: Final = (
    "What could not be taken in: key, value and headers as they came, and why. May hold personal data that producers "
    "sent."
)


def changes(topic: Topic) -> Channel:
    """Describe the topic of changes."""
    messages = [
        Message(
            type_of(kind),
            f"An incident: {kind.replace('_', ' ')}.",
            {"allOf": [asyncapi.ref(Change.__name__), {"properties": {"change": {"const": kind}}}]},
            _attributes(type_of(kind), set(ATTRIBUTES)),
            ATTRIBUTES["ce_subject"],
        )
        for kind in get_args(ChangeKind)
    ]
    return _channel("changes", topic, _CHANGES, messages, asyncapi.schemas(Change))


def states(topic: Topic) -> Channel:
    """Describe the topic of states."""
    headers = _attributes(type_of("state"), ATTRIBUTES.keys() - {"ce_time"})
    payload = asyncapi.ref(IncidentState.__name__)
    message = Message(type_of("state"), "An incident as it is now.", payload, headers, ATTRIBUTES["ce_subject"])
    return _channel("states", topic, _STATES, [message], asyncapi.schemas(IncidentState))


def dead_letters(topic: Topic, source: str) -> Channel:
    """Describe the topic for what could not be taken in from another."""
    message = Message(
        "dead_letter",
        "A message that could not be taken in.",
        {"description": "The bytes that came; none where the message had none."},
        _headers({REASON + name: told for name, told in REASONS.items()}),
        "As it came; empty where the message has neither key nor value.",
        "application/octet-stream",
    )
    return _channel(f"{source}.dead_letters", topic, _LETTERS, [message], {})


def _channel(name: str, topic: Topic, about: str, messages: list[Message], schemas: Mapping[str, Any]) -> Channel:
    setup: dict[str, Any] = {
        "cleanup.policy": ["compact" if topic.compacted else "delete"],
        **({} if topic.retention_ms is None else {"retention.ms": topic.retention_ms}),
        **({} if topic.largest is None else {"max.message.bytes": topic.largest}),
    }
    bindings = {"kafka": {"topic": topic.name, "topicConfiguration": setup, "bindingVersion": asyncapi.KAFKA}}
    return Channel(name, topic.name, "send", about, messages, schemas, bindings)


def _attributes(kind: str, names: set[str]) -> dict[str, Any]:
    fixed = {"ce_specversion": SPECVERSION, "ce_type": kind, "content-type": JSON}
    return _headers({name: told for name, told in ATTRIBUTES.items() if name in names}, fixed)


def _headers(told: dict[str, str], fixed: dict[str, str] | None = None) -> dict[str, Any]:
    known = {name: {"const": value} for name, value in (fixed or {}).items()}
    properties = {name: {"type": "string", "description": text, **known.get(name, {})} for name, text in told.items()}
    return {"type": "object", "properties": properties, "required": list(told)}
