"""Outlet of the quarantine: what could not be taken in, as it came."""

from collections.abc import Callable, Sequence
from typing import Final

from api.outbound import outlet
from api.outbound.outlet import Page
from api.outbound.records import Record, dead_letter
from domain.history.delivered import Mark
from domain.history.log import LogRecorder

LIMIT: Final = 20
"""Messages that are read at once; each may be as large as its topic allowed."""


class DeadLetters:
    """Every message that could not be taken in and was not since."""

    name = "dead_letters"

    def __init__(self, log: LogRecorder, epoch: str, topics: Sequence[str], name: Callable[[str], str]) -> None:
        """Read the quarantine; ``name`` gives the topic for what came from another."""
        self._log = log
        self._epoch = epoch
        self._name = name
        self.topics = tuple(map(name, topics))

    def read(self, mark: Mark | None) -> Page | None:
        """Read on in quarantine; what was retried with success is no dead letter, and what has expired is empty."""
        mark = mark if mark is not None and mark.epoch == self._epoch else Mark(self._epoch)
        found = self._log.quarantined(None, LIMIT, mark.position)
        records: list[Record] = []
        size, beyond_first = 0, mark
        for number, status, one in found:
            topic = self._name(one.raw.topic)
            # A topic that is no longer configured has no place for dead letters either; it keeps them in quarantine.
            if status in {"held", "dropped"} and topic in self.topics:
                record = dead_letter(topic, one)
                size += record.size
                if records and size > outlet.BYTES:
                    return Page(records, mark, 1, beyond_first)
                records.append(record)
            mark = mark._replace(position=number)
            if len(records) <= 1:
                beyond_first = mark
        return Page(records, mark, int(len(found) == LIMIT), beyond_first)
