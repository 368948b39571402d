"""Routing: which cases are hard, and who is experienced enough for those."""

import msgspec


class Routing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hard cases go to experienced staff.

    A critical incident, each escalation, a reopening and a complex complaint bring a point each.
    """

    hard_from: int = 2
    """A case with so many points is hard."""
    kinds: dict[str, int] = {}
    """Points that a kind of incident brings by itself, as in ``product_defect = 2``."""
    hard: tuple[str, ...] = ()
    """Teams and persons that hard cases are for."""
    normal: tuple[str, ...] = ()
    """Those that all others are for."""

    def goes_to(self, points: int) -> tuple[str, ...]:
        """Name whom a case of so many points is for; nobody in particular where none is named."""
        return self.hard if points >= self.hard_from else self.normal
