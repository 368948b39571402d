"""How a store runs a statement; what is one text of SQL for both stores builds on it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any


class Statements(ABC):
    """The part of a recorder that knows its database."""

    @abstractmethod
    def _all(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """Give every row of a statement."""

    @abstractmethod
    def _among(self, statement: str, values: Sequence[Any], *more: Any) -> list[Any]:
        """Run a statement in which ``{among}`` compares with a list of values, ahead of any others.

        Or in which ``{listed}`` stands for a query of one column that gives them.
        """

    @abstractmethod
    def _has_appended(self) -> bool:
        """Say whether this thread has appended in an open transaction: what it reads then may yet be undone."""

    @abstractmethod
    def _change(self, statement: str, values: Sequence[Any]) -> int:
        """Commit one statement; returns how many rows it changed."""
