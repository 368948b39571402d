"""AsyncAPI: what is read from topics, written to them and streamed, in one document made from what the code uses."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

VERSION: Final = "3.0.0"
MEDIA_TYPE: Final = "application/vnd.aai.asyncapi+json;version=3.0.0"
KAFKA: Final = "0.5.0"
"""Version of what is said of Kafka."""
REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = (
    "What this tracker learns from Kafka (`receive`), and what it tells others there and as a live feed (`send`)."
)


class Message(NamedTuple):
    """One kind of message, by its name."""

    name: str
    about: str
    payload: Mapping[str, Any]
    """Its schema; those of others are named by ``REF``."""
    headers: Mapping[str, Any] | None = None
    key: str | None = None
    """What the key of its record is."""
    content_type: str = "application/json"


class Channel(NamedTuple):
    """A topic or a stream, and what may be met there."""

    name: str
    address: str
    action: Literal["receive", "send"]
    about: str
    messages: Sequence[Message]
    schemas: Mapping[str, Any]
    """Those to which its messages refer, by name."""
    bindings: Mapping[str, Any] = {}
    """What its protocol has to say of it."""
    operation: Mapping[str, Any] = {}
    """What its protocol has to say of how it is read or written."""


@cache
def schemas(*models: type[BaseModel]) -> Mapping[str, Any]:
    """Describe what models write, and everything they hold, each by its name."""
    described = models_json_schema([(one, "serialization") for one in models], ref_template=REF)[1]
    return MappingProxyType(described["$defs"])


def ref(name: str) -> dict[str, str]:
    """Refer to a schema."""
    return {"$ref": REF.format(model=name)}


def document(title: str, version: str, channels: Sequence[Channel]) -> dict[str, Any]:
    """Write the document.

    Raises:
        ValueError: two of the channels mean different things by one name.
    """
    messages = [(one.name, _message(one)) for one in chain.from_iterable(each.messages for each in channels)]
    return {
        "asyncapi": VERSION,
        "info": {"title": title, "version": version, "description": _ABOUT, "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "channels": {one.name: _channel(one) for one in channels},
        "operations": {f"{one.action}.{one.name}": _operation(one) for one in channels},
        "components": {
            "messages": _each_once(messages),
            "schemas": _each_once(chain.from_iterable(one.schemas.items() for one in channels)),
        },
    }


def _each_once(named: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, content in named:
        if found.setdefault(name, content) != content:
            raise ValueError(f"{name} is two different things")
    return found


def _channel(one: Channel) -> dict[str, Any]:
    return {
        "address": one.address,
        "description": one.about,
        "messages": {message.name: {"$ref": f"#/components/messages/{message.name}"} for message in one.messages},
        **({"bindings": one.bindings} if one.bindings else {}),
    }


def _operation(one: Channel) -> dict[str, Any]:
    channel = f"#/channels/{one.name}"
    return {
        "action": one.action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{message.name}"} for message in one.messages],
        **({"bindings": one.operation} if one.operation else {}),
    }


def _message(one: Message) -> dict[str, Any]:
    key = {"type": "string", "description": one.key}
    return {
        "name": one.name,
        "summary": one.about,
        "contentType": one.content_type,
        "payload": one.payload,
        **({} if one.headers is None else {"headers": one.headers}),
        **({} if one.key is None else {"bindings": {"kafka": {"key": key, "bindingVersion": KAFKA}}}),
    }
