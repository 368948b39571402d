"""Payments: what members get, up to a cap, above a limit on the word of two people, and never twice."""

import re
from decimal import Decimal
from typing import Any, Final

from domain.errors import IllegalStep
from domain.incident import Incident, Payment
from domain.incident_commands import Approve, Compensate, Situation, Terms, Withdraw
from domain.incident_events import (
    IncidentCompensated,
    IncidentCompensationProposed,
    IncidentCompensationWithdrawn,
    IncidentEvent,
)
from domain.incident_guards import must_be_open, stamp

_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?").fullmatch


def compensate(incident: Incident, command: Compensate, now: Situation) -> tuple[IncidentEvent, ...]:
    """Pay a member, or propose it where one person may not decide so much.

    Raises:
        IllegalStep: it is paid or proposed already, too much, no amount, or the incident is closed.
    """
    must_be_open(incident)
    known = incident.payments.get(command.member)
    if known is not None and _proposes_the_same(known, command):
        return ()
    if isinstance(known, IncidentCompensated):
        raise IllegalStep("already_paid", f"This member was paid {known.amount} {known.currency} by {known.by}.")
    if known is not None:
        raise IllegalStep("already_proposed", f"{known.by} has proposed {known.amount} {known.currency}; settle that.")
    amount = _within_cap(command.amount, now.terms)
    said = {**stamp(command, now), **_money(command)}
    if amount > Decimal(now.terms.second_approval_above or "Infinity"):
        return (IncidentCompensationProposed(**said),)
    return (IncidentCompensated(**said, approvals=(command.by,)),)


def approve(incident: Incident, command: Approve, now: Situation) -> tuple[IncidentEvent, ...]:
    """Release a proposed payment on the word of a second person.

    Raises:
        IllegalStep: nothing is proposed, the same person proposed it, or it is over the cap by now.
    """
    must_be_open(incident)
    known = incident.payments.get(command.member)
    if isinstance(known, IncidentCompensated) and command.by in known.approvals[1:]:
        return ()
    if isinstance(known, IncidentCompensated):
        raise IllegalStep("already_paid", f"This member was paid {known.amount} {known.currency} by {known.by}.")
    proposed = _proposed(incident, command.member)
    if proposed.by == command.by:
        raise IllegalStep("same_person", "Whoever proposed a payment cannot also approve it; another person must.")
    _within_cap(proposed.amount, now.terms)
    approvals = (proposed.by, command.by)
    return (IncidentCompensated(**stamp(command, now), **_money(proposed), approvals=approvals),)


def withdraw(incident: Incident, command: Withdraw, now: Situation) -> tuple[IncidentEvent, ...]:
    """Take back or decline a proposed payment.

    Raises:
        IllegalStep: nothing is proposed for this member.
    """
    must_be_open(incident)
    _proposed(incident, command.member)
    return (IncidentCompensationWithdrawn(**stamp(command, now), member=command.member),)


def _proposed(incident: Incident, member: str) -> IncidentCompensationProposed:
    known = incident.payments.get(member)
    if not isinstance(known, IncidentCompensationProposed):
        raise IllegalStep("nothing_proposed", "No payment to this member awaits approval.")
    return known


def _proposes_the_same(known: Payment, command: Compensate) -> bool:
    by = known.approvals[0] if isinstance(known, IncidentCompensated) else known.by
    return by == command.by and _money(known) == _money(command)


def _within_cap(text: str, terms: Terms) -> Decimal:
    if not _AMOUNT(text) or (amount := Decimal(text)) <= 0:
        raise IllegalStep("invalid_amount", "The amount must be a plain decimal number above zero, such as 36.50.")
    if terms.cap is not None and amount > Decimal(terms.cap):
        raise IllegalStep("over_the_cap", f"A member may get {terms.cap} at most.")
    return amount


def _money(said: Compensate | Payment) -> dict[str, Any]:
    return {
        "member": said.member,
        "amount": said.amount,
        "currency": said.currency,
        "form": said.form,
        "order_id": said.order_id,
        "evidence": said.evidence,
    }
