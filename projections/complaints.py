"""Complaints: who complained when, where and of what, as far as lists and counts need it."""

from collections.abc import Sequence
from typing import Any

from domain.complaints.complaint import EVENTS, Complaint
from projections.subjects import Subjects
from projections.view import Entry, Rows, Streams


class Complaints:
    """Keeps one row for every complaint that was opened."""

    name = "complaints"
    version = 2
    tables = ("complaints",)
    schema = (
        """CREATE TABLE IF NOT EXISTS complaints (
            complaint_id TEXT PRIMARY KEY, position INTEGER NOT NULL, opened_position INTEGER NOT NULL, order_id TEXT,
            customer TEXT, category TEXT, channel TEXT, opened_at INTEGER NOT NULL) WITHOUT ROWID""",
        # Complaints that were opened in a window, for the summary.
        "CREATE INDEX IF NOT EXISTS complaints_opened ON complaints (opened_at)",
        # Whether an order was complained about, and when first.
        "CREATE INDEX IF NOT EXISTS complaints_order ON complaints (order_id)",
    )
    topics = frozenset(event.TOPIC for event in EVENTS)

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Write the complaints anew."""
        found = [row for name, entries in streams.items() if (row := _row(subjects.get(name), entries)) is not None]
        rows.executemany(
            "INSERT INTO complaints VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (complaint_id) DO UPDATE SET "
            "position = excluded.position, order_id = excluded.order_id, customer = excluded.customer, "
            "category = excluded.category, channel = excluded.channel, opened_at = excluded.opened_at",
            found,
        )


VIEW = Complaints()


def _row(complaint: Complaint, entries: Sequence[Entry]) -> tuple[Any, ...] | None:
    opening = complaint.opening
    if opening is None:
        return None
    meaning = complaint.meaning
    opened = next((one.position for one in entries if one.row.topic == opening.TOPIC), entries[-1].position)
    return (
        complaint.id,
        entries[-1].position,
        opened,
        meaning.order_id,
        meaning.customer_id,
        meaning.category,
        meaning.channel,
        opening.at,
    )
