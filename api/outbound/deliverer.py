"""The deliverer: tells topics what is new, and moves a mark only once all of it is acknowledged.

At least once, in the order of the log for each key: a page leaves whole, and the next one only after it. Two that
deliver at once for a moment lose nothing: who finds that a mark was moved by another has perhaps told old things late,
so it moves the mark back to before them, and what came after them is told again after them.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Final, Protocol

from eventsourcing.persistence import OperationalError

from api.outbound.outlet import Outlet, Page
from api.outbound.records import Record
from domain.errors import Explained
from domain.history.delivered import Mark, Marks
from projections.pauses import growing
from projections.views import AWAY

IDLE: Final = 0.2
"""Seconds between two looks at what has nothing new."""
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 5.0


class NotDelivered(Explained):
    """The broker did not acknowledge all of it: everything from the mark on is to be sent again, over a new client."""


class Interrupted(Exception):
    """It was told to stop before everything was acknowledged."""


class Sender(Protocol):
    """A connection over which records leave."""

    def target(self, topics: Sequence[str]) -> str:
        """Name what a mark is of: another name for topics that were made anew."""

    def send(self, records: Sequence[Record], stop: threading.Event) -> None:
        """Return once all are acknowledged, each key's in order; raises ``NotDelivered`` or ``Interrupted``."""

    def close(self) -> None:
        """Send nothing more."""


class Watch(Protocol):
    """Who is told how it goes."""

    def delivered(self, outlet: str, records: int, behind: int) -> None:
        """Take what was acknowledged just now, and what is left to look at."""

    def waits(self, why: str) -> None:
        """Take that nothing leaves at the moment."""


class Deliverer:
    """Delivers what some outlets have; nothing is kept but the marks."""

    def __init__(
        self,
        outlets: Callable[[], Sequence[Outlet]],
        marks: Marks,
        connect: Callable[[], Sender],
        watch: Watch,
        *,
        idle: float = IDLE,
    ) -> None:
        """Connect to nothing yet."""
        self._outlets = outlets
        self._marks = marks
        self._connect = connect
        self._watch = watch
        self._idle = idle
        self._failed: list[str] = []

    def run(self, stop: threading.Event) -> None:
        """Deliver until told to stop; waits while broker, log or views are away.

        Raises:
            Explained: a topic is missing or not fit, and only the operator can mend it.
        """
        pauses = growing(FIRST_PAUSE, LONGEST_PAUSE)
        while not stop.is_set():
            began = time.monotonic()
            try:
                with closing(self._connect()) as sender:
                    self._deliver(sender, stop)
            except Interrupted:
                return
            except (NotDelivered, OperationalError, *AWAY) as error:
                self._watch.waits(str(error))
                if time.monotonic() - began > LONGEST_PAUSE:
                    pauses = growing(FIRST_PAUSE, LONGEST_PAUSE)
                stop.wait(next(pauses))

    def _deliver(self, sender: Sender, stop: threading.Event) -> None:
        hands = {one.name: _Hand(one, sender, self._marks, self._watch) for one in self._outlets()}
        while not stop.is_set():
            # Each in turn, so that none waits for what another has much of; what failed, when the others have nothing.
            moved = [self._pass_on(hand, name, stop) for name, hand in hands.items() if name not in self._failed]
            if not any(moved):
                moved = [self._pass_on(hands[name], name, stop, alone=True) for name in [*self._failed]]
            if not any(moved):
                stop.wait(self._idle)

    def _pass_on(self, hand: "_Hand", name: str, stop: threading.Event, *, alone: bool = False) -> bool:
        others = [one for one in self._failed if one != name]
        try:
            moved = hand.pass_on(stop, alone=alone)
        except NotDelivered:
            self._failed = [*others, name]
            raise
        self._failed = others
        return moved


class _Hand:
    """One outlet over one connection."""

    def __init__(self, outlet: Outlet, sender: Sender, marks: Marks, watch: Watch) -> None:
        self._outlet = outlet
        self._sender = sender
        self._marks = marks
        self._watch = watch
        self._target = sender.target(outlet.topics)
        self._mark = marks.delivered(self._target)

    def pass_on(self, stop: threading.Event, *, alone: bool) -> bool:
        """Pass one page on, or only its first record; says whether there was one."""
        page = self._outlet.read(self._mark)
        if page is None or stop.is_set():
            return False
        page = page.first if alone else page
        stood = self._mark or Mark(page.mark.epoch)
        # A page of which nothing leaves moves the mark all the same, or it would be read again for ever.
        if not page.records and (page.mark.epoch, page.mark.position) == (stood.epoch, stood.position):
            self._watch.delivered(self._outlet.name, 0, page.behind)
            return False
        try:
            self._sender.send(page.records, stop)
        except (NotDelivered, Interrupted):
            self._tell_again(page)
            raise
        self._settle(page)
        return True

    def _settle(self, page: Page) -> None:
        if self._marks.move(self._target, self._mark, page.mark):
            self._mark = page.mark
            self._watch.delivered(self._outlet.name, len(page.records), page.behind)
        else:
            self._tell_again(page)
            self._mark = self._marks.delivered(self._target)

    def _tell_again(self, page: Page) -> None:
        """Let whoever has told more than this tell it again: some of this page may have come after it."""
        self._marks.move_back(self._target, self._mark or Mark(page.mark.epoch))
