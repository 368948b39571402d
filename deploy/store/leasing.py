"""Leases as rows: a row says who has a role and until when, and the database's clock alone decides.

A lock that ends with its connection would stay with a process that hangs: its connection is as good as ever.
"""

from typing import ClassVar, Final

from deploy.store.statements import Statements
from domain.history.lease import Held
from domain.instant import Instant

# One that ends later than it could have been given until is of a clock that was since put back: it is over.
_CLAIM: Final = (
    "INSERT INTO leases (name, holder, term, until) VALUES (?1, ?2, 1, {now} + ?3) ON CONFLICT (name) DO UPDATE SET "
    "term = CASE WHEN leases.holder = excluded.holder THEN leases.term ELSE leases.term + 1 END, "
    "holder = excluded.holder, until = excluded.until "
    "WHERE leases.holder = excluded.holder OR leases.until NOT BETWEEN {now} AND {now} + ?3"
)
_TERM: Final = "SELECT term FROM leases WHERE name = ? AND holder = ?"
_GIVE_UP: Final = "UPDATE leases SET until = 0 WHERE name = ? AND holder = ?"


class Leasing(Statements):
    """The part of a recorder that keeps leases; see ``domain.history.lease.Leases``."""

    NOW: ClassVar[str]
    """How the database reads its clock, in microseconds."""

    def claim(self, name: str, holder: str, span: Instant) -> int | None:
        """Give a lease to its holder again, or to anybody once it is over."""
        if not self._change(_CLAIM.format(now=self.NOW), (name, holder, span)):
            return None
        return next((int(row[0]) for row in self._all(_TERM, (name, holder))), None)

    def give_up(self, name: str, holder: str) -> None:
        """End a lease of this holder's."""
        self._change(_GIVE_UP, (name, holder))

    def leases(self) -> list[Held]:
        """List all leases by name."""
        found = self._all(f"SELECT name, holder, term, until - {self.NOW} FROM leases ORDER BY name")  # noqa: S608
        return [Held(*row) for row in found]
