"""Up to when a partition is known to be read: it moves on, and back only where nobody can have read that far."""

from domain.history.log import Advance, Beside, LogRecorder
from domain.instant import FOREVER, Instant
from tests.store.rows import PARTITION, advance, position


def test_hearing_moves_only_where_nobody_has_gone_on_and_never_back(store: LogRecorder) -> None:
    store.insert_events([], beside=advance(None, 10))
    stands = store.positions()[PARTITION]
    store.hear([stands._replace(taken_up_to=50)])
    store.hear([stands._replace(taken_up_to=40)])
    assert store.positions()[PARTITION].taken_up_to == 50
    store.hear([stands._replace(next=9, taken_up_to=60)])
    assert store.positions()[PARTITION].taken_up_to == 50


def test_what_is_known_further_than_is_believed_gives_way_to_the_next_word(store: LogRecorder) -> None:
    store.insert_events([], beside=advance(None, 10))
    stands = store.positions()[PARTITION]

    def said(up_to: Instant, believed: Instant) -> Instant | None:
        store.hear([stands._replace(taken_up_to=up_to)], believed)
        return store.positions()[PARTITION].taken_up_to

    assert said(50, 60) == 50
    assert said(40, 50) == 50
    assert said(40, 49) == 40
    # A partition that was retired stays so.
    assert said(FOREVER, FOREVER) == FOREVER
    assert said(40, 49) == FOREVER


def test_a_batch_that_knows_less_of_what_was_read_does_not_undo_it(store: LogRecorder) -> None:
    store.insert_events([], beside=Beside(advance=[Advance(None, position(10, taken_up_to=50))]))
    store.insert_events([], beside=Beside(advance=[Advance(10, position(20, 2, taken_up_to=40))]))
    assert store.positions()[PARTITION].taken_up_to == 50
    store.insert_events([], beside=Beside(advance=[Advance(20, position(30, 3, taken_up_to=60))]))
    assert store.positions()[PARTITION].taken_up_to == 60
