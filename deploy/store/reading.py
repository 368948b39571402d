"""What every store reads alike, in one text of SQL; a store says how a statement is run and how values are listed."""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

from deploy.store.rows import quarantined, spans
from deploy.store.statements import Statements
from domain.feeds.feed import Spoken
from domain.history.batch import Position, Quarantined
from domain.history.log import Armed, Related, Row
from domain.instant import Instant

# An index serves two ranges; one on "other than" would read every deadline, at every look.
_ARMED_BY_OTHER: Final = (
    "SELECT subject FROM deadlines WHERE policy < ?1 UNION ALL SELECT subject FROM deadlines WHERE policy > ?1"
)
_EXPIRING: Final = "SELECT id FROM quarantine WHERE status <> 'expired' AND at < ? ORDER BY at"
_QUARANTINE: Final = 'id, status, partition, "offset", topic, number, key, value, headers, stamped_at, code, detail, at'


class Reading(Statements):
    """The part of a recorder that reads, and empties what has had its time; see ``domain.history.log.LogRecorder``."""

    ID: ClassVar[str]
    """What the database calls the position of an event."""
    WAITING: ClassVar[str]
    """How it lists (due, subject) of what waited for a feed and is due before ``?1``; at least the first ``?2``."""

    def select_streams(self, streams: Sequence[str], up_to: int | None = None, after: int = 0) -> list[Row]:
        """Read streams in version order, up to a position of the log and after a version of each."""
        # Where there is no end, none is named: it would offer PostgreSQL's planner the log in order as a way in.
        until, values = ("", ()) if up_to is None else (f"AND {self.ID} <= ? ", (up_to,))
        found = self._among(
            f"SELECT {self.ID}, originator_id, originator_version, topic, state FROM stored_events "  # noqa: S608
            f"WHERE originator_id {{among}} AND originator_version > ? {until}"
            "ORDER BY originator_id, originator_version",
            streams,
            after,
            *values,
        )
        return [*map(Row._make, found)]

    def versions(self, streams: Sequence[str]) -> dict[str, int]:
        """Give the last version of each stream that exists."""
        # One step into the key for each: some streams have an event for every tick there ever was.
        found = self._among(
            "WITH wanted(stream) AS ({listed}) SELECT stream, (SELECT MAX(originator_version) FROM stored_events "
            "WHERE originator_id = stream) FROM wanted",
            streams,
        )
        return {stream: version for stream, version in found if version is not None}

    def select_rows(self, after: int, limit: int, topics: Sequence[str] = ()) -> list[Row]:
        """Read the log in order."""
        among = f"AND topic IN ({marks(topics)}) " if topics else ""
        found = self._all(
            f"SELECT {self.ID}, originator_id, originator_version, topic, state FROM stored_events "  # noqa: S608
            f"WHERE {self.ID} > ? {among}ORDER BY {self.ID} LIMIT ?",
            (after, *topics, limit),
        )
        return [*map(Row._make, found)]

    def next_rows(self, places: Sequence[int], topics: Sequence[str]) -> list[Row]:
        """Read what comes first of some topics behind each place of the log; what is behind several may come twice."""
        # One step along the log for each: they lie far apart, and much that is of these topics lies between.
        found = self._among(
            f"WITH wanted(place) AS ({{listed}}) SELECT {self.ID}, originator_id, originator_version, topic, state "  # noqa: S608
            f"FROM stored_events WHERE {self.ID} IN (SELECT (SELECT {self.ID} FROM stored_events "
            f"WHERE {self.ID} > place AND topic IN ({marks(topics)}) ORDER BY {self.ID} LIMIT 1) FROM wanted)",
            places,
            *topics,
        )
        return [*map(Row._make, found)]

    def last_position(self) -> int:
        """Give the position of the last event."""
        return int(self._all(f"SELECT COALESCE(MAX({self.ID}), 0) FROM stored_events")[0][0])  # noqa: S608

    def epoch(self) -> str:
        """Name this log's life."""
        return str(self._all("SELECT value FROM meta WHERE name = 'epoch'")[0][0])

    def positions(self) -> dict[str, Position]:
        """Give every partition's position."""
        found = self._all(
            "SELECT partition, topic, number, next, last_offset, last_digest, batches, largest, taken_up_to "
            "FROM positions"
        )
        return {row[0]: Position(*row) for row in found}

    def forget_last(self, partition: str) -> None:
        """Compare nothing at the next start."""
        self._change("UPDATE positions SET last_offset = NULL WHERE partition = ?", (partition,))

    def due(self, before: Instant, limit: int) -> list[tuple[Instant, str]]:
        """List the subjects whose deadline lies before an instant and has no feed to wait for."""
        found = self._all(
            "SELECT MIN(due), subject FROM (SELECT * FROM ("  # noqa: S608  # a word of the dialect
            "SELECT due, subject FROM deadlines WHERE due IS NOT NULL AND due < ?1 ORDER BY due, subject LIMIT ?2"
            f") AS plain UNION ALL {self.WAITING}) AS dues "
            "GROUP BY subject ORDER BY 1, 2 LIMIT ?2",
            (before, limit),
        )
        return [(row[0], row[1]) for row in found]

    def heard(self) -> dict[str, Instant]:
        """Give the largest event time of every source."""
        return {row[0]: row[1] for row in self._all("SELECT source, largest FROM heard")}

    def feeds(self, sources: Sequence[str]) -> dict[str, Spoken]:
        """Give when these sources are known to have spoken."""
        found = self._among("SELECT source, spans, beats_since FROM feeds WHERE source {among}", sources)
        return {row[0]: Spoken(spans(row[1]), row[2]) for row in found}

    def related(self, what: Sequence[str], since: Instant, until: Instant) -> list[Related]:
        """List the rows of the index for these, from one instant to another, both included."""
        statement = "SELECT what, at, name FROM relations WHERE what {among} AND at BETWEEN ? AND ?"
        return [Related(*row) for row in self._among(statement, what, since, until)]

    def counted(self, what: str, since: Instant, until: Instant) -> int:
        """Add up the counts of days that begin from one instant to before another."""
        found = self._all(
            "SELECT COALESCE(SUM(number), 0) FROM counts WHERE what = ? AND day >= ? AND day < ?", (what, since, until)
        )
        return int(found[0][0])

    def armed(self, subjects: Sequence[str]) -> dict[str, Armed]:
        """Give the deadlines of subjects."""
        known = self._among("SELECT subject, due, policy FROM deadlines WHERE subject {among}", subjects)
        found = {row[0]: Armed(*row) for row in known}
        waits = "SELECT subject, source, due FROM waits WHERE subject {among} ORDER BY subject, source"
        for subject, source, due in self._among(waits, subjects):
            found[subject] = found[subject]._replace(waits=(*found[subject].waits, (source, due)))
        return found

    def armed_by_other(self, policy: str, limit: int) -> list[str]:
        """List open subjects that another policy armed."""
        return [row[0] for row in self._all(f"{_ARMED_BY_OTHER} LIMIT ?2", (policy, limit))]

    def count_armed_by_other(self, policy: str) -> int:
        """Count them."""
        return int(self._all(f"SELECT COUNT(*) FROM ({_ARMED_BY_OTHER}) AS others", (policy,))[0][0])  # noqa: S608  # ours

    def quarantined(
        self, status: str | None = "held", limit: int = 500, after: int = 0
    ) -> list[tuple[int, str, Quarantined]]:
        """List (id, status, message), oldest first, from the one after ``after`` on."""
        of_status, values = ("", ()) if status is None else ("AND status = ? ", (status,))
        found = self._all(
            f"SELECT {_QUARANTINE} FROM quarantine WHERE id > ? {of_status}ORDER BY id LIMIT ?",  # noqa: S608
            (after, *values, limit),
        )
        return [(row[0], row[1], quarantined(row[2:])) for row in found]

    def expire_quarantine(self, before: Instant, limit: int) -> int:
        """Empty the raw bytes of one slice of the messages older than an instant."""
        # Looking first leaves the lock to others where there is nothing to do.
        if not self._all(f"{_EXPIRING} LIMIT 1", (before,)):
            return 0
        return self._change(
            "UPDATE quarantine SET key = NULL, value = NULL, headers = '[]', status = 'expired' "  # noqa: S608  # ours
            f"WHERE id IN ({_EXPIRING} LIMIT ?)",
            (before, limit),
        )


def marks(values: Sequence[Any], mark: str = "?") -> str:
    """Write as many marks as there are values."""
    return ",".join([mark] * len(values))
