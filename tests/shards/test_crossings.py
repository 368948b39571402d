"""What more than one shard knows is counted and shown; that should be nothing."""

import asyncio
import time
from collections import Counter

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from api.reading import ProductClock, Reader
from api.sharded import crossings as module
from api.sharded.app import create_merged_app
from api.sharded.crossings import Crossing, Crossings, Found, compare, in_several
from api.sharded.shards import Shard
from tests.projections.stage import stage
from tests.story import LATER, labelled, packed, piece, placed, scanned

NAMES = st.sets(st.text("ab", min_size=1, max_size=4), max_size=12)


@pytest.fixture
def sides(tmp_path):
    """Two shards: order X went to both, and the parcel of Y went east although Y is west's."""
    (tmp_path / "east").mkdir()
    (tmp_path / "west").mkdir()
    with stage(tmp_path / "east") as east, stage(tmp_path / "west") as west:
        east.hear(placed(0, of="E"), placed(0, of="X"))
        west.hear(placed(0, of="W"), placed(0, of="X"), placed(0, of="Y"))
        east.hear(packed(1, "PY", piece(of="Y")), labelled(2, "PY"))
        west.hear(scanned(3, "PY", order_ids=("Y",)))
        yield {"east": east, "west": west}


def readers(sides):
    return {name: Reader(one.store, one.log.store, ProductClock(lambda: LATER)) for name, one in sides.items()}


FOUND = [
    Crossing("order", "X", ("east", "west")),
    Crossing("order", "Y", ("east", "west")),
    Crossing("parcel", "PY", ("east", "west")),
]


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_every_order_and_parcel_in_two_shards_is_found_once(sides, monkeypatch, size):
    monkeypatch.setattr(module, "SLICE", size)
    monkeypatch.setattr(module.names, "__defaults__", (size,))
    assert list(compare(readers(sides))) == FOUND


@given(st.lists(NAMES, min_size=1, max_size=4), st.integers(1, 5))
def test_slices_of_any_size_find_what_counting_finds(sets, limit):
    found, after = [], ""
    while after is not None:
        slices = {str(n): sorted(name for name in one if name > after)[:limit] for n, one in enumerate(sets)}
        before, (some, after) = after, in_several(slices, limit)
        assert after is None or after > before, "it comes to an end"
        found += [name for name, _ in some]
    counted = Counter(name for one in sets for name in one)
    assert found == sorted(name for name, count in counted.items() if count > 1)


def test_the_server_counts_and_shows_them(sides, monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0)
    shards = [Shard(name, lambda one=one: one) for name, one in readers(sides).items()]
    with TestClient(create_merged_app(shards, clock=lambda: LATER)) as client:
        until = time.monotonic() + 10
        while (shown := client.get("/v1/shards").json()["crossings"])["compared_at"] is None:
            assert time.monotonic() < until
            time.sleep(0.02)  # between two looks
        text = client.get("/metrics").text
    assert (shown["orders"], shown["parcels"]) == (2, 1)
    assert [(one["what"], one["id"], one["shards"]) for one in shown["crossings"]] == [
        (what, name, list(where)) for what, name, where in FOUND
    ]
    assert shown["more"] == 0
    assert 'tracker_shard_crossings{what="orders"} 2.0' in text
    assert 'tracker_shard_crossings{what="parcels"} 1.0' in text


def test_what_was_found_stays_until_everything_was_compared_again(sides, monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0)
    known = readers(sides)
    crossings = Crossings([Shard(name, lambda one=one: one) for name, one in known.items()], lambda: LATER)
    asyncio.run(crossings.step())
    assert (crossings.found("order"), crossings.found("parcel")) == (2, 1)
    with sides["west"].store.writing() as rows:
        rows.execute("DELETE FROM orders WHERE order_id = 'X'")
    assert crossings.found("order") == 2
    asyncio.run(crossings.step())
    assert crossings.found("order") == 1


@pytest.mark.only_on("sqlite")
def test_however_many_cross_all_are_counted_and_no_more_than_some_are_kept(sides, monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0)
    many = [f"N{number:06}" for number in range(5 * module.SLICE)]
    for one in sides.values():
        with one.store.writing() as rows:
            columns = [row[1] for row in rows.execute("PRAGMA table_info(orders)")]
            [order] = rows.execute("SELECT * FROM orders WHERE order_id = 'X'").fetchall()
            rest = columns.index("order_id")
            copies = [(*order[:rest], name, *order[rest + 1 :]) for name in many]
            rows.executemany(f"INSERT INTO orders VALUES ({','.join('?' * len(columns))})", copies)
    known = readers(sides)
    crossings = Crossings([Shard(name, lambda one=one: one) for name, one in known.items()], lambda: LATER)
    asyncio.run(crossings.step())
    shown = crossings.shown()
    assert (shown.orders, shown.parcels) == (len(many) + 2, 1)
    assert [one.id for one in shown.crossings] == [*many[: module.EXAMPLES], "PY"]
    assert shown.more == len(many) + 2 - module.EXAMPLES
    found = Found(compare(known))
    assert (found.total, found.more, len(found.examples)) == (len(many) + 3, shown.more, module.EXAMPLES + 1)
