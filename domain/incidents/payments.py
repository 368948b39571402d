"""Payments: what members get, up to a cap, above a limit on the word of two people, and never twice.

What the order was paid by other incidents stands in its account; see ``domain.incidents.account``.
"""

import re
from decimal import Decimal
from typing import Any, Final

from domain.errors import IllegalStep
from domain.incidents.account import AlreadyPaid, clashes, must_be_payable, paid_through
from domain.incidents.commands import Approve, Compensate, Situation, Withdraw
from domain.incidents.events import (
    IncidentCompensated,
    IncidentCompensationProposed,
    IncidentCompensationWithdrawn,
    IncidentEvent,
)
from domain.incidents.guards import must_be_open, stamp
from domain.incidents.incident import Incident, Payment

_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?").fullmatch


def compensate(incident: Incident, command: Compensate, now: Situation) -> tuple[IncidentEvent, ...]:
    """Pay a member, or propose it where one person may not decide so much, or would have the order paid again.

    Raises:
        IllegalStep: it is paid or proposed already, not owed, too much, no amount, or the incident is closed.
    """
    must_be_open(incident)
    known = incident.payments.get(command.member)
    if known is not None and _proposes_the_same(known, command):
        return ()
    _must_be_owed(incident, command)
    said = _said(incident, command, now)
    amount = positive(command.amount)
    again = clashes(now.account, incident.id, command)
    if again and not command.override.strip():
        raise AlreadyPaid(again[0])
    must_be_payable(now.account, command, now.terms.cap)
    together = amount + paid_through(now.account, incident.id, command)
    if again or above(together, now.terms.second_approval_above):
        return (IncidentCompensationProposed(**said, despite=tuple(one.key for one in again)),)
    return (IncidentCompensated(**said, approvals=(command.by,)),)


def pay(incident: Incident, command: Compensate, approvals: tuple[str, ...], now: Situation) -> IncidentCompensated:
    """Pay a member as part of a batch on which everybody who must has agreed already.

    Raises:
        IllegalStep: it or its order is paid already, not owed, too much, or the incident is closed.
    """
    must_be_open(incident)
    _must_be_owed(incident, command)
    said = _said(incident, command, now)
    positive(command.amount)
    for one in clashes(now.account, incident.id, command):
        raise AlreadyPaid(one)
    must_be_payable(now.account, command, now.terms.cap)
    return IncidentCompensated(**said, approvals=approvals)


def approve(incident: Incident, command: Approve, now: Situation) -> tuple[IncidentEvent, ...]:
    """Release a proposed payment on the word of a second person.

    Raises:
        IllegalStep: nothing is proposed, the same person proposed it, or by now it is too much, paid or not owed.
    """
    must_be_open(incident)
    known = incident.payments.get(command.member)
    if isinstance(known, IncidentCompensated) and command.by in known.approvals[1:] and known.why == command.why:
        return ()
    if isinstance(known, IncidentCompensated):
        raise IllegalStep("already_paid", f"This member was paid {known.amount} {known.currency} by {known.by}.")
    proposed = _proposed(incident, command.member)
    if proposed.by == command.by:
        raise IllegalStep("same_person", "Whoever proposed a payment cannot also approve it; another person must.")
    _must_be_owed(incident, proposed)
    for one in clashes(now.account, incident.id, proposed):
        if one.key not in proposed.despite:
            raise AlreadyPaid(one)
    must_be_payable(now.account, proposed, now.terms.cap)
    said = {**stamp(command, now), **_money(proposed), "despite": proposed.despite}
    # A proposal from before accounts names no order; it is paid to the one whose account it was weighed against.
    said["order_id"] = now.account.order_id or proposed.order_id
    return (IncidentCompensated(**said, approvals=(proposed.by, command.by)),)


def withdraw(incident: Incident, command: Withdraw, now: Situation) -> tuple[IncidentEvent, ...]:
    """Take back or decline a proposed payment.

    Raises:
        IllegalStep: nothing is proposed for this member.
    """
    must_be_open(incident)
    _proposed(incident, command.member)
    return (IncidentCompensationWithdrawn(**stamp(command, now), member=command.member),)


def positive(text: str) -> Decimal:
    """Read an amount of money.

    Raises:
        IllegalStep: it is none, or nothing.
    """
    if not _AMOUNT(text) or (amount := Decimal(text)) <= 0:
        raise IllegalStep("invalid_amount", "The amount must be a plain decimal number above zero, such as 36.50.")
    return amount


def above(amount: Decimal, limit: str | None) -> bool:
    """Say whether an amount is more than one person decides; without a limit nothing is."""
    return limit is not None and amount > Decimal(limit)


def _must_be_owed(incident: Incident, money: Compensate | IncidentCompensationProposed) -> None:
    """Refuse the difference to a price that staff called a mistake, also before the log has drawn its conclusions."""
    answer = incident.price_answer
    if answer is not None and answer.mistake and money.form == "price_difference":
        raise IllegalStep("no_longer_owed", f"{answer.by} has called this price a mistake: nobody is owed for it.")


def _said(incident: Incident, command: Compensate, now: Situation) -> dict[str, Any]:
    """Say what is paid, and for which order it counts, to a member that got nothing in this incident yet."""
    known = incident.payments.get(command.member)
    if isinstance(known, IncidentCompensated):
        raise IllegalStep("already_paid", f"This member was paid {known.amount} {known.currency} by {known.by}.")
    if known is not None:
        raise IllegalStep("already_proposed", f"{known.by} has proposed {known.amount} {known.currency}; settle that.")
    return {**stamp(command, now), **_money(command), "order_id": now.account.order_id or command.order_id}


def _proposed(incident: Incident, member: str) -> IncidentCompensationProposed:
    known = incident.payments.get(member)
    if not isinstance(known, IncidentCompensationProposed):
        raise IllegalStep("nothing_proposed", "No payment to this member awaits approval.")
    return known


def _proposes_the_same(known: Payment, command: Compensate) -> bool:
    by = known.approvals[0] if isinstance(known, IncidentCompensated) else known.by
    named = _money(command)
    # Whoever did not name the order meant the one for which it counts.
    return by == command.by and _money(known) == {**named, "order_id": named["order_id"] or known.order_id}


def _money(said: Compensate | Payment) -> dict[str, Any]:
    return {
        "member": said.member,
        "amount": said.amount,
        "currency": said.currency,
        "form": said.form,
        "order_id": said.order_id,
        "evidence": said.evidence,
        "override": said.override,
        "batch": said.batch,
    }
