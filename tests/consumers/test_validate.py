"""Validation says beforehand what intake will do."""

from collections import Counter

import pytest

from consumers.backtest import run
from consumers.translate import Translator
from consumers.validate import Validator, validate
from domain.judging.adoption import adopt
from domain.tracker import Tracker
from tests.consumers.said import line, message
from tests.story import LATER, heartbeat, held, memory_log, placed, requested, scanned, written

MIXED = [
    *map(written, (placed(0), requested(0, ship_by=10), placed(0), scanned(12))),
    written(placed(0, customer_id="another")),
    b"",
    b"{",
    message("weather.changed"),
    message("parcel.eaten.v1"),
    line(quantity=0),
    message(time="2099-01-01T00:00:00Z", id="2099"),
    *map(written, (heartbeat(1), heartbeat(1), held(3, key="x"), held(4, key="x"))),
    written(heartbeat(2, source="/s")).replace(b"feed.heartbeat@2", b"feed.heartbeat@1"),
]


def verdicts() -> list[dict[str, object]]:
    """Judge the mixed file."""
    return list(validate(MIXED, Validator(Translator({}), LATER)))


def test_it_says_of_each_message_what_intake_does_with_it() -> None:
    said = Counter(one["verdict"] for one in verdicts())
    with memory_log() as log:
        outcome = run(MIXED, Tracker(log, adopt(log, "", 0)), Translator({}), LATER, 3)
    assert said["refused"] == sum(outcome.quarantined.values())
    assert said["skipped"] == outcome.foreign
    assert (said["taken"], said["repeated"]) == (outcome.taken, outcome.repeated)


def test_it_says_why_under_the_code_of_quarantine() -> None:
    codes = Counter(one["code"] for one in verdicts() if one["verdict"] == "refused")
    assert codes == {"id_conflict": 2, "not_json": 1, "unknown_type": 1, "bad_data": 1, "future": 1}


def test_messages_are_numbered_from_one_blank_lines_apart() -> None:
    assert [one["message"] for one in verdicts()] == list(range(1, len(MIXED)))


def test_totals_count_every_message_once() -> None:
    validator = Validator(Translator({}), LATER)
    count = len(list(validate(MIXED, validator)))
    assert sum(validator.totals.values()) == count


def test_what_is_odd_but_taken_is_said() -> None:
    [one] = validate([message(time="1970-01-01T00:00:00Z")], Validator(Translator({}), LATER))
    assert (one["verdict"], one["flags"]) == ("taken", ["time_long_ago"])


@pytest.mark.parametrize("value", [b"\xff\x1b[31m", '{"a":"\u202e"}'.encode()])
def test_the_reason_is_plain_text(value: bytes) -> None:
    [one] = validate([value], Validator(Translator({}), LATER))
    assert str(one["why"]).isprintable()
