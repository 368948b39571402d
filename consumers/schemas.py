"""Schemas: what may come in, as JSON Schema, made from the facts that are read and the rules on their members.

What it says is held together with what the edge takes by ``tests/consumers/test_schemas.py``, in both directions.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from consumers.rules import MAX_ID, MAX_QUANTITY, MAX_SKU, RULES, Rule
from consumers.topics import place
from consumers.translate import MAX_NAME, TYPES, WRITTEN
from domain.catalogue import PriceChanged
from domain.events import Fact
from domain.orders import order
from domain.parcels import events as parcel_events

REF: Final = "#/components/schemas/{name}"
ENVELOPE: Final = "CloudEvent"
"""Name of the schema of what every event says of itself."""
_NAME: Final = r"^[^\s\u0000-\u001f\u007f-\u009f]([^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f])?$"
_TIME: Final = {"type": "string", "format": "date-time"}
_OURS: Final = WRITTEN.union(Fact.__struct_fields__)
"""Members of a fact that stand in the envelope, or are written by the tracker."""
_TIMES: Final = ("deliver_by", "ship_by", "starts_at", "estimated_delivery")


def _text(longest: int, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": _NAME, **more}


def _given(*names: str) -> dict[str, Any]:
    return {"required": [*names], "properties": {name: {"type": "string"} for name in names}}


_ID: Final = {"$ref": REF.format(name="Id")}
_BY_RULE: Final[dict[Rule, dict[str, Any]]] = {
    RULES["order_id"]: _ID,
    RULES["sku"]: {"$ref": REF.format(name="Sku")},
    RULES["order_ids"]: {"items": _ID},
    RULES["lines"]: {},
    RULES["quantity"]: {"minimum": 1, "maximum": MAX_QUANTITY},
    RULES["price"]: {"pattern": r"^-?[0-9]{1,18}(\.[0-9]{1,9})?$"},
    RULES["currency"]: {"pattern": "^([A-Za-z]{3})?$"},
    RULES["status"]: {"enum": parcel_events.STATUSES},
}
"""What each rule on single values asks for."""
_NAMED: Final = {"required": ["currency"], "properties": {"currency": {"type": "string", "minLength": 1}}}
_AMOUNT: Final = {"anyOf": [{"type": "string", **_BY_RULE[RULES["price"]]}, {"type": "null"}]}
_AMOUNTS: Final = ("unit_price", "price")
_UNKNOWN: Final = {"description": "A decimal number in text where a currency is named; else unknown money of any form."}
_WHOLE: Final[dict[type[Fact], dict[str, Any]]] = {
    order.OrderPlaced: {
        "properties": {"lines": {"minItems": 1}},
        "if": _NAMED,
        "then": {"properties": {"lines": {"items": {"properties": {"unit_price": _AMOUNT}}}}},
    },
    PriceChanged: {
        "properties": {"price": {"not": {"type": "null"}}},
        "required": ["sku", "price"],
        "if": _NAMED,
        "then": {"properties": {"price": _AMOUNT}},
    },
    parcel_events.ParcelPacked: {"properties": {"contents": {"minItems": 1}}},
    parcel_events.ParcelScanned: {"anyOf": [_given("parcel_id"), _given("carrier", "tracking_number")]},
}
"""What no single member shows."""


class Expected(NamedTuple):
    """A type of event that is read."""

    type: str
    topic: str
    """Where it belongs, by its default name."""
    key: str
    """The member of its data that is the key of its record; ``source`` is the envelope's."""
    about: str
    payload: dict[str, Any]


def expected() -> Iterator[Expected]:
    """List every type that is read, in the form of CloudEvents' structured mode."""
    for name, kind in TYPES.items():
        members = [one for one in kind.__struct_fields__ if one not in _OURS]
        topic, key = place({"type": name, "source": "source", "data": {one: one for one in members}})
        yield Expected(name, topic, str(key), str(kind.__doc__), _payload(name, kind))


def described() -> dict[str, Any]:
    """Describe the envelope, the data of every type and their parts, each by its name."""
    facts = {kind.__name__: kind for kind in TYPES.values()}
    _, found = msgspec.json.schema_components(facts.values(), ref_template=REF)
    parts = {name: _members(one, _OURS if name in facts else frozenset()) for name, one in found.items()}
    whole = {name: _whole(parts[name], _WHOLE.get(kind, {})) for name, kind in facts.items()}
    return {ENVELOPE: _envelope(), "Id": _text(MAX_ID), "Sku": _text(MAX_SKU), **parts, **whole}


def _payload(name: str, kind: type[Fact]) -> dict[str, Any]:
    data: dict[str, Any] = {"$ref": REF.format(name=kind.__name__)}
    if kind in _WHOLE or any(one.required for one in msgspec.structs.fields(kind) if one.name not in _OURS):
        own: dict[str, Any] = {"anyOf": [{"required": ["data"]}, {"required": ["data_base64"]}]}
    else:
        data, own = _or_null(data), {}
    own["properties"] = {"type": {"const": name}, "data": data}
    return {"allOf": [{"$ref": REF.format(name=ENVELOPE)}, own]}


def _envelope() -> dict[str, Any]:
    return {
        "title": ENVELOPE,
        "description": "CloudEvents 1.0, structured mode. Other members are extensions, and of no account.",
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _text(MAX_ID, description="With `source` the identity of the event: the same again has no effect."),
            "source": _text(MAX_NAME, description="The feed it came from: the unit of silence and of watermarks."),
            "type": _text(MAX_NAME),
            "time": {**_TIME, "description": "When it happened in the world."},
            "subject": {"type": ["string", "null"], "description": "The id of the thing it is about."},
            "datacontenttype": {"type": ["string", "null"], "description": "Some JSON, where it is given."},
            "data_base64": {"type": ["string", "null"], "description": "The data as base64; goes before `data`."},
        },
        "required": ["specversion", "id", "source", "type", "time"],
    }


def _members(schema: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """Say of each member what the edge takes there: null is as good as nothing where it may be absent."""
    needed = [name for name in schema.get("required", ()) if name not in hidden]
    known = {name: _member(name, one) for name, one in schema["properties"].items() if name not in hidden}
    properties = {name: one if name in needed else _or_null(one) for name, one in known.items()}
    return {**schema, "properties": properties, "required": needed}


def _member(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Narrow a member's own type by the rule that goes by its name."""
    if name in _TIMES:
        return {**_TIME}
    if name in _AMOUNTS:
        return {**_UNKNOWN}
    ruled = _BY_RULE[RULES[name]] if name in RULES else {}
    own = schema["anyOf"][0] if "anyOf" in schema else {key: one for key, one in schema.items() if key != "default"}
    return ruled if "$ref" in ruled else {**own, **ruled}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _whole(schema: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    properties = {**schema["properties"]}
    for name, narrower in more.get("properties", {}).items():
        properties[name] = {**properties[name], **narrower}
    return {**schema, **more, "properties": properties}
