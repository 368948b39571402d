"""Tokens: positions and cursors as others hold them. Opaque, and refused when they are not ours."""

import base64
import binascii
import re
from typing import Final, NamedTuple

import orjson

from api.bounds import CURSOR, TOKEN
from api.problems import Problem
from projections.view import Checkpoint

FIRST: Final = "first"
"""Stands for the position before the first event."""
SHARD: Final = r"[a-z][a-z0-9-]{0,15}"
"""What a shard may be called."""
SHARDS: Final = 64
"""Most logs behind one feed: a token with a mark of each must fit into a header."""
LONGEST_OF_MANY: Final = 6144
_MARK: Final = re.compile(r"1\.([0-9a-f]{1,64})\.(\d{1,9})\.(\d{1,18})")
_MARK_OF_MANY: Final = re.compile(rf"({SHARD}):([0-9a-f]{{0,64}})\.(0|[1-9]\d{{0,8}})\.(0|[1-9]\d{{0,17}})")


class Token(NamedTuple):
    """A position of one log's life."""

    epoch: str
    revision: int
    position: int

    @classmethod
    def at(cls, checkpoint: Checkpoint, position: int | None = None) -> "Token":
        """Name a position of the log that a view follows; without one, where the view stands."""
        return cls(checkpoint.epoch, checkpoint.revision, checkpoint.position if position is None else position)

    def __str__(self) -> str:
        """Give the form in which it leaves."""
        return _pack(f"1.{self.epoch}.{self.revision}.{self.position}".encode())

    @classmethod
    def read(cls, text: str) -> "Token":
        """Read what was given out before.

        Raises:
            Problem: it was not.
        """
        match = _MARK.fullmatch(_unpack(text).decode("ascii", "replace"))
        if match is None:
            raise Problem("invalid_token")
        return cls(match[1], int(match[2]), int(match[3]))


class Mark(NamedTuple):
    """A position in the log of one shard; without an epoch, wherever that log stands when it is first reached."""

    shard: str
    epoch: str = ""
    revision: int = 0
    position: int = 0

    def is_of(self, other: "Mark") -> bool:
        """Say whether both are of one life of one log, so that their positions can be compared."""
        return self[:3] == other[:3]

    @classmethod
    def standing(cls, shard: str, checkpoint: Checkpoint) -> "Mark":
        """Mark where a view stands."""
        return cls(shard, checkpoint.epoch, checkpoint.revision, checkpoint.position)


class Places(NamedTuple):
    """A position in each of several logs. A log without a mark is to be read from its first event."""

    marks: tuple[Mark, ...] = ()
    """Sorted by shard, one each; also of shards that are not served here, so that they can be gone on with later."""

    def of(self, shard: str) -> Mark | None:
        """Give the mark of one shard."""
        for mark in self.marks:
            if mark.shard == shard:
                return mark
        return None

    def at(self, *marks: Mark) -> "Places":
        """Give the same with these marks moved."""
        return Places(tuple(sorted({one.shard: one for one in (*self.marks, *marks)}.values())))

    def __str__(self) -> str:
        """Give the form in which it leaves."""
        marks = [f"{shard}:{epoch}.{revision}.{position}" for shard, epoch, revision, position in self.marks]
        return _pack(f"2.{','.join(marks)}".encode())

    @classmethod
    def read(cls, text: str) -> "Places":
        """Read what was given out before.

        Raises:
            Problem: it was not.
        """
        kind, _, listed = _unpack(text, LONGEST_OF_MANY).decode("ascii", "replace").partition(".")
        found = [_MARK_OF_MANY.fullmatch(one) for one in listed.split(",")] if listed else []
        marks = tuple(Mark(one[1], one[2], int(one[3]), int(one[4])) for one in found if one is not None)
        names = [one.shard for one in marks]
        if kind != "2" or len(marks) != len(found) or names != sorted(set(names)):
            raise Problem("invalid_token")
        return cls(marks)


def cursor(values: list[str | int]) -> str:
    """Write where a list goes on."""
    return _pack(orjson.dumps(values))


def read_cursor(text: str, shape: tuple[type, ...]) -> list[str | int]:
    """Read it again.

    Raises:
        Problem: it is no cursor of this list.
    """
    try:
        values = orjson.loads(_unpack(text, CURSOR))
    except orjson.JSONDecodeError as error:
        raise Problem("invalid_token") from error
    if not isinstance(values, list) or tuple(map(type, values)) != shape:
        raise Problem("invalid_token")
    return values


def _pack(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _unpack(text: str, longest: int = TOKEN) -> bytes:
    if not 0 < len(text) <= longest:
        raise Problem("invalid_token")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem("invalid_token") from error
