"""One process is active, the others stand by: what a process does with a lease, whatever the store answers.

The clock of the leases goes on only where a test lets it, so that a lease is over when the test says so and not when
the machine is busy; what is waited for is seen to happen, however long it takes.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from deploy import leading
from deploy.leading import Turn, leased
from domain.history.lease import Held
from tests.contracts.ingesting import until

SPAN = 0.6


class Clock:
    """Stands in for the module ``time``; stands still."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class Book:
    """Leases of one store that can be away."""

    def __init__(self, clock: Clock) -> None:
        self.term = 0
        self.given: tuple[str, float] | None = None
        self.away = False
        self.refused = 0
        """Claims of those who stand by."""
        self.unanswered = 0
        self._clock = clock

    def claim(self, name: str, holder: str, span: int) -> int | None:  # noqa: ARG002  # one lease
        self._answer()
        if self.given is not None and self.given[0] != holder and self._clock.now < self.given[1]:
            self.refused += 1
            return None
        self.term += self.given is None or self.given[0] != holder
        self.given = (holder, self._clock.now + span / 1e6)
        return self.term

    def give_up(self, name: str, holder: str) -> None:  # noqa: ARG002  # as leases are asked
        self._answer()
        if self.given is not None and self.given[0] == holder:
            self.given = (holder, 0.0)

    def leases(self) -> list[Held]:
        self._answer()
        return [] if self.given is None else [Held("work", self.given[0], self.term, 0)]

    def over_at(self) -> float:
        """Say when the lease that was given last will be over."""
        assert self.given is not None
        return self.given[1]

    def is_renewed(self) -> bool:
        """Say whether the lease was renewed since the clock went on."""
        return self.over_at() >= self._clock.now + SPAN

    def _answer(self) -> None:
        if self.away:
            self.unanswered += 1
            raise OperationalError("away")


def idle(turn: Turn) -> None:
    """Work on nothing until the turn is over."""
    while not turn.wait(0.01):
        pass


class Process:
    """A worker on a thread, that keeps its turns and says whether it is in one."""

    def __init__(self, book: Book, work: Callable[[Turn], Any] = idle) -> None:
        self.turns: list[Turn] = []
        self.active: list[int] = []
        self.stop = threading.Event()
        self._work = work
        self._worker = leased("work", self._turn, book, lambda _role, active: self.active.append(active), span=SPAN)
        self.failed: Exception | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _turn(self, turn: Turn) -> None:
        self.turns.append(turn)
        self._work(turn)

    def _run(self) -> None:
        try:
            self._worker.run(self.stop)
        except ValueError as error:
            self.failed = error

    @property
    def terms(self) -> list[int]:
        return [one.term for one in self.turns]

    def works(self) -> bool:
        return self.active[-1:] == [1]

    def has_ended(self) -> bool:
        return not self.thread.is_alive()

    def end(self) -> None:
        self.stop.set()
        until(self.has_ended)


@pytest.fixture
def clock(monkeypatch):
    standing = Clock()
    monkeypatch.setattr(leading, "time", standing)
    return standing


@pytest.fixture
def book(clock):
    return Book(clock)


def test_one_works_and_the_next_goes_on_at_once_when_it_ends(book, clock):
    one = Process(book)
    until(one.works)
    other = Process(book)
    for _ in range(8):  # two spans: a lease that nobody renews would be over by then
        clock.now += SPAN / 4
        refused = book.refused
        until(book.is_renewed)
        until(lambda before=refused: book.refused > before)
    assert (one.works(), other.works()) == (True, False)
    one.end()
    until(other.works)  # although by the clock, which stands, the lease is not over
    other.end()
    assert (one.terms, other.terms) == ([1], [2])
    assert (one.active, other.active) == ([0, 1, 0], [0, 1, 0])


def test_whoever_cannot_renew_stops_before_another_may_begin(book, clock):
    one = Process(book)
    until(one.works)
    book.away = True
    until(lambda: book.unanswered > 0)
    clock.now = book.over_at()
    until(lambda: not one.works())
    book.away = False
    until(one.works)
    one.end()
    assert one.terms == [1, 1]


def test_a_store_that_is_away_for_less_than_the_span_ends_no_turn(book, clock):
    one = Process(book)
    until(one.works)
    for _ in range(2):
        unanswered = book.unanswered
        book.away = True
        clock.now += SPAN / 2
        until(lambda before=unanswered: book.unanswered > before)
        book.away = False
        clock.now += SPAN / 4
        until(book.is_renewed)
    assert one.active == [0, 1]
    one.end()


def test_what_is_over_stays_over_although_the_store_answers_late(clock):
    turn = Turn(1, clock.now - 0.001)
    assert turn.is_set()
    turn.extend(clock.now + 60)
    assert turn.is_over()


def test_whoever_was_displaced_stops_and_stands_by(book, clock):
    one = Process(book)
    until(one.works)
    book.given, book.term = ("another", clock.now + 2 * SPAN), 7
    until(lambda: not one.works())
    clock.now = book.over_at()
    until(one.works)
    one.end()
    assert one.terms == [1, 8]


def test_a_process_that_was_stopped_finds_its_turn_over_before_anybody_tells_it(clock):
    turn = Turn(1, clock.now + 0.05)
    assert not turn.is_set()
    assert not turn.wait(0.001)
    clock.now += 0.05
    assert turn.is_set()
    assert turn.wait(0)


def test_work_that_never_looks_up_again_loses_its_turn_to_another_process(book, clock, monkeypatch):
    monkeypatch.setattr(leading, "STUCK_AFTER", SPAN)
    deadlock = threading.Event()
    stuck = Process(book, lambda _turn: deadlock.wait())
    until(stuck.works)
    until(lambda: stuck.turns)
    clock.now += SPAN * 3 / 4
    until(book.is_renewed)
    other = Process(book)
    clock.now += SPAN / 2  # it has not looked for longer than it may, and its lease is not over
    until(stuck.turns[0].is_over)
    clock.now = book.over_at()
    until(other.works)
    assert other.terms == [2]
    other.end()
    deadlock.set()
    stuck.end()


def test_work_that_is_done_is_not_begun_again(book):
    done = Process(book, lambda _turn: None)
    until(done.has_ended)
    assert (done.terms, done.active) == ([1], [0, 1, 0])


def test_a_failure_ends_the_worker_and_lets_the_next_begin_at_once(book):
    def fail(_turn):
        raise ValueError("a view is broken")

    failing = Process(book, fail)
    until(failing.has_ended)
    assert str(failing.failed) == "a view is broken"
    other = Process(book)
    until(other.works)  # although by the clock, which stands, the lease is not over
    other.end()


def test_those_who_wait_for_a_store_that_is_away_end_when_told(book):
    book.away = True
    waiting = Process(book)
    until(lambda: book.unanswered > 0)
    waiting.end()
    assert waiting.terms == []
