"""Quarantine: what could not be taken in, shown without its contents unless asked, retried or dropped on record."""

from typing import Any, Final

from consumers.translate import Translator
from domain.errors import Refused, Unreadable
from domain.history.batch import Quarantined
from domain.instant import DAY, Instant, iso
from domain.tracker import Tracker

KEPT_FOR: Final = 30 * DAY
"""Raw bytes may hold personal data; they are emptied after this."""


class NotInQuarantine(Refused):
    """There is no such message, or it has been settled."""

    code = "not_in_quarantine"


class StillUnreadable(Refused):
    """Retrying changed nothing; the message stays."""

    code = "still_unreadable"


def listed(tracker: Tracker, status: str | None = "held") -> list[dict[str, Any]]:
    """List messages with where they came from and why they are here."""
    return [_shown(number, state, one) for number, state, one in tracker.log.store.quarantined(status)]


def shown(tracker: Tracker, number: int) -> dict[str, Any]:
    """Show one message with its raw contents.

    Raises:
        NotInQuarantine: there is none of this number.
    """
    state, one = _find(tracker, number)
    return {
        **_shown(number, state, one),
        "key": _text(one.raw.key),
        "value": _text(one.raw.value),
        "headers": {name: _text(value) for name, value in one.raw.headers},
    }


def retry(tracker: Tracker, translator: Translator, number: int, *, until: Instant, by: str, now: Instant) -> None:
    """Take a message in by today's rules.

    Raises:
        NotInQuarantine: there is none of this number, or it was settled.
        StillUnreadable: it still cannot be taken in.
    """
    state, one = _find(tracker, number)
    if state != "held":
        raise NotInQuarantine(f"message {number} is {state}")
    incoming = translator.incoming(one.offset, one.raw, now)
    try:
        tracker.settle(number, incoming, until, by=by, why="", at=now)
    except Unreadable as still:
        raise StillUnreadable(f"message {number} stays: {still}") from still


def drop(tracker: Tracker, number: int, *, by: str, why: str, now: Instant) -> None:
    """Give a message up, with a reason.

    Raises:
        NotInQuarantine: there is none of this number, or it was settled.
    """
    state, _ = _find(tracker, number)
    if state != "held":
        raise NotInQuarantine(f"message {number} is {state}")
    tracker.settle(number, None, now, by=by, why=why, at=now)


def _find(tracker: Tracker, number: int) -> tuple[str, Quarantined]:
    for found, state, one in tracker.log.store.quarantined(None, limit=1, after=number - 1):
        if found == number:
            return state, one
    raise NotInQuarantine(f"no message {number} in quarantine")


def _shown(number: int, state: str, one: Quarantined) -> dict[str, Any]:
    return {
        "id": number,
        "status": state,
        "topic": one.raw.topic,
        "partition": one.raw.partition,
        "offset": one.offset,
        "code": one.code,
        "detail": one.detail,
        "at": iso(one.at),
        "bytes": len(one.raw.value or b""),
    }


def _text(raw: bytes | None) -> str | None:
    """Write bytes so that no control character reaches a terminal."""
    return None if raw is None else raw.decode("utf-8", "backslashreplace").encode("unicode_escape").decode("ascii")
