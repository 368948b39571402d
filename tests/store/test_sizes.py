"""However many values a statement is asked for at once, it gives each of them once."""

from collections.abc import Iterator

import pytest
from eventsourcing.persistence import IntegrityError

from domain.history.log import Armed, Beside, Log, Recorded
from tests.stores.engine import memory_log
from tests.story import placed

SIZES = (0, 1, 2, 3, 255, 256, 257, 499, 500, 501, 513, 1001)


def streams(number: int) -> list[str]:
    """Name so many streams."""
    return [f"order-{one}" for one in range(number)]


@pytest.fixture(name="log", scope="module")
def a_log() -> Iterator[Log]:
    """Hold 1,100 streams of two events and as many keys."""
    with memory_log() as log:
        both = [Recorded(name, version, placed(version)) for name in streams(1100) for version in (1, 2)]
        log.append(both, Beside(seen=[(str(one).encode(), b"digest", 0) for one in range(1100)]))
        yield log


@pytest.mark.parametrize("size", SIZES)
def test_every_stream_is_read_once(log: Log, size: int) -> None:
    rows = log.store.select_streams(streams(size))
    assert sorted((row.stream, row.version) for row in rows) == sorted(
        (one, n) for one in streams(size) for n in (1, 2)
    )
    assert log.store.versions(streams(size)) == dict.fromkeys(streams(size), 2)


@pytest.mark.parametrize("size", SIZES)
def test_every_key_is_known_and_no_other(log: Log, size: int) -> None:
    keys = [str(one).encode() for one in range(size)]
    assert log.store.seen([*keys, b"never"]) == dict.fromkeys(keys, b"digest")


@pytest.mark.parametrize("size", [one for one in SIZES if one])
@pytest.mark.parametrize("place", [0, -1])
def test_one_hole_among_many_streams_is_refused(log: Log, size: int, place: int) -> None:
    more = [Recorded(name, 3, placed(3)) for name in streams(size)]
    more[place] = Recorded("order-holed", 3, placed(3))
    with pytest.raises(IntegrityError):
        log.append(more, Beside())
    assert log.store.versions(["order-holed", *streams(size)]) == dict.fromkeys(streams(size), 2)


@pytest.mark.parametrize("size", SIZES)
def test_every_row_is_written_in_its_order_and_only_what_is_disarmed_goes(size: int) -> None:
    armed = {
        name: Armed(name, due, "policy", (("/feed", 1),)) for due, name in enumerate(["order-stays", *streams(size)])
    }
    with memory_log() as log:
        log.append([Recorded(name, 1, placed(1)) for name in armed], Beside(deadlines={**armed}))
        assert [row.stream for row in log.store.select_rows(0, 2000)] == [*armed]
        assert log.store.armed([*armed]) == armed
        log.append([], Beside(deadlines=dict.fromkeys(streams(size))))
        assert log.store.armed([*armed]) == {"order-stays": armed["order-stays"]}
