"""The bytes of every event version ever stored are read by today's code.

One file per topic, one stored body a line, oldest first. A line that was ever released is never changed nor
removed (that needs an ADR); an event that gets another member gets another line."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.events import Event, Fact
from domain.history.log import EVENTS, UnknownTopic, decode, encode

HERE = Path(__file__).parent
BY_TOPIC = {event.TOPIC: event for event in EVENTS}
SAID_BY_STAFF = {"order.assured.v1", "order.assurance_kept.v1", "price.answered.v1"}
"""Facts that no record brought."""


def bodies(topic: str) -> list[bytes]:
    """Read the stored bodies of a topic, oldest first."""
    return (HERE / f"{topic}.json").read_bytes().splitlines()


LINES = [
    pytest.param(topic, line, id=f"{topic}-{number}")
    for topic in BY_TOPIC
    if (HERE / f"{topic}.json").exists()
    for number, line in enumerate(bodies(topic), 1)
]


def test_every_topic_is_unique() -> None:
    assert len(BY_TOPIC) == len(EVENTS)


def test_every_event_is_in_the_closed_list() -> None:
    def below(kind: type[Event]) -> set[type[Event]]:
        return {kind, *(one for sub in kind.__subclasses__() for one in below(sub))}

    ours = {kind for kind in below(Event) if kind.__module__.startswith("domain.") and "TOPIC" in vars(kind)}
    unstored = {"feed.heartbeat.v1"}
    assert {kind.TOPIC for kind in ours} - unstored == set(BY_TOPIC)


@pytest.mark.parametrize("topic", BY_TOPIC)
def test_every_topic_has_a_golden_file_and_its_last_line_shows_every_member_of_today(topic: str) -> None:
    shown = set(msgspec.json.decode(bodies(topic)[-1]))
    missing = set(BY_TOPIC[topic].__struct_fields__) - shown
    assert not missing, f"add a line to tests/golden/{topic}.json that has {sorted(missing)} too"


def test_no_golden_file_is_without_its_event() -> None:
    assert {path.name.removesuffix(".json") for path in HERE.glob("*.json")} == set(BY_TOPIC)


@pytest.mark.parametrize(("topic", "line"), LINES)
def test_stored_bytes_become_today_s_event_and_lose_no_member(topic: str, line: bytes) -> None:
    event = decode(topic, line)
    assert type(event) is BY_TOPIC[topic]
    said = msgspec.json.decode(line)
    assert _without(said, msgspec.json.decode(encode(event))) == {}
    assert decode(topic, encode(event)) == event


def _without(said: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """List what was said and is not known; a member whose value is the default may be left out when written."""
    defaults: tuple[Any, ...] = (None, "", [], {}, False)
    return {name: value for name, value in said.items() if value not in defaults and known.get(name) != value}


@pytest.mark.parametrize(
    "topic", ["order.placed.v2", "order.placed", "os:system", "domain.orders.order:OrderPlaced", ""]
)
def test_any_other_name_is_never_decoded(topic: str) -> None:
    with pytest.raises(UnknownTopic, match="upgrade"):
        decode(topic, b"{}")


def test_an_event_of_a_newer_shape_keeps_what_is_known_of_it() -> None:
    [line, *_] = bodies("order.approved.v1")
    newer = line[:-1] + b',"approved_by":"somebody"}'
    assert decode("order.approved.v1", newer) == decode("order.approved.v1", line)


def test_an_event_of_an_older_shape_gets_defaults() -> None:
    for topic, kind in BY_TOPIC.items():
        required = {field.name for field in msgspec.structs.fields(kind) if field.required}
        whole = msgspec.json.decode(bodies(topic)[-1])
        event = decode(topic, msgspec.json.encode({name: whole[name] for name in required}))
        assert all(getattr(event, name) is not None for name in required)


def test_facts_keep_when_who_and_which_record() -> None:
    for topic, kind in BY_TOPIC.items():
        if issubclass(kind, Fact):
            fact = decode(topic, bodies(topic)[0])
            assert isinstance(fact, Fact)
            assert (fact.source, fact.via.count("/")) == (("/desk", 0) if topic in SAID_BY_STAFF else ("/shops/a", 2))
            assert fact.stamp.ref == f"{fact.source}#{fact.id}"
