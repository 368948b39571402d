"""Severity: how much a finding weighs, from parts that are shown with it."""

from decimal import Decimal
from typing import Final

from domain.order import OrderPlaced
from domain.policy import Policy

GRADES: Final = ("low", "medium", "high", "critical")


def weigh(placed: OrderPlaced, policy: Policy, *, clock: int = 0) -> tuple[str, dict[str, int]]:
    """Grade a finding on an order; ``clock`` is 1 where a platform's penalty clock has run out.

    Returns the grade and its parts, each the points it adds to ``low``.
    """
    parts = {
        "clock": clock,
        "money": int(placed.currency is not None and _value(placed) >= Decimal(str(policy.severity.high_value))),
        "customer": int(
            (placed.customer_tier or "").casefold() in {tier.casefold() for tier in policy.severity.vip_tiers}
        ),
    }
    shown = {name: points for name, points in parts.items() if points}
    return GRADES[min(sum(parts.values()), len(GRADES) - 1)], shown


def _value(placed: OrderPlaced) -> Decimal:
    return sum((Decimal(line.unit_price or 0) * line.quantity for line in placed.lines), Decimal(0))
