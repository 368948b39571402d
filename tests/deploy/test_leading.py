"""One process is active, the others stand by: what a process does with a lease, whatever the store answers."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from deploy import leading
from deploy.leading import Turn, leased
from domain.history.lease import Held
from tests.contracts.ingesting import until

SPAN = 0.6


class Book:
    """Leases of one store that can be away."""

    def __init__(self) -> None:
        self.term = 0
        self.given: tuple[str, float] | None = None
        self.away = False

    def claim(self, name: str, holder: str, span: int) -> int | None:  # noqa: ARG002  # one lease
        self._answer()
        if self.given is not None and self.given[0] != holder and time.monotonic() < self.given[1]:
            return None
        self.term += self.given is None or self.given[0] != holder
        self.given = (holder, time.monotonic() + span / 1e6)
        return self.term

    def give_up(self, name: str, holder: str) -> None:  # noqa: ARG002  # as leases are asked
        self._answer()
        if self.given is not None and self.given[0] == holder:
            self.given = (holder, 0.0)

    def leases(self) -> list[Held]:
        self._answer()
        return [] if self.given is None else [Held("work", self.given[0], self.term, 0)]

    def _answer(self) -> None:
        if self.away:
            raise OperationalError("away")


def idle(turn: Turn) -> None:
    """Work on nothing until the turn is over."""
    while not turn.wait(0.01):
        pass


class Process:
    """A worker on a thread, that says how many turns it had and whether it is in one."""

    def __init__(self, book: Book, work: Callable[[Turn], Any] | None = None) -> None:
        self.terms: list[int] = []
        self.active: list[int] = []
        self.stop = threading.Event()
        self._work = work or idle
        self._worker = leased("work", self._turn, book, lambda _role, active: self.active.append(active), span=SPAN)
        self.failed: Exception | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _turn(self, turn: Turn) -> None:
        self.terms.append(turn.term)
        self._work(turn)

    def _run(self) -> None:
        try:
            self._worker.run(self.stop)
        except ValueError as error:
            self.failed = error

    def works(self) -> bool:
        return self.active[-1:] == [1]

    def end(self) -> None:
        self.stop.set()
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture
def book():
    return Book()


def test_one_works_and_the_next_goes_on_at_once_when_it_ends(book):
    one = Process(book)
    until(one.works)
    other = Process(book)
    time.sleep(2 * SPAN)  # a lease would be over by then
    assert (one.works(), other.works()) == (True, False)
    one.end()
    begun = time.monotonic()
    until(other.works)
    assert time.monotonic() - begun < SPAN
    other.end()
    assert (one.terms, other.terms) == ([1], [2])
    assert (one.active, other.active) == ([0, 1, 0], [0, 1, 0])


def test_whoever_cannot_renew_stops_before_another_may_begin(book):
    one = Process(book)
    until(one.works)
    book.away = True
    until(lambda: not one.works(), 5)
    assert book.given is not None
    assert time.monotonic() <= book.given[1] + SPAN / 2
    book.away = False
    until(one.works)
    one.end()
    assert one.terms == [1, 1]


def test_a_store_that_is_away_for_less_than_the_span_ends_no_turn(book):
    one = Process(book)
    until(one.works)
    for _ in range(2):
        book.away = True
        time.sleep(SPAN / 2)  # away for less than a lease lasts
        book.away = False
        time.sleep(SPAN / 2)  # back for less than a lease lasts
    assert one.active == [0, 1]
    one.end()


def test_what_is_over_stays_over_although_the_store_answers_late():
    turn = Turn(1, time.monotonic() - 0.001)
    assert turn.is_set()
    turn.extend(time.monotonic() + 60)
    assert turn.is_over()


def test_whoever_was_displaced_stops_and_stands_by(book):
    one = Process(book)
    until(one.works)
    book.given, book.term = ("another", time.monotonic() + 2 * SPAN), 7
    until(lambda: not one.works())
    until(one.works)
    one.end()
    assert one.terms == [1, 8]


def test_a_process_that_was_stopped_finds_its_turn_over_before_anybody_tells_it():
    turn = Turn(1, time.monotonic() + 0.05)
    assert not turn.is_set()
    assert not turn.wait(0.001)
    time.sleep(0.06)  # until it is over
    assert turn.is_set()
    assert turn.wait(0)


def test_work_that_never_looks_up_again_loses_its_turn_to_another_process(book, monkeypatch):
    monkeypatch.setattr(leading, "STUCK_AFTER", SPAN)
    deadlock = threading.Event()
    stuck = Process(book, lambda _turn: deadlock.wait(30))
    until(stuck.works)
    other = Process(book)
    until(other.works, 10)
    assert other.terms == [2]
    other.end()
    deadlock.set()
    stuck.end()


def test_work_that_is_done_is_not_begun_again(book):
    done = Process(book, lambda _turn: None)
    done.thread.join(5)
    assert (done.terms, done.active) == ([1], [0, 1, 0])


def test_a_failure_ends_the_worker_and_lets_the_next_begin_at_once(book):
    def fail(_turn):
        raise ValueError("a view is broken")

    failing = Process(book, fail)
    failing.thread.join(5)
    assert str(failing.failed) == "a view is broken"
    begun = time.monotonic()
    other = Process(book)
    until(other.works)
    assert time.monotonic() - begun < SPAN
    other.end()


def test_those_who_wait_for_a_store_that_is_away_end_when_told(book):
    book.away = True
    waiting = Process(book)
    time.sleep(SPAN / 2)  # it waits by then
    waiting.end()
    assert waiting.terms == []
