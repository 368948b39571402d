"""Rows of a few orders, written again under other numbers by the database itself: none of them passes through here.

An order's keys hold its number behind the year, and there are as many orders as a power of ten, so that all of them
begin with the same digits; in a copy these are others.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from domain.history.batch import GroupsTold, TickFired
from tests.stores.engine import Beside

FIRST: Final = 10_000_000
"""The number of the first order; smaller ones are left to what comes to the log later."""
EVENTS: Final = "stored_events"
STREAM: Final = "originator_id"
_CLOSES: Final = f"topic IN ('{TickFired.TOPIC}', '{GroupsTold.TOPIC}')"
SEEN: Final = "seen_ids"
PLACE: Final = "place"
POSITION: Final = "position"
"""What views call the place of an event in the log."""
# Keys of messages are hashes of what is different in each: any others do.
_OTHER_KEY: Final = {"rowid": "randomblob(16)", "notification_id": "uuid_send(gen_random_uuid())"}
_SQLITE_COLUMNS: Final = "SELECT name, type FROM pragma_table_info(?)"
_POSTGRES_COLUMNS: Final = """SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = to_regclass(?) AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""


class Numbers(NamedTuple):
    """The numbers of the orders of a template: a power of ten of them."""

    orders: int

    def digits(self, copy: int = 0) -> str:
        """Give what all orders' keys have behind what they are keys of, up to the digits that tell them apart.

        >>> Numbers(1000).digits(), Numbers(1000).digits(12)
        ('-2026-10000', '-2026-10012')
        """
        return f"-2026-{FIRST // self.orders + copy}"


class Copying:
    """Writes the rows of some tables that belong to an order of the template again and again."""

    def __init__(self, store: Beside, tables: Iterable[str], numbers: Numbers, span: int) -> None:
        """Set the rows aside; a copy's events stand so many positions behind those of the copy before."""
        self._store = store
        self._numbers = numbers
        self._span = span
        # The places of seen ids are given anew.
        self._columns = {
            table: [(name, kind) for name, kind in columns(store, table) if (table, name) != (SEEN, PLACE)]
            for table in tables
        }
        self._columns = {table: found for table, found in self._columns.items() if self._set_aside(table, found)}

    def write(self, copy: int) -> None:
        """Write every row once more, as that of another order."""
        for table, found in self._columns.items():
            names = ", ".join(f'"{name}"' for name, _ in found)
            written = ", ".join(self._written(table, name, kind, copy) for name, kind in found)
            self._store.execute(f"INSERT INTO {table} ({names}) SELECT {written} FROM copied_{table}")

    def _set_aside(self, table: str, found: Sequence[tuple[str, str]]) -> int:
        """Copy what belongs to an order, by its keys and never by what else it speaks of, to where it is not added to.

        Returns how many rows that are.
        """
        keys = [f"\"{name}\" LIKE '%{self._numbers.digits()}%'" for name, kind in found if kind == "text"]
        order = f"ORDER BY {self._store.id}" if table == EVENTS else ""
        where = "1 = 1" if table == SEEN else " OR ".join(keys) or "1 = 0"
        if table == EVENTS:
            # What closes a transaction says when that was: without any a history would look for it in vain.
            where += f" OR {_CLOSES}"
        self._store.execute(f"CREATE TEMPORARY TABLE copied_{table} AS SELECT * FROM {table} WHERE {where} {order}")
        return int(self._store.execute(f"SELECT COUNT(*) FROM copied_{table}").fetchone()[0])

    def _written(self, table: str, name: str, kind: str, copy: int) -> str:
        before, after = self._numbers.digits(), self._numbers.digits(copy)
        if table == SEEN:
            return _OTHER_KEY[self._store.id] if name == "key" else name
        if name in {self._store.id, POSITION}:
            return f'"{name}" + {copy * self._span}'
        if kind == "text":
            # A stream that is no order's is another one in each copy.
            more = f" || CASE WHEN {_CLOSES} THEN '/{copy}' ELSE '' END" if (table, name) == (EVENTS, STREAM) else ""
            return f"replace(\"{name}\", '{before}', '{after}'){more}"
        if kind == "bytea":
            return f"convert_to(replace(convert_from(\"{name}\", 'UTF8'), '{before}', '{after}'), 'UTF8')"
        if kind == "blob":
            return f"CAST(replace(CAST(\"{name}\" AS TEXT), '{before}', '{after}') AS BLOB)"
        return f'"{name}"'


def columns(store: Beside, table: str) -> list[tuple[str, str]]:
    """Give the names and types of a table's columns, in small letters."""
    query = _SQLITE_COLUMNS if store.id == "rowid" else _POSTGRES_COLUMNS
    return [(name, kind.lower()) for name, kind in store.execute(query, (table,)).fetchall()]


def tables(store: Beside) -> Iterator[str]:
    """Name the tables of a log or of views."""
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        if store.id == "rowid"
        else "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace "
        "ORDER BY relname"
    )
    yield from (row[0] for row in store.execute(query).fetchall())
