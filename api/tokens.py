"""Tokens: positions and cursors as others hold them. Opaque, and refused when they are not ours."""

import base64
import binascii
import re
from typing import Final, NamedTuple

import orjson

from api.problems import Problem
from projections.view import Checkpoint

FIRST: Final = "first"
"""Stands for the position before the first event."""
_MARK: Final = re.compile(r"1\.([0-9a-f]{1,64})\.(\d{1,9})\.(\d{1,18})")
_LONGEST: Final = 512


class Token(NamedTuple):
    """A position of one log's life. With several logs there will be one mark each; the text has room for that."""

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


def cursor(values: list[str | int]) -> str:
    """Write where a list goes on."""
    return _pack(orjson.dumps(values))


def read_cursor(text: str, shape: tuple[type, ...]) -> list[str | int]:
    """Read it again.

    Raises:
        Problem: it is no cursor of this list.
    """
    try:
        values = orjson.loads(_unpack(text))
    except orjson.JSONDecodeError as error:
        raise Problem("invalid_token") from error
    if not isinstance(values, list) or tuple(map(type, values)) != shape:
        raise Problem("invalid_token")
    return values


def _pack(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _unpack(text: str) -> bytes:
    if not 0 < len(text) <= _LONGEST:
        raise Problem("invalid_token")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem("invalid_token") from error
