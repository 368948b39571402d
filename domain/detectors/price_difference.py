"""A price fell so soon after purchases that their buyers are owed the difference.

Definition: the kind's row of the detection rules; who is owed what is in ``domain.groups.price_cut``. A price that was
said to be a mistake from the start opens nothing; one that proves to be a mistake later owes nobody anything from then
on.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from domain.detection import Finding, Look
from domain.events import Stamp, refs
from domain.groups.crowd import magnitude
from domain.groups.price_cut import Owed, PriceCut, PriceCutChanged, owed
from domain.instant import Instant, iso
from domain.policies.policy import Policy
from domain.severity import Stake, weigh

SUBJECT: Final = "SKU and price change"
DUE_AT: Final = "when the price changed"
CLEARED_BY: Final = "every buyer's difference is settled, or the new price proves to be a mistake"


class _Episode(NamedTuple):
    change: PriceCutChanged
    owed: tuple[Owed, ...]
    unpriced: int
    """Buyers whose money cannot be compared with the new price."""
    ended_by: Stamp | None


class PriceDifference:
    """Looks for buyers who paid more than the new price."""

    kind = "price_difference"

    def look(self, state: PriceCut, until: Instant, policy: Policy) -> Look:
        """Find what is owed for a change before ``until``; see ``findings`` and ``look_again``."""
        episode = _episode(state, policy)
        if episode is None:
            return Look((), None)
        due_at = episode.change.changed.at
        return Look((_finding(state, episode, policy),), None) if due_at < until else Look((), due_at)


DETECTOR = PriceDifference()


def findings(cut: PriceCut, until: Instant, policy: Policy) -> tuple[Finding, ...]:
    """Find what is owed for a price change before ``until``.

    >>> from domain.instant import DAY
    >>> from domain.policies.policy import DEFAULT
    >>> from domain.groups.price_cut import PriceCutBuyerChanged, evolve
    >>> change = PriceCutChanged(sku="TEA", changed=Stamp(DAY, "/shop", "2"), price="7.50", currency="CNY")
    >>> bought = Stamp(0, "/shop", "1")
    >>> buyer = PriceCutBuyerChanged(
    ...     buyer="A:1", order_id="A", bought=bought, quantity=2, unit_price="9.90", currency="CNY"
    ... )
    >>> cut = evolve(evolve(PriceCut("TEA:2"), change), buyer)
    >>> [found.detail["total"] for found in findings(cut, 2 * DAY, DEFAULT)]
    ['4.80']
    """
    return DETECTOR.look(cut, until, policy).findings


def look_again(cut: PriceCut, until: Instant, policy: Policy) -> Instant | None:
    """Return the instant from ``until`` on at which the price changes, if anybody will be owed for it."""
    return DETECTOR.look(cut, until, policy).again


def _episode(cut: PriceCut, policy: Policy) -> _Episode | None:
    change = cut.change
    if change is None:
        return None
    concerned = tuple(owed(cut, change, policy.price_protection.window))
    priced = tuple(one for one in concerned if one.amount is not None)
    ended_by = _ended_by(change, priced)
    if not priced or (ended_by is not None and ended_by.at <= change.changed.at):
        return None
    return _Episode(change, priced, len(concerned) - len(priced), ended_by)


def _ended_by(change: PriceCutChanged, members: Sequence[Owed]) -> Stamp | None:
    settled = [one.buyer.settled for one in members]
    paid = [stamp for stamp in settled if stamp is not None]
    last = max(paid, default=None) if len(paid) == len(settled) else None
    return min((stamp for stamp in (last, change.mistaken) if stamp is not None), default=None)


def _finding(cut: PriceCut, episode: _Episode, policy: Policy) -> Finding:
    change, members = episode.change, episode.owed
    stakes = [one.buyer.stake or Stake() for one in members]
    severity, parts = weigh(stakes, policy, members=magnitude(len(members), policy.cluster.minimum))
    detail: dict[str, Any] = {
        "severity": parts,
        "cleared_by": CLEARED_BY,
        "settle_by": iso(change.changed.at + policy.price_protection.settle_within),
        **_amounts(change, members),
    }
    if not change.confirmed:
        detail["ask"] = "is the new price meant?"
    if episode.unpriced:
        detail["unpriced"] = episode.unpriced
    if episode.ended_by is not None:
        detail["ended_by"] = episode.ended_by.ref
    return Finding(
        kind=PriceDifference.kind,
        subject=cut.id,
        since=change.changed.at,
        due_at=change.changed.at,
        ended_at=None if episode.ended_by is None else episode.ended_by.at,
        order_ids=tuple(sorted({one.buyer.order_id for one in members})),
        sku=change.sku,
        severity=severity,
        rule="price_protection",
        policy=policy.hash,
        proof=refs((members[0].buyer.bought, change.changed)),
        detail=detail,
    )


def _amounts(change: PriceCutChanged, members: Sequence[Owed]) -> dict[str, Any]:
    amounts = {one.buyer.buyer: one.amount for one in members if one.amount is not None}
    unsettled = [amounts[one.buyer.buyer] for one in members if one.buyer.settled is None]
    return {
        "currency": change.currency,
        "amounts": {buyer: f"{amount:f}" for buyer, amount in sorted(amounts.items())},
        "total": f"{sum(amounts.values(), Decimal(0)):f}",
        "unsettled": f"{sum(unsettled, Decimal(0)):f}",
    }
