"""A lease is one process's at a time, by the clock of the store, on every store."""

import threading
import time
from pathlib import Path

from deploy.wiring import leases
from domain.history.log import Log
from domain.instant import SECOND
from tests.stores.engine import beside
from tests.story import file_log

LONG, SHORT = 60 * SECOND, SECOND // 20


def test_who_asks_first_has_it_and_has_it_again(log: Log) -> None:
    store = leases(log)
    assert store.claim("ticker", "a", LONG) == 1
    assert store.claim("ticker", "b", LONG) is None
    assert store.claim("ticker", "a", LONG) == 1
    assert store.claim("follower", "b", LONG) == 1
    assert [(one.name, one.holder, one.term) for one in store.leases()] == [("follower", "b", 1), ("ticker", "a", 1)]
    assert all(LONG - 30 * SECOND < one.left <= LONG for one in store.leases())


def test_one_that_is_over_is_anybodys_and_its_term_grows_with_each_change_of_holder(log: Log) -> None:
    store = leases(log)
    assert store.claim("ticker", "a", SHORT) == 1
    time.sleep(2 * SHORT / SECOND)  # until it is over
    assert store.leases()[0].left <= 0
    assert store.claim("ticker", "a", SHORT) == 1
    time.sleep(2 * SHORT / SECOND)  # until it is over
    assert store.claim("ticker", "b", LONG) == 2
    assert store.claim("ticker", "a", LONG) is None


def test_one_that_is_given_up_waits_for_nobody_and_nobody_gives_up_anothers(log: Log) -> None:
    store = leases(log)
    store.claim("ticker", "a", LONG)
    store.give_up("ticker", "b")
    assert store.claim("ticker", "b", LONG) is None
    store.give_up("ticker", "a")
    assert store.claim("ticker", "b", LONG) == 2


def test_a_clock_that_was_put_back_keeps_nobody_waiting(log: Log, path: Path) -> None:
    store = leases(log)
    store.claim("ticker", "dead", LONG)
    with beside(path) as other:
        other.execute("UPDATE leases SET until = until + ?", (3600 * SECOND,))
    assert store.claim("ticker", "b", LONG) == 2


def test_of_many_that_ask_at_once_one_has_it(path: Path, log: Log) -> None:
    assert leases(log).leases() == []
    given: list[int | None] = []
    begin = threading.Barrier(6)

    def ask(holder: str) -> None:
        with file_log(path) as own:
            begin.wait(30)
            given.append(leases(own).claim("ticker", holder, LONG))

    askers = [threading.Thread(target=ask, args=(str(number),)) for number in range(6)]
    for one in askers:
        one.start()
    for one in askers:
        one.join(30)
    assert sorted(given, key=lambda term: term or 0) == [None] * 5 + [1]
