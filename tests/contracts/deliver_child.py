"""`tracker deliver` for tests: in pages of so many changes, with a short lease, and a word for each page that left."""

from __future__ import annotations

import os
import signal
import sys
import time
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from api.outbound import outlet
from api.outbound.kafka_topic import KafkaTopics
from deploy import delivering, leading
from deploy.settings import Settings

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from api.outbound.records import Record

SPAN = 2.0
"""Seconds for which this process is sure of its turn, so that the next one need not wait long after a kill."""


def main(limit: int, stops_before: int) -> int:
    """Run until SIGTERM; stops itself before a page that is about to leave, unless that is page 0."""
    outlet.LIMIT = limit  # type: ignore[misc]  # what takes a day in one page is to be cut in the middle
    # A process that is stopped with the store's lock in hand stops everybody: nothing is renewed when it stops itself.
    leading.RENEWALS = 1  # type: ignore[misc]  # in this process alone
    delivering.leased = partial(leading.leased, span=SPAN)  # type: ignore[attr-defined]  # in this process alone
    send, pages = KafkaTopics.send, count(1)

    def told(topics: KafkaTopics, records: Sequence[Record], stop: threading.Event) -> None:
        if next(pages) == stops_before:
            say("stopped")
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(0.2)  # the other threads stop at once, this one soon: not in a send
        send(topics, records, stop)
        say("page")

    KafkaTopics.send = told  # type: ignore[method-assign]  # in this process alone
    return delivering.deliver(Settings())


def say(word: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
