"""Cashier: drafts, approves and pays batches of payments to the members of an incident.

An approved batch is paid in slices of its members, each one transaction of the batch, the incident and the accounts of
the orders: whoever stops in between, or pays at the same time, pays nobody twice. Paying goes on where it stopped when
it is approved again, or by whoever looks for batches that are not paid yet.
"""

from collections.abc import Sequence
from dataclasses import replace

from domain.errors import IllegalStep
from domain.groups.cluster import parts
from domain.history.log import Beside, Log, Related
from domain.history.streams import Streams
from domain.incidents.commands import Compensate, Situation
from domain.incidents.incident import Incident
from domain.incidents.payments import pay
from domain.instant import FOREVER, Instant
from domain.judging.adoption import Adopted, adopted, in_force
from domain.payouts.events import PayoutApproved, PayoutDrafted, PayoutMember, PayoutPaid, Skipped
from domain.payouts.payout import SLICE, DraftPayout, Payout, approve, draft, withdraw
from domain.policies.policy import DEFAULT
from domain.staff.desk import Case, in_turn, terms
from domain.staff.ledger import ROOM, Ledger
from domain.staff.payable import owing, still_owed


class Cashier:
    """Writes batches and what they pay. Its methods may be called from several threads and processes."""

    def __init__(self, log: Log) -> None:
        """Write to this log, by the terms of the policy in force."""
        self.log = log

    def draft(self, case: Case, command: DraftPayout, *, at: Instant) -> tuple[str, int]:
        """Draft a batch; returns its name and the log position at which it can be read.

        Raises:
            IllegalStep: the log holds no such finding, or the members or amounts are not those of the incident.
        """
        return in_turn(self.log, lambda: self._draft(case, command, at))

    def approve(self, batch: str, *, by: str, why: str = "", at: Instant) -> int:
        """Let a batch be paid and pay all of it; called again, go on where that stopped. Returns the position.

        Raises:
            IllegalStep: the batch does not exist, is withdrawn, or needs the word of another person.
        """
        position = in_turn(self.log, lambda: self._approve(batch, by, why, at))
        known = Streams(self.log.store, ROOM)  # else each slice would read anew what all slices before it wrote
        while (paid_up_to := self.pay_on(batch, at=at, known=known)) is not None:
            position = paid_up_to
        return position

    def pay_on(self, batch: str, *, at: Instant, known: Streams | None = None) -> int | None:
        """Pay the next slice of an approved batch; returns the position, or nothing where none is left.

        ``known`` keeps what one slice has read for the next; it is for one thread.
        """
        return in_turn(self.log, lambda: self._pay_on(batch, at, known))

    def withdraw(self, batch: str, *, by: str, why: str = "", at: Instant) -> int:
        """Pay nobody by a batch any more; returns the position.

        Raises:
            IllegalStep: the batch does not exist, or all of it has been paid.
        """
        return in_turn(self.log, lambda: self._withdraw(batch, by, why, at))

    def read(self, batch: str) -> Payout:
        """Read how far a batch has come.

        Raises:
            IllegalStep: the batch does not exist.
        """
        return _existing(Ledger(self.log), batch)

    def _draft(self, case: Case, command: DraftPayout, at: Instant) -> tuple[str, int]:
        ledger, policies = Ledger(self.log), self._policies()
        mine = [one.name for one in self.log.store.related([_batches(case.id)], -FOREVER, FOREVER)]
        ledger.work.load(mine)
        known = _drafted_before(command, [(name, ledger.work.state(name)) for name in mine])
        if known is not None:
            return known, self.log.store.last_position()
        owes = owing(ledger.work.state(case.stream), case.id, command, policies)
        name = f"payout-{case.id.removeprefix('incident-')}-{len(mine) + 1}"
        head = _head(case, command, owes.currency, at)
        ledger.work.record(name, draft(head, owes.members, terms(in_force(policies, at))))
        return name, self._store(ledger, Beside(relate=[Related(_batches(case.id), at, name)]))

    def _approve(self, batch: str, by: str, why: str, at: Instant) -> int:
        ledger = Ledger(self.log)
        payout = _existing(ledger, batch)
        ledger.work.record(batch, approve(payout, by, why, at, terms(in_force(self._policies(), at))))
        return self._store(ledger)

    def _withdraw(self, batch: str, by: str, why: str, at: Instant) -> int:
        ledger = Ledger(self.log)
        ledger.work.record(batch, withdraw(_existing(ledger, batch), by, why, at))
        return self._store(ledger)

    def _pay_on(self, batch: str, at: Instant, known: Streams | None) -> int | None:
        ledger = Ledger(self.log, known)
        with ledger.work:
            return self._pay_slice(ledger, batch, at)

    def _pay_slice(self, ledger: Ledger, batch: str, at: Instant) -> int | None:
        payout, policies = _existing(ledger, batch), self._policies()
        drafted, approved = payout.drafted, payout.approved
        if payout.status != "approved" or drafted is None or approved is None:
            return None
        some = payout.waiting[:SLICE]
        ledger.load(one.order_id for one in some)
        ledger.work.load((drafted.incident, drafted.about))
        owed = still_owed(ledger.work.state(drafted.about), policies, (one.member for one in some))
        now = Situation(at, self.log.store.last_position(), terms=terms(in_force(policies, at)))
        skipped: list[Skipped] = []
        for one in some:
            try:
                _must_be_owed(drafted, one, owed)
                _pay(ledger, drafted, _command(batch, drafted, approved, one), now)
            except IllegalStep as refused:
                skipped.append(Skipped(member=one.member, code=refused.code, reason=refused.reason))
        left_out = {one.member for one in skipped}
        paid = tuple(one.member for one in some if one.member not in left_out)
        ledger.work.record(batch, (PayoutPaid(at=at, paid=paid, skipped=tuple(skipped)),))
        return self._store(ledger)

    def _store(self, ledger: Ledger, beside: Beside | None = None) -> int:
        position = self.log.append(ledger.work.pending, beside or Beside()) if ledger.work.pending else None
        return self.log.store.last_position() if position is None else position

    def _policies(self) -> list[Adopted]:
        return adopted(self.log) or [Adopted(-FOREVER, DEFAULT)]


def _batches(incident: str) -> str:
    return f"batches {incident}"


def _head(case: Case, command: DraftPayout, currency: str, at: Instant) -> PayoutDrafted:
    return PayoutDrafted(
        at=at,
        by=command.by,
        why=command.why,
        incident=case.id,
        about=case.stream,
        form=command.form,
        currency=currency,
        members=0,
        total="0",
        evidence=command.evidence,
        command_id=command.command_id,
        digest=command.digest,
    )


def _drafted_before(command: DraftPayout, known: Sequence[tuple[str, Payout]]) -> str | None:
    """Name the batch that this very command has drafted, if it has."""
    for name, payout in known:
        drafted = payout.drafted
        if drafted is not None and command.command_id and drafted.command_id == command.command_id:
            if drafted.digest != command.digest:
                raise IllegalStep("command_id_reused", "Another command was carried out under this id.")
            return name
    return None


def _existing(ledger: Ledger, batch: str) -> Payout:
    if not batch.startswith("payout-"):
        raise IllegalStep("no_batch", "There is no batch of this id.")
    payout: Payout = ledger.work.state(batch)
    if payout.drafted is None:
        raise IllegalStep("no_batch", "There is no batch of this id.")
    return payout


def _must_be_owed(drafted: PayoutDrafted, member: PayoutMember, owed: frozenset[str] | None) -> None:
    """Refuse a buyer who is owed no difference any more, whatever settled it since the draft.

    Raises:
        IllegalStep: he is not.
    """
    is_line = drafted.form == "price_difference" and len(parts(member.member)) > 1
    if owed is not None and is_line and member.member not in owed:
        raise IllegalStep("no_longer_owed", "This difference has been settled since, or the price was a mistake.")


def _command(batch: str, drafted: PayoutDrafted, approved: PayoutApproved, member: PayoutMember) -> Compensate:
    return Compensate(
        by=approved.by,
        why=drafted.why,
        member=member.member,
        amount=member.amount,
        currency=drafted.currency,
        form=drafted.form,
        order_id=member.order_id,
        evidence=drafted.evidence,
        batch=batch,
    )


def _pay(ledger: Ledger, drafted: PayoutDrafted, command: Compensate, now: Situation) -> None:
    state: Incident = ledger.work.state(drafted.incident)
    account = ledger.account(command.order_id or "")
    approvals = tuple(dict.fromkeys((drafted.by, command.by)))
    paid = pay(replace(state, id=drafted.incident), command, approvals, now._replace(account=account))
    ledger.work.record(drafted.incident, (paid,))
    ledger.write(drafted.incident, (paid,))
