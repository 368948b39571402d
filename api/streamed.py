"""Live feeds as AsyncAPI tells them: every event of a stream, by its name."""

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any, Final

from pydantic import BaseModel

from api import asyncapi
from api.asyncapi import Channel, Message
from api.contract import feed as contract
from api.contract import incidents as contract_incidents
from api.contract import shards as contract_shards

EVENTS: Final[Mapping[str, type[BaseModel]]] = {
    "incident": contract_incidents.Incident,
    "snapshot": contract.SnapshotEnd,
    "change": contract.Change,
    "heartbeat": contract_incidents.AsOf,
    "reset": contract.Reset,
    "lagged": contract.Lagged,
    "server.closing": contract.Closing,
}
"""The events of one log's feed, and what each holds."""
MERGED: Final[Mapping[str, type[BaseModel]]] = {
    "change": contract_shards.MergedChange,
    "heartbeat": contract_shards.MergedAsOf,
    "reset": contract_shards.ShardReset,
    "lagged": contract.Lagged,
    "server.closing": contract.Closing,
}
"""The same of the feed of several logs, which has no snapshot."""
_ABOUT: Final = (
    "Server-sent events, with `Accept: text/event-stream`: the name of a message is its `event`, the payload its "
    "`data`. An `id` is where to go on after it, as `Last-Event-ID` or `?after=`. Its other parameters are in "
    "/openapi.json."
)


def feed(events: Mapping[str, type[BaseModel]]) -> Channel:
    """Describe a live feed with these events."""
    messages = [
        Message(name, cleandoc(model.__doc__ or ""), asyncapi.ref(model.__name__)) for name, model in events.items()
    ]
    http: dict[str, Any] = {"http": {"method": "GET", "bindingVersion": "0.3.0"}}
    return Channel("feed", "/v1/feed", "send", _ABOUT, messages, asyncapi.schemas(*events.values()), operation=http)
