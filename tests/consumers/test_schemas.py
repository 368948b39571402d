"""What the schemas allow is what the edge takes: every type of the contract, with every member made odd."""

import copy
import json
from collections.abc import Iterator
from typing import Any, Final

import jsonschema_rs
import pytest

from consumers import schemas, topics
from consumers.rules import MAX_ID, MAX_QUANTITY, MAX_SKU, RULES
from consumers.translate import MAX_NAME, TOPICS, TYPES
from tests.consumers.contract import CONTRACT
from tests.consumers.said import code, envelope

EXPECTED: Final = {one.type: one for one in schemas.expected()}
TIME: Final = "2026-03-01T00:00:00+08:00"
GONE: Final = object()
ODD: Final[list[Any]] = [
    GONE, None, True, 0, 1, -1, 1.5, MAX_QUANTITY, MAX_QUANTITY + 1, [], {}, [None], [""], ["x", "x y"], [{}],
    "", "x", " x", "x ", "\u3000x", "x\ny", "a\x7f", "x" * MAX_ID, "x" * (MAX_ID + 1), "x" * MAX_SKU,
    "x" * (MAX_SKU + 1), "x" * MAX_NAME, "x" * (MAX_NAME + 1), TIME, "2026-03-01T00:00:00", "2026-02-30T00:00:00Z",
    "9.90", "-9.90", "9.", "1e3", "CNY", "cny", "delivered", "late", "customer", "carrier", "general", "1.0",
]  # fmt: skip
"""Not 1.0, which JSON Schema takes for an integer and the edge does not."""


def validators() -> dict[str, jsonschema_rs.Validator]:
    parts = {"components": {"schemas": schemas.described()}}
    return {
        name: jsonschema_rs.Draft7Validator({**one.payload, **parts}, validate_formats=True)
        for name, one in EXPECTED.items()
    }


VALIDATORS: Final = validators()


def whole(kind: str) -> dict[str, Any]:
    return envelope(type=kind, data=CONTRACT[kind.removesuffix(".v1")], time=TIME, subject="S")


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every member of an event, of its data and of what that holds."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*path, name)
        yield from places(one, (*path, name))


def changed(event: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    made = copy.deepcopy(event)
    *above, last = path
    holder: Any = made
    for name in above:
        holder = holder[name]
    if value is GONE:
        del holder[last]
    else:
        holder[last] = value
    return made


def is_taken(event: dict[str, Any]) -> bool:
    return code(json.dumps(event).encode()) == "taken"


def test_every_type_of_the_contract_is_described_where_it_belongs():
    assert {f"{name}.v1" for name in CONTRACT} == set(EXPECTED) == set(TYPES)
    for kind, one in EXPECTED.items():
        event = whole(kind)
        topic, key = topics.place(event)
        assert topic == one.topic in TOPICS
        assert key == (event["data"] | {"source": event["source"]})[one.key]
        VALIDATORS[kind].validate(event)
        assert is_taken(event)


@pytest.mark.parametrize("kind", EXPECTED)
def test_what_a_schema_allows_is_taken_and_what_it_does_not_is_refused(kind):
    event = whole(kind)
    wrong = [
        (path, value, "is taken" if taken else "is refused")
        for path in places(event)
        if path != ("type",)
        for value in ODD
        if (taken := is_taken(made := changed(event, path, value))) != VALIDATORS[kind].is_valid(made)
    ]
    assert wrong == []


def test_every_rule_of_the_edge_is_told():
    assert set(RULES.values()) == set(schemas._BY_RULE)
