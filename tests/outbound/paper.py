"""Topics on paper: what was written to them, in order, over connections that fail when a test says so."""

import json
import threading
from itertools import count

from api.outbound.dead_letters import DeadLetters
from api.outbound.deliverer import Deliverer, Interrupted, NotDelivered
from api.outbound.outlets import Changes, States
from tests.story import LATER

_MADE = count()


class Crash(BaseException):
    """The process ends here."""


class Topics:
    """What every subscriber reads, and how the next sends end."""

    def __init__(self):
        self.written = []
        self.ends = []
        """For each send to come, how many records are written and what is then raised; all and nothing at the end."""
        self.identity = f"topics-{next(_MADE)}"
        self.before_send = lambda: None

    def of(self, topic):
        return [one for one in self.written if one.topic == topic]

    def connect(self):
        return _Connection(self)

    def send(self, records, stop):
        self.before_send()
        if stop.is_set():
            raise Interrupted
        share, error = self.ends.pop(0) if self.ends else (1.0, None)
        self.written += records[: round(share * len(records))]
        if error is not None:
            raise error


class _Connection:
    def __init__(self, topics):
        self._topics = topics

    def target(self, topics):
        return f"{self._topics.identity}/{topics[0]}"

    def send(self, records, stop):
        self._topics.send(records, stop)

    def close(self):
        pass


class Watch:
    def __init__(self):
        self.waited = []

    def delivered(self, outlet, records, behind):
        pass

    def waits(self, why):
        self.waited.append(why)


class UntilIdle(threading.Event):
    """Is set at the first wait for something new, but not by a pause after a failure."""

    def __init__(self, idle):
        super().__init__()
        self._idle = idle

    def wait(self, timeout=None):
        if timeout == self._idle:
            self.set()
        return self.is_set()


class Delivery:
    """A deliverer over a stage and topics on paper."""

    IDLE = 0.123

    def __init__(self, told, topics, *, store=None):
        self.told, self.topics, self.watch = told, topics, Watch()
        self.store = store or told.store
        self.marks = told.log.recorder

    def outlets(self):
        log = self.told.log.store
        return [
            Changes(self.store, log.epoch(), "changes"),
            States(self.store, log, log.epoch(), "states", lambda: LATER),
            DeadLetters(log, log.epoch(), ["orders"], lambda topic: f"{topic}.dlq"),
        ]

    def deliverer(self):
        return Deliverer(self.outlets, self.marks, self.topics.connect, self.watch, idle=self.IDLE)

    def run(self):
        """Deliver until nothing is left."""
        self.deliverer().run(UntilIdle(self.IDLE))

    def run_and_crash(self):
        """Deliver until nothing is left or the process ends; says whether it did."""
        try:
            self.run()
        except Crash:
            return True
        return False


def attributes(record):
    """Give a record's CloudEvents attributes."""
    return {name.removeprefix("ce_"): value.decode() for name, value in record.headers if name.startswith("ce_")}


def identity(record):
    return attributes(record)["id"]


def data(record):
    return json.loads(record.value)


def once(records):
    """Give what a subscriber keeps who drops what it has seen under the same id."""
    found = {}
    for one in records:
        found.setdefault(identity(one), one)
    return [*found.values()]


def last(records):
    """Give the last record of each key, as a compacted topic keeps them."""
    return {one.key: one for one in records}


def failures():
    """Give how a send may end: it is tried again at once, or the process is gone."""
    return NotDelivered("the broker is away"), Crash()
