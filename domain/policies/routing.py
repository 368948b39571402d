"""Routing: which cases are hard, and who is experienced enough for those."""

import msgspec


class Routing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hard cases go to experienced staff.

    A critical incident, each level that it was escalated, a reopening and a complex complaint bring a point each.
    """

    hard_from: int = 2
    """A case with so many points is hard."""
    kinds: dict[str, int] = {}
    """Points that a kind of incident brings by itself, as in ``product_defect = 2``."""
    hard: tuple[str, ...] = ()
    """Teams and persons that hard cases are for."""
    normal: tuple[str, ...] = ()
    """Those that all others are for."""


def goes_to(routing: Routing, points: int) -> tuple[str, ...]:
    """Name whom a case of so many points is for; nobody in particular where none is named.

    >>> goes_to(Routing(hard_from=2, hard=("senior",), normal=("day",)), 2)
    ('senior',)
    """
    return routing.hard if points >= routing.hard_from else routing.normal
