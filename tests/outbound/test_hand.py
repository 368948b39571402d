"""One outlet over one connection: what it passes on, and that its mark never stands still before something to send."""

from api.outbound.deliverer import _Hand
from api.outbound.outlet import Page
from api.outbound.records import Record, dead_letter
from domain.history.batch import Quarantined, Raw
from domain.history.delivered import Mark
from tests.outbound.paper import Topics, UntilIdle, Watch

RECORD = Record("letters", b"k", b"v", ())


class Letters:
    """Twenty that need not leave, then one that must."""

    name, topics = "letters", ("letters",)

    def read(self, mark):
        at = (mark or Mark("e")).position
        if at < 20:
            return Page([], Mark("e", 20), 1, Mark("e", 20))
        return Page([RECORD] if at < 21 else [], Mark("e", 21), 0, Mark("e", 21))


class Marks:
    def __init__(self, mark=None):
        self.mark = mark

    def delivered(self, target):  # noqa: ARG002  # one target
        return self.mark

    def move(self, target, before, after):  # noqa: ARG002  # as marks are asked
        assert self.mark == before
        self.mark = after
        return True


def passed_on(marks):
    topics = Topics()
    hand = _Hand(Letters(), topics.connect(), marks, Watch())
    moved = [hand.pass_on(UntilIdle(0), alone=False) for _ in range(4)]
    return moved, topics.written


def test_what_must_leave_is_reached_behind_a_page_of_which_nothing_leaves():
    assert passed_on(Marks()) == ([True, True, False, False], [RECORD])


def test_a_mark_of_the_same_position_in_another_life_of_the_log_is_moved():
    marks = Marks(Mark("before", 21))
    assert _Hand(Letters(), Topics().connect(), marks, Watch()).pass_on(UntilIdle(0), alone=False)
    assert marks.mark == Mark("e", 21)


def test_what_was_null_of_a_message_stays_null_and_what_was_empty_stays_empty():
    raw = Raw("orders", 0, None, None, (), 0)
    for key, value in ((None, None), (None, b"v"), (b"", None), (b"", b"")):
        came = raw._replace(key=key, value=value)
        letter = dead_letter("orders.dlq", Quarantined("p", 7, "tombstone", "no value", came, 0))
        assert (letter.key, letter.value) == (key, value)
