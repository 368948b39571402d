"""A generator of large logs: open orders, each with a deadline that is armed, and some that are late already.

The product itself takes in the orders of one template and follows them with its views. What it wrote is then written
again and again, under other order numbers: the product's own rows, without the hours that it would take to decide
them one by one.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Final, NamedTuple, Self

from consumers.translate import Translator
from deploy.store.schema import INDEX_SEEN
from domain.history.enrolment import Partition, enrol
from domain.history.log import Log
from domain.instant import FOREVER, instant
from domain.judging.adoption import adopt
from domain.tracker import Tracker
from projections.follower import Follower
from tests.benchmarks import ours
from tests.benchmarks.copying import EVENTS, FIRST, Copying, Numbers, tables
from tests.benchmarks.place import Place
from tests.benchmarks.workload import PROMISE, SEASON, SEED, START, Json, Message, Story, Workload, tell
from tests.stores.engine import Beside

TEMPLATE: Final = 1_000
"""Orders that the product takes in itself; a power of ten."""
BEGIN: Final = START + timedelta(days=60)
END: Final = BEGIN + SEASON
"""When everything was heard; no deadline falls due in the half day after it."""
SHARE_LATE: Final = 0.05
BATCH: Final = 2_000
CACHE_KIB: Final = 1 << 20
_COUNTED: Final = (
    ("incident_counts", ("n",), ""),
    ("places", ("open", "pieces"), ""),
    ("tallies", ("n",), "WHERE axis NOT LIKE 'late%'"),
    ("rated_hours", ("counted", "hits"), ""),
)
"""What the views count over all orders; of each copy it is as much as of the template."""
_OF_GROUPS: Final = frozenset({"backlog_children", "late_spans"})
"""What the views have of what groups were told, beside the late ones among the tallies; groups are told of the copies
when all are there."""


class Grown(NamedTuple):
    """A log that has grown large, and its views."""

    place: Place
    events: int
    orders: int
    late: int
    span: int
    """The last position of the template."""
    copied_to: int
    """The last position of all copies."""
    seconds: float
    """What writing it took, its views included where they are there."""

    @property
    def directory(self) -> Path:
        """Give the directory that it is in, or that its schema is named after."""
        return self.place.directory

    def order_ids(self, count: int, seed: int = SEED) -> list[str]:
        """Draw orders from all over the log."""
        random = Random(f"{seed}-orders")
        return [f"SO-2026-{FIRST + random.randrange(self.orders):08d}" for _ in range(count)]

    def follow(self, up_to: int = FOREVER) -> tuple[int, float]:
        """Bring the views up to the log, or to a position; returns how many events that were, and the seconds."""
        began = perf_counter()
        with self.place.chosen(), ours.open_log(self.directory) as log, self.place.views() as views:
            taken = Follower(views, log.store).catch_up(up_to)
        return taken, perf_counter() - began

    def with_views(self, orders: int = TEMPLATE) -> Self:
        """Make the views what they are once they have followed: the template's rows, again."""
        began = perf_counter()
        self.follow(self.span)
        copies = self.orders // orders
        with self.place.beside_views() as store, in_bulk(store):
            _write_copies(store, set(tables(store)) - _OF_GROUPS, Numbers(orders), self.span, copies)
            for table, counted, where in _COUNTED:
                sums = ", ".join(f'"{one}" = "{one}" * {copies}' for one in counted)
                store.execute(f"UPDATE {table} SET {sums} {where}")
            store.execute("UPDATE checkpoints SET position = ?", (self.copied_to,))
        self.follow()
        return self._replace(seconds=self.seconds + perf_counter() - began)


class OpenOrder(Story):
    """An order that lies packed and labelled, and that no carrier has taken; its keys all hold its number."""

    def _promised(self) -> datetime:
        if self._random.random() < SHARE_LATE:
            return self._placed_at + PROMISE
        return END + self._between(24, 480)

    def _travel(self, name: str, parcel_id: str, lines: list[Json]) -> datetime | None:
        packed_at = self._placed_at + self._between(2, 30)
        warehouse = f"/warehouses/{self._warehouse}"
        self._add(warehouse, "parcel.packed.v1", packed_at, parcel_id, self._packed(name, parcel_id, lines))
        labelled = self._labelled(name, parcel_id)
        labelled["tracking_number"] = f"{self._carrier.upper()}-2026-{parcel_id[-9:]}"
        self._add(warehouse, "parcel.labelled.v1", packed_at + self._between(0.05, 0.4), parcel_id, labelled)
        return None

    def _placed(self) -> Json:
        return super()._placed() | {"customer_id": f"C-2026-{self._order_id[-8:]}"}


def template(orders: int = TEMPLATE) -> Workload:
    """Tell of the orders that are written again and again."""
    numbers = range(FIRST, FIRST + orders)
    stories = [OpenOrder(Random(f"{SEED}-{one}"), one, BEGIN + SEASON * (one - FIRST) / orders) for one in numbers]
    return tell(stories, SEED, FIRST)


def grow(directory: Path, events: int, orders: int = TEMPLATE, url: str | None = None) -> Grown:
    """Write a log of at least so many events, in a database where there is a URL: whole templates, one by one."""
    began = perf_counter()
    directory.mkdir(parents=True)
    place = Place(directory, url)
    with place.chosen(), ours.open_log(directory) as log:
        ours.drive(log, template(orders), BATCH)
        late, span = len(ours.late(log)), log.store.last_position()
    with place.beside() as store, in_bulk(store):
        copies = _write_log(store, events, Numbers(orders), span)
    with place.chosen(), ours.open_log(directory) as log:
        copied_to = log.store.last_position()
        _tell_groups(log, template(orders).messages[-1])
    with place.beside() as store:
        held = int(store.execute(f"SELECT COUNT(*) FROM {EVENTS}").fetchone()[0])
    return Grown(place, held, copies * orders, copies * late, span, copied_to, perf_counter() - began)


@contextmanager
def in_bulk(store: Beside) -> Iterator[None]:
    """Write much at once; it is on the disk, and known to the planner, when this is over."""
    if store.id == "rowid":
        for pragma in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIB}", "temp_store = MEMORY"):
            store.execute(f"PRAGMA {pragma}")
        yield
        # As the product left it.
        store.execute("PRAGMA synchronous = FULL")
        store.execute("PRAGMA journal_mode = WAL")
    else:
        yield
        store.execute("VACUUM (ANALYZE)")
        store.execute("CHECKPOINT")


def _tell_groups(log: Log, known: Message) -> None:
    """Have the product tell its groups of the findings that were copied, as it does after every look.

    A message that is known already comes again first: from its batch on the product reads who has spoken, and need not
    look for one in all that was copied, again with each slice of what it tells.
    """
    now, name = instant(END), "memory-repeated/0"
    tracker = Tracker(log, adopt(log, ours.POLICY, now))
    enrol(log, {Partition(name, known.topic, known.partition): 0})
    places = {(known.topic, known.partition): name}
    tracker.take(ours.as_batch([replace(known, offset=0)], places, Translator({}), now), now)
    while tracker.group(now):
        pass


def _write_log(store: Beside, events: int, numbers: Numbers, span: int) -> int:
    """Write until there are so many events; returns how often the template is there then."""
    held = store.execute(f"SELECT COUNT(*) FROM {EVENTS}").fetchone()[0]
    own = store.execute(f"SELECT COUNT(*) FROM {EVENTS} WHERE originator_id LIKE '%{numbers.digits()}%'").fetchone()[0]
    copies = 1 + max(0, -(-(events - held) // own))
    _write_copies(store, set(tables(store)), numbers, span, copies)
    for statement in INDEX_SEEN:
        store.execute(statement)
    if store.id != "rowid":
        store.execute(f"SELECT setval(pg_get_serial_sequence('{EVENTS}', '{store.id}'), max({store.id})) FROM {EVENTS}")
    return copies


def _write_copies(store: Beside, found: Iterable[str], numbers: Numbers, span: int, copies: int) -> None:
    copying = Copying(store, sorted(found), numbers, span)
    store.execute("BEGIN")
    for copy in range(1, copies):
        copying.write(copy)
    store.execute("COMMIT")
