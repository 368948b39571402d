"""The CloudEvents project's own conformance vectors, read in place where they are beside the repository."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from consumers.cloudevents import read
from domain.errors import Unreadable
from domain.history.batch import Raw
from tests.consumers.said import code

VECTORS = Path(__file__).parents[3] / "shared" / "data" / "vendor" / "cloudevents"

pytestmark = pytest.mark.skipif(
    not VECTORS.is_dir(), reason=f"NOT RUN: no CloudEvents conformance vectors at {VECTORS.parent.name}/{VECTORS.name}"
)


def tables(text: str) -> list[dict[str, str]]:
    """Read every two-column table of a scenario."""
    found: list[dict[str, str]] = []
    for block in re.findall(r"(?:^[ \t]*\|.*\|[ \t]*\n?)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in block.strip().splitlines()]
        if rows[0] == ["key", "value"]:
            found.append(dict(map(tuple, rows[1:])))
    return found


def kafka() -> list[Any]:
    """List (name, content-type, headers, payload, attributes, data) of the Kafka binding's scenarios."""
    if not VECTORS.is_dir():
        return []
    cases = []
    for scenario in (VECTORS / "kafka-protocol-binding.feature").read_text().split("Scenario")[1:]:
        payload, data = re.findall(r'"""\n(.*?)"""', scenario, re.DOTALL)
        headers, attributes = tables(scenario)
        types = re.findall(r"^\s*\| (application/\S.*?)\s*\|$", scenario, re.MULTILINE) or [headers["content-type"]]
        cases += [
            pytest.param(headers | {"content-type": one}, payload, attributes, data, id=f"{scenario.split()[1]} {one}")
            for one in types
        ]
    return cases


@pytest.mark.parametrize(("headers", "payload", "attributes", "data"), kafka())
def test_the_kafka_binding(headers: dict[str, str], payload: str, attributes: dict[str, str], data: str) -> None:
    pairs = tuple((name, value.encode()) for name, value in headers.items())
    envelope = read(Raw("t", 0, None, payload.strip().encode(), pairs, None))
    said = {name: getattr(envelope, name) for name in ("id", "type", "source", "time")}
    assert said == {name: attributes[name] for name in said}
    assert envelope.data() == orjson.loads(data)


def minimal() -> list[Any]:
    """List (attributes, data) of the smallest version 1 events."""
    if not VECTORS.is_dir():
        return []
    cases = []
    for document in (VECTORS / "v1_minimum.yaml").read_text().split("---\n"):
        attributes = dict(re.findall(r"^  (\w+): (.+)$", document, re.MULTILINE))
        data = document.partition("Data: |\n")[2].strip()
        cases.append(pytest.param(attributes, data, id=attributes["id"]))
    return cases


@pytest.mark.parametrize(("attributes", "data"), minimal())
def test_the_smallest_events_are_of_other_families_and_skipped_in_every_mode(
    attributes: dict[str, str], data: str
) -> None:
    headers = tuple((f"ce_{name}", value.encode()) for name, value in attributes.items() if name != "datacontenttype")
    headers += (("content-type", attributes["datacontenttype"].encode()),)
    assert code(Raw("t", 0, None, data.encode(), headers, None)) == "foreign"
    structured = orjson.dumps(attributes | {"data": data})
    assert code(structured, content_type="application/cloudevents+json") == "foreign"


def test_version_0_3_is_refused() -> None:
    attributes = dict(re.findall(r"^  (\w+): (\S+)$", (VECTORS / "v03.yaml").read_text(), re.MULTILINE))
    assert attributes["specversion"] == "0.3"
    with pytest.raises(Unreadable, match="specversion"):
        read(Raw("t", 0, None, orjson.dumps(attributes), (), None))
