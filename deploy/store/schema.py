"""The tables beside the events, in words that both databases are told; see ``projections.dialect`` for PostgreSQL's.

Every one of them commits with the events that changed it.
"""

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from deploy.store.remembering import LAG, SLICES

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS positions (
        partition TEXT PRIMARY KEY, topic TEXT NOT NULL, number INTEGER NOT NULL, next INTEGER NOT NULL,
        last_offset INTEGER, last_digest BLOB NOT NULL, batches INTEGER NOT NULL, largest INTEGER,
        taken_up_to INTEGER) WITHOUT ROWID""",
    # The ids of messages in the order in which they came: added to at the end, and purged from the front.
    """CREATE TABLE IF NOT EXISTS seen_ids (
        place INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL)""",
    # Where among them an id stands that begins like this; of the last ones, whoever takes messages in knows by itself.
    """CREATE TABLE IF NOT EXISTS seen_places (
        start BLOB NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (start, place)) WITHOUT ROWID""",
    # Up to which place that is so, for the ids that begin with a byte.
    "CREATE TABLE IF NOT EXISTS seen_slices (slice INTEGER PRIMARY KEY, up_to INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS deadlines (
        subject TEXT PRIMARY KEY, due INTEGER, policy TEXT NOT NULL) WITHOUT ROWID""",
    # The ticker asks for what is due, in order; a subject without a due time is in no tick.
    "CREATE INDEX IF NOT EXISTS deadlines_due ON deadlines (due, subject) WHERE due IS NOT NULL",
    # Whether anything is armed by another policy than that of now, which is asked at every look.
    "CREATE INDEX IF NOT EXISTS deadlines_policy ON deadlines (policy, subject)",
    # What came due while its feed was silent; the next look is when more of that feed has been heard.
    """CREATE TABLE IF NOT EXISTS waits (
        subject TEXT NOT NULL, source TEXT NOT NULL, due INTEGER NOT NULL, PRIMARY KEY (subject, source))
        WITHOUT ROWID""",
    # What came due of a feed that was heard further, the earliest first.
    "CREATE INDEX IF NOT EXISTS waits_due ON waits (source, due)",
    "CREATE TABLE IF NOT EXISTS heard (source TEXT PRIMARY KEY, largest INTEGER NOT NULL) WITHOUT ROWID",
    # State that any process can make anew from the batches in the log: spans without a silence, as JSON.
    "CREATE TABLE IF NOT EXISTS feeds (source TEXT PRIMARY KEY, spans TEXT NOT NULL, beats_since INTEGER)",
    """CREATE TABLE IF NOT EXISTS quarantine (
        id INTEGER PRIMARY KEY AUTOINCREMENT, partition TEXT NOT NULL, "offset" INTEGER NOT NULL, topic TEXT NOT NULL,
        number INTEGER NOT NULL, key BLOB, value BLOB, headers TEXT NOT NULL, stamped_at INTEGER,
        code TEXT NOT NULL, detail TEXT NOT NULL, at INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'held',
        UNIQUE (partition, "offset"))""",
    # What has bytes that will expire, the oldest first.
    "CREATE INDEX IF NOT EXISTS quarantine_kept ON quarantine (at) WHERE status <> 'expired'",
    # The index: what had to do with which stream, and how much of it there was a day. Any process can make it anew
    # from the log: what writes it keeps its own place in the log and commits both together.
    """CREATE TABLE IF NOT EXISTS relations (
        what TEXT NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (what, at, name)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS counts (
        what TEXT NOT NULL, day INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (what, day)) WITHOUT ROWID""",
    # Who has a role that one process at a time may have; commits by itself, with no event.
    """CREATE TABLE IF NOT EXISTS leases (
        name TEXT PRIMARY KEY, holder TEXT NOT NULL, term INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID""",
    # How far each topic has been told; here and not beside the views, which are made anew at times. Commits by itself.
    """CREATE TABLE IF NOT EXISTS delivered (
        target TEXT PRIMARY KEY, epoch TEXT NOT NULL, position INTEGER NOT NULL, revision INTEGER NOT NULL,
        held INTEGER) WITHOUT ROWID""",
)
"""In the order in which they are written: events first, then positions, then what is keyed by message and subject."""

_STEP: Final = LAG // SLICES
INDEX_SEEN: Final = (
    """INSERT INTO seen_places SELECT substr(key, 1, 8), place FROM seen_ids WHERE place > 0 ORDER BY 1, 2
    ON CONFLICT DO NOTHING""",
    f"UPDATE seen_slices SET up_to = (SELECT COALESCE(MAX(place), 0) FROM seen_ids) - slice * {_STEP}",  # noqa: S608  # ours
)
"""Index all ids at once; for whoever has written many, while nobody takes messages in."""
_SLICES: Final = (
    "INSERT INTO seen_slices WITH RECURSIVE bytes(byte) AS (SELECT 0 UNION ALL SELECT byte + 1 FROM bytes "  # noqa: S608
    f"WHERE byte < {SLICES - 1}) SELECT byte, - byte * {_STEP} FROM bytes WHERE byte >= 0 ON CONFLICT DO NOTHING"
)
"""One after the other, and not all at once, they come to lag too far behind."""
_TAKE_SEEN: Final = (
    "INSERT INTO seen_ids (key, digest, at) SELECT key, digest, at FROM seen ORDER BY at, key",
    *INDEX_SEEN,
    "DROP TABLE seen",
)


def making(statements: Sequence[str], there: AbstractSet[str]) -> list[str]:
    """Give the statements that make what a log lacks; one that kept its seen ids by key goes on knowing them.

    Their table has another name since, so that no process of before can add an id where nobody looks.
    """
    return [*statements, _SLICES, *(_TAKE_SEEN if "seen" in there else ())]


def names(statements: tuple[str, ...]) -> frozenset[str]:
    """Name the tables and indexes that these statements make."""
    return frozenset(re.findall(r"IF NOT EXISTS (\w+)", " ".join(statements)))
