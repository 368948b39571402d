"""Payable: which members of an incident a batch may pay, and how much each of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from domain.detection import Stored
from domain.errors import IllegalStep
from domain.groups.cluster import parts
from domain.groups.price_cut import PriceCut, owed
from domain.incidents.payments import positive
from domain.judging.adoption import Adopted, in_force
from domain.payouts.events import PayoutMember
from domain.payouts.payout import DraftPayout, Wanted

_AMOUNTS_OWN: Final = "price_difference"


class Owing(NamedTuple):
    """Whom a batch is to pay."""

    currency: str
    members: list[PayoutMember]


class _Member(NamedTuple):
    order_id: str
    amount: str | None = None
    currency: str | None = None
    """Of the amount."""


def owing(subject: Any, incident: str, command: DraftPayout, policies: Sequence[Adopted]) -> Owing:
    """Say whom a draft means, and what each of them gets, by the finding that stands in its subject's state.

    What a lower price owes is judged by the policy that was in force when it fell, as the finding was.

    Raises:
        IllegalStep: there is no such finding, or somebody or some amount is not what the incident is about.
    """
    found = _finding(subject, incident)
    known = _members(subject, found, policies)
    orders = frozenset(found.finding.order_ids)
    wanted = command.members or tuple(Wanted(member=name) for name in known)
    currency = command.currency or found.finding.detail.get("currency")
    if currency is None:
        raise IllegalStep("currency_missing", "Say in which `currency` they are paid.")
    return Owing(currency, [_payable(one, known, orders, command, currency) for one in wanted])


def still_owed(subject: Any, policies: Sequence[Adopted], members: Iterable[str]) -> frozenset[str] | None:
    """Name those of some buyers to whom a price difference is still owed; null where no price is the question."""
    if not isinstance(subject, PriceCut):
        return None
    some = PriceCut(subject.id)
    some.change = subject.change
    some.buyers = {name: subject.buyers[name] for name in members if name in subject.buyers}
    return frozenset(_buyers(some, policies))


def _finding(subject: Any, incident: str) -> Stored:
    stored: Mapping[Any, Stored] = getattr(subject, "findings", {})
    mine = [stored[key] for key in sorted(stored) if stored[key].finding.incident == incident]
    if not mine:
        raise IllegalStep("no_finding", "The log holds no finding of this kind at this subject.")
    if mine[-1].state == "retracted":
        raise IllegalStep("retracted", "The rule has withdrawn this finding: it never held.")
    return mine[-1]


def _members(subject: Any, found: Stored, policies: Sequence[Adopted]) -> dict[str, _Member]:
    """List the members with something to put right: buyers with what they are owed, or orders."""
    if found.finding.kind == _AMOUNTS_OWN and isinstance(subject, PriceCut):
        return _buyers(subject, policies)
    named = found.finding.detail.get("ranked", found.finding.order_ids)
    return {order_id: _Member(order_id) for order_id in named}


def _buyers(cut: PriceCut, policies: Sequence[Adopted]) -> dict[str, _Member]:
    if cut.change is None or cut.change.mistaken is not None:
        return {}
    window = in_force(policies, cut.change.changed.at).price_protection.window
    return {
        one.buyer.buyer: _Member(one.buyer.order_id, f"{one.amount:f}", one.buyer.currency)
        for one in owed(cut, cut.change, window)
        if one.amount is not None and one.buyer.settled is None
    }


def _payable(
    wanted: Wanted, known: Mapping[str, _Member], orders: frozenset[str], command: DraftPayout, currency: str
) -> PayoutMember:
    mine = known.get(wanted.member)
    order_id = wanted.order_id or (parts(wanted.member)[0] if mine is None else mine.order_id)
    if order_id not in orders or (mine is not None and order_id != mine.order_id):
        raise IllegalStep("not_a_member", f"{wanted.member} is no member of this incident.")
    amount = wanted.amount or command.amount
    if amount is None and mine is not None and mine.amount is not None:
        if currency != mine.currency:
            raise IllegalStep("other_currency", f"{wanted.member} is owed {mine.amount} {mine.currency}.")
        amount = mine.amount
    if amount is None:
        raise IllegalStep("amount_missing", f"Say how much {wanted.member} gets, or an `amount` for all.")
    positive(amount)
    return PayoutMember(member=wanted.member, order_id=order_id, amount=amount)
