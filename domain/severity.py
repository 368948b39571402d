"""Severity: how much a finding weighs, from parts that are shown with it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from domain.policies.policy import Policy

GRADES: Final = ("low", "medium", "high", "critical")


class Stake(NamedTuple):
    """What an order brings to the weight of whatever goes wrong with it."""

    value: str | None = None
    """Its worth in its own currency, as a decimal string; null where the money is unknown."""
    tier: str | None = None
    """The customer's."""


def weigh(stakes: Stake | Iterable[Stake], policy: Policy, **parts: int) -> tuple[str, dict[str, int]]:
    """Grade a finding by the orders it concerns and by what else adds to it.

    >>> from domain.policies.policy import DEFAULT
    >>> weigh(Stake("1500", "VIP"), DEFAULT, clock=1)
    ('critical', {'clock': 1, 'money': 1, 'customer': 1})

    Args:
        stakes: of one order or of several; the heaviest counts.
        policy: says what is much.
        parts: further points by name, such as ``clock=1`` where a platform's penalty clock has run out.

    Returns:
        The grade and its parts, each the points it adds to ``low``.
    """
    several = (stakes,) if isinstance(stakes, Stake) else tuple(stakes)
    much, tiers = Decimal(str(policy.severity.high_value)), {tier.casefold() for tier in policy.severity.vip_tiers}
    weights = {
        **parts,
        "money": int(any(one.value is not None and Decimal(one.value) >= much for one in several)),
        "customer": int(any((one.tier or "").casefold() in tiers for one in several)),
    }
    shown = {name: points for name, points in weights.items() if points}
    return GRADES[min(sum(shown.values()), len(GRADES) - 1)], shown
