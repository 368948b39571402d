"""Backlogs: what lies at each warehouse, carrier and facility, since when and until when it is promised.

Open things have a row each, for what is asked of single ones; how many there are is kept in tallies, so that no answer
depends on how many lie there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from domain.groups.backlog import BacklogMemberChanged
from domain.history.batch import PolicyAdopted
from domain.orders.order import FACTS as ORDER_FACTS
from domain.orders.order import Order, OrderParcelChanged
from domain.parcels.events import EVENTS as PARCEL_EVENTS
from projections import tallies
from projections.stays import HELD, LEFT, OPEN, Stay, of_order, of_parcel
from projections.subjects import Subjects
from projections.tallies import Change, Place
from projections.view import Entry, Rows, Streams, among, among_pairs

_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(list[Stay]).decode
_NOWHERE: Final = b"[]"
_SLICE: Final = 1000


class Backlogs:
    """Keeps what lies where, and the tallies of it."""

    name = "backlogs"
    version = 1
    tables = ("stays", "queue", "places", "late_spans", *tallies.TABLES)
    schema = (
        "CREATE TABLE IF NOT EXISTS stays (stream TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
        """CREATE TABLE IF NOT EXISTS queue (
            stream TEXT NOT NULL, what TEXT NOT NULL, place TEXT NOT NULL, thing TEXT NOT NULL, turn INTEGER NOT NULL,
            standing TEXT NOT NULL, entered INTEGER NOT NULL, promise INTEGER,
            order_ids TEXT NOT NULL, PRIMARY KEY (stream, what, place, thing, turn)) WITHOUT ROWID""",
        # What stands at a place, the oldest first: ages and the clear-by time count along it.
        "CREATE INDEX IF NOT EXISTS queue_entered ON queue (what, place, entered, standing) WHERE standing = 'open'",
        # What stands at a place, the first promise first: which one breaks first.
        """CREATE INDEX IF NOT EXISTS queue_promised ON queue (what, place, promise, thing, standing)
            WHERE standing = 'open' AND promise IS NOT NULL""",
        """CREATE TABLE IF NOT EXISTS places (
            what TEXT NOT NULL, place TEXT NOT NULL, open INTEGER NOT NULL, pieces INTEGER NOT NULL,
            held INTEGER NOT NULL, PRIMARY KEY (what, place)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS late_spans (
            stream TEXT NOT NULL, member TEXT NOT NULL, begin INTEGER NOT NULL, until INTEGER NOT NULL,
            PRIMARY KEY (stream, member)) WITHOUT ROWID""",
        *tallies.SCHEMA,
    )
    topics = frozenset(
        event.TOPIC for event in (*ORDER_FACTS, OrderParcelChanged, *PARCEL_EVENTS, BacklogMemberChanged, PolicyAdopted)
    )

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Write anew where a stream's things lie; another policy writes everything that lies somewhere anew."""
        change, things = Change(), []
        members: dict[tuple[str, str], BacklogMemberChanged] = {}
        for stream, entries in streams.items():
            kind, _, _ = stream.partition("-")
            if kind == "policy":
                _write_all(rows, subjects, change)
            elif kind == "backlog":
                members.update(((stream, one.member), one) for one in _members(entries))
            elif kind in {"order", "parcel"}:
                things.append(stream)
        _write(rows, things, subjects, change)
        _note_late(rows, members, change)
        change.write(rows)


VIEW = Backlogs()


def place_of(stream: str) -> Place:
    """Read back which place a backlog's stream is of.

    >>> place_of("backlog-facility-HUB%201")
    Place(what='facility', name='HUB 1')
    """
    _, what, name = stream.split("-", 2)
    return Place(unquote(what), unquote(name))


def _write_all(rows: Rows, subjects: Subjects, change: Change) -> None:
    last = ""
    while page := rows.execute(
        "SELECT DISTINCT stream FROM queue WHERE stream > ? ORDER BY stream LIMIT ?", (last, _SLICE)
    ).fetchall():
        names = [row[0] for row in page]
        read = subjects.load(names)
        _write(rows, names, subjects, change)
        subjects.release(read)
        last = names[-1]


def _write(rows: Rows, streams: Sequence[str], subjects: Subjects, change: Change) -> None:
    """Write what these streams have at which place, and note what that changes in the tallies."""
    known: dict[str, bytes] = dict(
        map(tuple, among(rows, "SELECT stream, body FROM stays WHERE stream IN ({among})", streams))
    )
    policies = subjects.policies()
    bodies, gone, come = {}, [], []
    for stream in streams:
        subject: Any = subjects.get(stream)
        found = of_order(subject, policies) if isinstance(subject, Order) else of_parcel(subject, policies)
        body = _ENCODE(found)
        if body == known.get(stream, _NOWHERE):
            continue
        before = _DECODE(known.get(stream, _NOWHERE))
        bodies[stream] = body
        gone += [(stream, one) for one in before if one not in found]
        come += [(stream, one) for one in found if one not in before]
    rows.executemany(
        "DELETE FROM stays WHERE stream = ?", [(name,) for name, body in bodies.items() if body == _NOWHERE]
    )
    rows.executemany(
        "INSERT INTO stays VALUES (?,?) ON CONFLICT (stream) DO UPDATE SET body = excluded.body",
        [(name, body) for name, body in bodies.items() if body != _NOWHERE],
    )
    _queue(rows, gone, come)
    _total(rows, [one for _, one in gone], [one for _, one in come])
    for some, by in ((gone, -1), (come, 1)):
        for _, one in some:
            _count(one, change, by)


def _queue(rows: Rows, gone: Sequence[tuple[str, Stay]], come: Sequence[tuple[str, Stay]]) -> None:
    """Keep a row for all that has not left."""
    rows.executemany(
        "DELETE FROM queue WHERE stream = ? AND what = ? AND place = ? AND thing = ? AND turn = ?",
        [(stream, *one[:4]) for stream, one in gone if one.standing != LEFT],
    )
    rows.executemany(
        "INSERT INTO queue VALUES (?,?,?,?,?,?,?,?,?)",
        [
            (stream, *one[:4], one.standing, one.at, one.promise, _ENCODE(one.order_ids).decode())
            for stream, one in come
            if one.standing != LEFT
        ],
    )


def _total(rows: Rows, gone: Iterable[Stay], come: Iterable[Stay]) -> None:
    """Keep how much lies at each place; one where nothing does has no row."""
    totals: dict[Place, list[int]] = {}
    for some, by in ((gone, -1), (come, 1)):
        for one in some:
            if one.standing != LEFT:
                total = totals.setdefault(Place(one.what, one.place), [0, 0, 0])
                total[:] = (had + by * more for had, more in zip(total, _totals(one), strict=True))
    changed = [(*place, *total) for place, total in sorted(totals.items()) if any(total)]
    rows.executemany(
        "INSERT INTO places VALUES (?,?,?,?,?) ON CONFLICT (what, place) DO UPDATE SET "
        "open = places.open + excluded.open, pieces = places.pieces + excluded.pieces, "
        "held = places.held + excluded.held",
        changed,
    )
    rows.executemany(
        "DELETE FROM places WHERE what = ? AND place = ? AND open = 0 AND pieces = 0 AND held = 0",
        [one[:2] for one in changed],
    )


def _totals(one: Stay) -> tuple[int, int, int]:
    waits = one.standing == OPEN
    return int(waits), one.pieces if waits else 0, int(one.standing == HELD)


def _count(one: Stay, change: Change, by: int) -> None:
    place = Place(one.what, one.place)
    if one.standing == LEFT:
        change.add(place, "left", one.at, by)
    elif one.standing == OPEN:
        change.add(place, "entered", one.at, by)
        if one.promise is not None:
            change.add(place, "promised", one.promise, by)


def _members(entries: Iterable[Entry]) -> Iterator[BacklogMemberChanged]:
    for entry in entries:
        event = entry.event
        assert isinstance(event, BacklogMemberChanged)
        yield event


def _note_late(rows: Rows, members: Mapping[tuple[str, str], BacklogMemberChanged], change: Change) -> None:
    """Keep from when to when each member, as it was last told, counts for the rule on backlogs."""
    read = (
        "SELECT stream, member, begin, until FROM {among} CROSS JOIN late_spans "
        "WHERE stream = column1 AND member = column2"
    )
    known = {(row[0], row[1]): (row[2], row[3]) for row in among_pairs(rows, read, [*members])}
    now = {key: event.span for key, event in members.items() if not event.gone}
    for some, by in ((known, -1), (now, 1)):
        for (stream, _), span in some.items():
            _count_late(place_of(stream), span, change, by)
    rows.executemany("DELETE FROM late_spans WHERE stream = ? AND member = ?", [key for key in known if key not in now])
    rows.executemany(
        "INSERT INTO late_spans VALUES (?,?,?,?) ON CONFLICT (stream, member) DO UPDATE SET "
        "begin = excluded.begin, until = excluded.until",
        [(*key, *span) for key, span in now.items() if span != known.get(key)],
    )


def _count_late(place: Place, span: tuple[int, int], change: Change, by: int) -> None:
    begin, until = span
    if begin < until:
        for at, sign in ((begin, by), (until, -by)):
            change.add(place, "late", at, sign)
            change.add(place, "late_day", at, sign)
