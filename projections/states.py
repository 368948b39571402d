"""States: which incidents the rules or staff have changed, in the order in which they last did."""

from projections import feed, incidents, workflow
from projections.view import Rows

VIEWS: tuple[str, ...] = (incidents.VIEW.name, feed.VIEW.name, workflow.VIEW.name)
"""The views that must have come to a position before an incident's state there is known."""


def touched(rows: Rows, after: int, up_to: int, limit: int) -> list[tuple[int, str]]:
    """List (position, incident) of changes after one position and up to another."""
    found = rows.execute(
        "SELECT position, id FROM (SELECT * FROM (SELECT position, incident AS id FROM feed "
        "WHERE position > ?1 AND position <= ?2 ORDER BY position LIMIT ?3) AS told UNION ALL SELECT * FROM "
        "(SELECT position, id FROM workflow WHERE position > ?1 AND position <= ?2 ORDER BY position LIMIT ?3) "
        "AS worked) AS touched ORDER BY position, id LIMIT ?3",
        (after, up_to, limit),
    )
    return [(row[0], row[1]) for row in found]
