"""Marks as rows: how far each topic has been told, in one text of SQL for both stores."""

from typing import Final

from deploy.store.statements import Statements
from domain.history.delivered import Mark

_READ: Final = "SELECT epoch, position, revision, held FROM delivered WHERE target = ?"
_BEGIN: Final = (
    "INSERT INTO delivered (epoch, position, revision, held, target) VALUES (?,?,?,?,?) ON CONFLICT (target) DO NOTHING"
)
_MOVE: Final = (
    "UPDATE delivered SET epoch = ?, position = ?, revision = ?, held = ? "
    "WHERE target = ? AND epoch = ? AND position = ?"
)
_MOVE_BACK: Final = "UPDATE delivered SET position = ? WHERE target = ? AND epoch = ? AND position > ?"


class Marking(Statements):
    """The part of a recorder that keeps marks; see ``domain.history.delivered.Marks``."""

    def delivered(self, target: str) -> Mark | None:
        """Say how far a target has been told."""
        return next((Mark(*row) for row in self._all(_READ, (target,))), None)

    def move(self, target: str, before: Mark | None, after: Mark) -> bool:
        """Move a mark from where it stood."""
        if before is None:
            return self._change(_BEGIN, (*after, target)) == 1
        return self._change(_MOVE, (*after, target, before.epoch, before.position)) == 1

    def move_back(self, target: str, to: Mark) -> None:
        """Let everything after a position be told once more."""
        self._change(_MOVE_BACK, (to.position, target, to.epoch, to.position))
