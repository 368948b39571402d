"""Account: what one order has been paid over all incidents, so that nobody is paid twice and nobody beyond the cap.

Every payment is written here in the transaction that writes it into its incident: two incidents that pay one order meet
in this stream, and the slower one decides again.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar, Protocol

from domain.errors import IllegalStep
from domain.events import Event
from domain.groups.cluster import parts
from domain.incidents.events import Form
from domain.instant import Instant, iso

_PRICES = "incident-price_difference-"


class AccountPaid(Event, frozen=True, kw_only=True):
    """An incident paid this order; what the incident's own stream says, copied in the same transaction."""

    TOPIC: ClassVar[str] = "account.paid.v1"
    at: Instant
    by: str
    order_id: str
    incident: str
    member: str
    amount: str
    """Decimal text."""
    currency: str
    form: Form
    approvals: tuple[str, ...]
    override: str = ""
    """Why it was paid although the order had been paid in this form before."""
    batch: str = ""
    """The batch of payments it was part of."""

    @property
    def key(self) -> str:
        """Name the payment: a member is paid once in an incident."""
        return f"{self.incident} {self.member}"


class AccountHeld(Event, frozen=True, kw_only=True):
    """No refund before goods are proven to have come back, or to be destroyed."""

    TOPIC: ClassVar[str] = "account.held.v1"
    at: Instant
    by: str
    disposition: str
    sku: str


class AccountFreed(Event, frozen=True, kw_only=True):
    """A disposition stands in the way of no refund any more: it is proven, or was called off."""

    TOPIC: ClassVar[str] = "account.freed.v1"
    at: Instant
    by: str
    disposition: str


AccountEvent = AccountPaid | AccountHeld | AccountFreed
EVENTS = AccountEvent.__args__


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of the money of one order."""

    order_id: str = ""
    payments: tuple[AccountPaid, ...] = ()
    held: tuple[AccountHeld, ...] = ()
    """Refunds wait for these."""
    currency: str | None = None
    """In which the order was placed, as far as whoever asks knows."""
    lines: frozenset[str] = frozenset()
    """Ids of the lines that it was placed with, as far as whoever asks knows."""


class Money(Protocol):
    """A payment that is asked for."""

    @property
    def member(self) -> str:
        """Name who is paid."""

    @property
    def amount(self) -> str:
        """Say how much, in decimal text."""

    @property
    def currency(self) -> str:
        """Say of what."""

    @property
    def form(self) -> Form:
        """Say as what."""


class AlreadyPaid(IllegalStep):
    """The order was paid in this form before, by another incident or for another of its members."""

    def __init__(self, paid: AccountPaid) -> None:
        """Name the payment that was made."""
        super().__init__(
            "already_paid",
            f"{paid.incident} has paid this order {paid.amount} {paid.currency} ({paid.form}), by {paid.by} at "
            f"{iso(paid.at)}. Paying it again needs an `override` that says why, and a second person.",
        )
        self.paid = paid

    @property
    def shown(self) -> dict[str, object]:
        """Give the payment for a program to read."""
        names = ("incident", "member", "amount", "currency", "form", "by")
        return {"paid": {"at": iso(self.paid.at), **{name: getattr(self.paid, name) for name in names}}}


def evolve(account: Account, event: AccountEvent) -> Account:
    """Apply one event. Refuses nothing and reads no clock."""
    match event:
        case AccountPaid():
            return replace(account, payments=(*account.payments, event))
        case AccountHeld():
            return replace(account, held=(*account.held, event))
        case AccountFreed():
            return replace(account, held=tuple(one for one in account.held if one.disposition != event.disposition))


def clashes(account: Account, incident: str, money: Money) -> tuple[AccountPaid, ...]:
    """List the payments to this order that were made in the same form and may have been for the same thing.

    >>> paid = {"at": 0, "by": "li", "order_id": "O", "amount": "5", "currency": "CNY", "approvals": ("li",)}
    >>> first = AccountPaid(incident="incident-late_shipment-F", member="O", form="coupon", **paid)
    >>> [one.incident for one in clashes(Account("O", (first,)), "incident-stock_out-O", first)]
    ['incident-late_shipment-F']
    """
    mine = [one for one in account.payments if one.form == money.form]
    return tuple(one for one in mine if _same_cause(account, one, incident, money.member))


def must_be_payable(account: Account, money: Money, cap: str | None) -> None:
    """Refuse what would bring an order above the cap, or a refund before its goods are accounted for.

    Raises:
        IllegalStep: it would.
    """
    if money.form == "refund" and account.held:
        goods = ", ".join(one.sku for one in account.held)
        raise IllegalStep("awaits_proof", f"No refund before {goods} is proven returned or destroyed.")
    if cap is None:
        return
    if Decimal(money.amount) > Decimal(cap):
        raise IllegalStep("over_the_cap", f"An order may get {cap} at most, over all incidents.")
    others = {account.currency, *(one.currency for one in account.payments)} - {None, money.currency}
    if others:
        known = ", ".join(sorted(map(str, others)))
        raise IllegalStep("other_currency", f"This order's money is {known}; the cap cannot be kept in another.")
    before = paid(account)
    if before + Decimal(money.amount) > Decimal(cap):
        raise IllegalStep(
            "over_the_cap", f"An order may get {cap} at most over all incidents, and this one has got {before:f}."
        )


def paid(account: Account) -> Decimal:
    """Add up what an order was paid; under a cap it is all of one currency."""
    return sum((Decimal(one.amount) for one in account.payments), Decimal(0))


def paid_through(account: Account, incident: str, money: Money) -> Decimal:
    """Add up what an incident has paid the order in the form and currency of another payment."""
    alike = (one for one in account.payments if (one.incident, one.form) == (incident, money.form))
    return sum((Decimal(one.amount) for one in alike if one.currency == money.currency), Decimal(0))


def _same_cause(account: Account, known: AccountPaid, incident: str, member: str) -> bool:
    """Say whether two payments may be for one thing: only lines of the order that both are named are told apart.

    Lines are told apart within an incident; over incidents only where each pays the difference to another price.
    """
    lines = _line(account, known.member), _line(account, member)
    if None in lines:
        return True
    if known.incident == incident:
        return lines[0] == lines[1]
    return not (known.incident.startswith(_PRICES) and incident.startswith(_PRICES))


def _line(account: Account, member: str) -> str | None:
    """Read which line of its order a member names; none where it has no such line, which means all of the order."""
    first, *rest = parts(member)
    return rest[0] if first == account.order_id and len(rest) == 1 and rest[0] in account.lines else None
