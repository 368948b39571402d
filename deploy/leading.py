"""Leading: of several processes with the same role one is active, the others stand by and take over.

The lease is a row of the log's store, renewed while its holder works; a holder that died, hangs or has lost its
connection renews nothing, and whoever asks first once the row is over goes on. Two that are active at once for a moment
do no harm, because neither relies on the lease for what is right: the follower moves checkpoints by compare-and-swap
and reads under the views' write lock what is parked; the ticker looks, under the log's lock, at what is due by then.
The lease only keeps them from doing the same work twice.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from secrets import token_hex
from typing import Final

import structlog
from eventsourcing.persistence import OperationalError

from deploy.workers import STUCK_AFTER, Worker
from domain.history.lease import Leases
from domain.instant import SECOND
from projections.outage import Outage

SPAN: Final = 8.0
"""Seconds for which a lease is given."""
RENEWALS: Final = 4
"""How often a lease is renewed in its span: some renewals may fail before it is over."""
LOOKS: Final = 10
"""How often in a span those who stand by look; a span and a look is how long taking over takes at most."""
_PATIENCE: Final = 2.0
"""Seconds to wait for a renewal that is under way, when the turn is over."""

Tell = Callable[[str, int], None]
"""Takes a role, and 1 where this process is now the active one, else 0."""

_log = structlog.get_logger()


class Occupied(Exception):
    """Another process is at it."""


class Turn(threading.Event):
    """Set when a time of being the active one is over, and then at once: also where this process was stopped for long.

    A process that goes on after a stop finds its turn over before anybody could tell it: it is sure of its lease only
    as long as its own clock says that nobody else can have been given it.
    """

    def __init__(self, term: int, sure_until: float) -> None:
        """Begin; ``term`` is greater than that of every turn of another process before."""
        super().__init__()
        self.term = term
        self.looked = time.monotonic()
        """When the work last looked whether it is over, for whoever watches it."""
        self._sure_until = sure_until

    def extend(self, sure_until: float) -> None:
        """Go on until then, by this process's monotonic clock; what is over stays over."""
        self._sure_until = sure_until

    def is_over(self) -> bool:
        """Say whether it is over, to others than the work itself."""
        if time.monotonic() >= self._sure_until:
            # The work may have seen it, and is ending: an answer that comes late changes nothing any more.
            self.set()
        return super().is_set()

    def is_set(self) -> bool:
        """Say whether it is over."""
        self.looked = time.monotonic()
        return self.is_over()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most so many seconds; says whether it is over."""
        super().wait(timeout)
        return self.is_set()


def leased(
    name: str,
    run: Callable[[Turn], object],
    leases: Leases,
    tell: Tell = lambda _role, _active: None,
    *,
    span: float = SPAN,
) -> Worker:
    """Make a worker that runs in one process at a time of all that share the store, and stands by in the others.

    ``run`` is called for each turn and must return soon once that is over; what it keeps of the store must not be older
    than its turn. When it returns earlier, the worker is done.
    """
    return Worker(name, _Post(name, run, leases, tell, span).hold)


@contextmanager
def alone(name: str, leases: Leases, *, span: float = SPAN) -> Iterator[None]:
    """Do a piece of work while nobody else does it; waits no longer than it takes to know that another one lives.

    Whoever may meet here must be given the same span, in seconds.

    Raises:
        Occupied: another process is at it.
    """
    me, done = holder(), threading.Event()
    until = time.monotonic() + span * (1 + 1 / LOOKS)
    while leases.claim(name, me, round(span * SECOND)) is None:
        if time.monotonic() > until:
            at_it = next((one.holder for one in leases.leases() if one.name == name), "another process")
            raise Occupied(f"{name}: {at_it} is at it")
        done.wait(span / LOOKS)

    def renew() -> None:
        while not done.wait(span / RENEWALS):
            with suppress(OperationalError):  # the next one may come through
                leases.claim(name, me, round(span * SECOND))

    renewing = threading.Thread(target=renew, daemon=True)
    renewing.start()
    try:
        yield
    finally:
        done.set()
        renewing.join()
        with suppress(OperationalError):  # it is over by itself, a little later
            leases.give_up(name, me)


def holder() -> str:
    """Name this process as nobody else is named, now or later."""
    return f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"


class _Post:
    """One role of one process."""

    def __init__(self, name: str, run: Callable[[Turn], object], leases: Leases, tell: Tell, span: float) -> None:
        self._name = name
        self._run = run
        self._leases = leases
        self._tell = tell
        self._span = span
        self._holder = holder()
        self._asking = threading.Lock()
        self._outage = Outage()

    def hold(self, stop: threading.Event) -> None:
        """Stand by and take turns until told to stop, or until the work is done."""
        self._tell(self._name, 0)
        done = False
        while not done and (turn := self._stand_by(stop)) is not None:
            done = self._take(turn, stop)

    def _stand_by(self, stop: threading.Event) -> Turn | None:
        told = ""
        while not stop.is_set():
            asked, active = time.monotonic(), "unknown: the store does not answer"
            with suppress(OperationalError):
                term = self._claim()
                if term is not None:
                    return Turn(term, asked + self._span)
                active = next((one.holder for one in self._leases.leases() if one.name == self._name), "")
            if active != told:
                told = active
                _log.info("standing by", role=self._name, active=active)
            stop.wait(self._span / LOOKS)
        return None

    def _take(self, turn: Turn, stop: threading.Event) -> bool:
        """Work until the turn is over; says whether nothing is left to do."""
        _log.info("active", role=self._name, holder=self._holder, term=turn.term)
        self._tell(self._name, 1)
        threading.Thread(target=self._keep, args=(turn, stop), name=f"{self._name} lease", daemon=True).start()
        try:
            self._run(turn)
            return not turn.is_over()
        finally:
            self._tell(self._name, 0)
            turn.set()
            self._give_up()
            _log.info("no longer active", role=self._name, term=turn.term)

    def _keep(self, turn: Turn, stop: threading.Event) -> None:
        """Renew the lease as long as the turn goes on."""
        while not stop.wait(self._span / RENEWALS) and self._renew(turn):
            pass
        turn.set()

    def _renew(self, turn: Turn) -> bool:
        """Ask for more time; says whether the turn goes on, which it does where the store gives no answer yet."""
        with self._asking:
            if turn.is_over():
                return False
            if time.monotonic() - turn.looked > STUCK_AFTER:
                _log.error("stuck: another process may go on, this one must be ended", role=self._name, term=turn.term)
                return False
            asked = time.monotonic()
            try:
                if self._claim() != turn.term:
                    return False
            except OperationalError as error:
                self._outage.begin()
                _log.warning("lease not renewed", role=self._name, term=turn.term, error=str(error))
            else:
                turn.extend(asked + self._span)
                if (seconds := self._outage.end()) is not None:
                    _log.info("lease renewed again", role=self._name, term=turn.term, seconds=seconds)
            return True

    def _claim(self) -> int | None:
        return self._leases.claim(self._name, self._holder, int(self._span * SECOND))

    def _give_up(self) -> None:
        """End the lease after the turn, so that nobody renews what was given up; else it ends by itself."""
        if self._asking.acquire(timeout=_PATIENCE):
            try:
                with suppress(OperationalError):
                    self._leases.give_up(self._name, self._holder)
            finally:
                self._asking.release()
