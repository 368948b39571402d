"""Described: the topics that the settings name, as ``/asyncapi.json`` tells them."""

from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from api import asyncapi
from api.asyncapi import Channel, Message
from api.outbound import described as told
from consumers import schemas
from consumers.translate import TOPICS
from deploy.outgoing import outgoing
from deploy.settings import Settings

_STRUCTURED: Final = "application/cloudevents+json"
_ABOUT: Final = (
    "CloudEvents 1.0: structured as shown, plain JSON of the same structure, or in binary mode, where the attributes "
    "are `ce_` headers and the value is the data. What cannot be read goes to quarantine; types of other families are "
    "counted and skipped."
)


def channels(settings: Settings) -> list[Channel]:
    """Describe every topic that is read or told of something."""
    return [*_incoming(settings), *_outgoing(settings)]


def _incoming(settings: Settings) -> Iterator[Channel]:
    parts = schemas.described()
    group: dict[str, Any] = {"groupId": {"type": "string", "const": settings.kafka.group}}
    for default, (name, address) in zip(TOPICS, settings.topics, strict=True):
        messages = [_message(one) for one in schemas.expected() if one.topic == default]
        kafka: dict[str, Any] = {"kafka": {"topic": address, "bindingVersion": asyncapi.KAFKA}}
        operation = {"kafka": {**group, "bindingVersion": asyncapi.KAFKA}}
        yield Channel(name, address, "receive", _ABOUT, messages, parts, kafka, operation)


def _message(one: schemas.Expected) -> Message:
    return Message(one.type, one.about, one.payload, key=f"`{one.key}`, where there is one", content_type=_STRUCTURED)


def _outgoing(settings: Settings) -> Iterator[Channel]:
    found = outgoing(settings.outbound, settings.topics.names())
    names = {address: name for name, address in settings.topics}
    return chain(
        (told.changes(one) for one in (found.changes,) if one is not None),
        (told.states(one) for one in (found.states,) if one is not None),
        (told.dead_letters(one, names[source]) for source, one in found.dead_letters.items()),
    )
