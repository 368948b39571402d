"""A season for one run: the world's stories and, between them, what producers do wrong, in the order of acks."""

import json
from random import Random
from typing import Any, Final, NamedTuple

from tests.chaos.topics import PARTITIONS, Sent
from tests.chaos.world import CARRIER, PLOTS, SHED, SHOP, TOPICS, Story, micro, written

PACE: Final = 0.25
"""Hours between the beginnings of two stories, at most."""
SPAN: Final = 400
"""Hours in which all stories begin: ids and raw bytes are kept for longer than that."""
STORY: Final = 6
"""Messages a story has on average, or a little less."""
BEAT: Final = 12.0
RUBBISH: Final[tuple[tuple[str, bytes | None], ...]] = (
    ("not_json", b'{"specversion": "1.0", "id":'),
    ("not_json", b"\xff\xfe rubbish \x00"),
    ("tombstone", None),
    ("not_an_event", b"[1, 2, 3]"),
    ("not_an_event", b'{"specversion": "0.3", "id": "1", "source": "/x", "type": "order.placed.v1"}'),
)


class Season(NamedTuple):
    """What the broker will hear, in order, and when the world ends."""

    sent: tuple[Sent, ...]
    end: int


def season(seed: int, least: int) -> Season:
    """Tell a season of at least so many messages; the same seed tells the same."""
    dice = Random(seed)
    told: list[Sent] = []
    number, pace = 0, min(PACE, SPAN * STORY / least)
    while len(told) < least:
        story = Story(dice, number, number * pace + dice.random())
        PLOTS[number % len(PLOTS) if number < len(PLOTS) else dice.randrange(len(PLOTS))](story)
        told.extend(_disturbed(dice, story))
        number += 1
    last = number * pace + 110
    told.extend(_heartbeats(last))
    return Season(tuple(sorted(told, key=lambda one: one.heard)), micro(last))


def _disturbed(dice: Random, story: Story) -> list[Sent]:
    """Repeat some messages, contradict some, and put rubbish and strangers between them."""
    told = list(story.sent)
    for one in story.sent:
        chance = dice.random()
        later = one.heard + round(dice.expovariate(1 / 4) * 3_600_000_000)
        aside = int(dice.random() < 0.25)
        if chance < 0.08:
            told.append(one._replace(heard=later, shift=aside))
        elif chance < 0.10:
            told.append(one._replace(heard=later, shift=aside, value=_reworded(one)))
        elif chance < 0.12:
            told.append(one._replace(heard=later, shift=aside, value=_contradicted(one)))
        elif chance < 0.15:
            code, value = dice.choice(RUBBISH)
            told.append(one._replace(heard=later, value=value, sort=f"quarantine:{code}"))
        elif chance < 0.17:
            told.append(
                one._replace(heard=later, value=_broken(one, f"{story.name}.x{len(told)}"), sort="quarantine:bad_data")
            )
        elif chance < 0.18:
            told.append(one._replace(heard=later, value=_strange(story, len(told)), sort="foreign"))
    return told


def _heartbeats(last: float) -> list[Sent]:
    told = []
    for source in (SHOP, SHED, CARRIER):
        hours = [*(beat * BEAT for beat in range(int(last / BEAT))), last]
        for beat in hours:
            event: dict[str, Any] = {
                "specversion": "1.0",
                "id": f"beat-{beat:g}",
                "source": source,
                "time": written(beat),
            }
            event |= {"type": "feed.heartbeat.v1", "data": {}}
            told.append(Sent(micro(beat), TOPICS[source], source, json.dumps(event).encode(), "event", -1))
    return told


def _event(one: Sent) -> dict[str, Any]:
    assert one.value is not None
    event: dict[str, Any] = json.loads(one.value)
    return event


def _reworded(one: Sent) -> bytes:
    """Say the same in other bytes: it is the same event still."""
    event = _event(one)
    return json.dumps(dict(sorted(event.items())), indent=1).encode()


def _contradicted(one: Sent) -> bytes:
    """Say something else under the same id."""
    event = _event(one)
    event["data"]["reason"] = "said otherwise"
    if "ship_by" in event["data"]:
        event["data"]["ship_by"] = event["time"]
    return json.dumps(event).encode()


def _broken(one: Sent, identity: str) -> bytes:
    """Leave out what no fact can do without."""
    event = _event(one)
    return json.dumps({**event, "id": identity, "data": {"quantity": -1}}).encode()


def _strange(story: Story, number: int) -> bytes:
    """Speak of something that is none of our business."""
    event = {"specversion": "1.0", "id": f"{story.name}.f{number}", "source": SHOP, "type": "invoice.sent.v1"}
    return json.dumps({**event, "time": written(story.dawn), "data": {"total": "1.00"}}).encode()


assert set(TOPICS.values()) <= set(PARTITIONS)
