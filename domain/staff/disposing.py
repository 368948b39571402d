"""Disposing: carries out what staff want done with goods that a customer has and should not keep."""

from collections.abc import Callable

from domain.dispositions.commands import CancelDisposition, ProveDisposition, RequestDisposition
from domain.dispositions.disposition import Disposition, cancel, due, prove, request
from domain.dispositions.events import DispositionEvent, DispositionProven, DispositionRequested
from domain.errors import IllegalStep
from domain.events import Event
from domain.history.log import Armed, Beside, Log, Related
from domain.incidents.account import AccountFreed, AccountHeld
from domain.instant import FOREVER, Instant
from domain.judging.adoption import Adopted, adopted, mark
from domain.naming import stream
from domain.parcels.events import RETURNED, ParcelScanned
from domain.parcels.parcel import Parcel
from domain.policies.policy import DEFAULT
from domain.staff.desk import in_turn
from domain.staff.ledger import Ledger


class Disposing:
    """Writes dispositions, their deadlines, and the refunds that wait for them, each step in one transaction."""

    def __init__(self, log: Log) -> None:
        """Write to this log."""
        self.log = log

    def request(self, incident: str, command: RequestDisposition, *, at: Instant) -> tuple[str, int]:
        """Ask for goods; returns the name of the disposition and the log position at which it can be read.

        Raises:
            IllegalStep: the order is unknown, or these goods are asked for already.
        """
        name = stream("disposition", command.order_id, command.sku)
        ledger_of = Ledger(self.log)
        if not ledger_of.work.stream(stream("order", command.order_id)).version:
            raise IllegalStep("unknown_order", "The tracker knows no order of this id.")
        return name, self._carry_out(name, at, lambda _, state: request(state, command, incident, at))

    def prove(self, name: str, command: ProveDisposition, *, at: Instant) -> int:
        """Record proof; a parcel counts once a carrier has said that it came back. Returns the position.

        Raises:
            IllegalStep: there is nothing to prove, this is no proof, or it has proven something else.
        """

        def proven(ledger: Ledger, state: Disposition) -> tuple[DispositionEvent, ...]:
            asked, parcel = state.requested, command.parcel_id
            seen = None if asked is None or parcel is None else came_back(ledger, parcel, asked)
            events = prove(state, command, seen, at)
            if events and parcel is not None:
                self._must_be_unused(parcel, name)
            return events

        # What a parcel has proven stands in the index, which no stream's version guards: nobody may write in between.
        with self.log.store.writing():
            return self._attempt(_named(name), at, proven)

    def cancel(self, name: str, command: CancelDisposition, *, at: Instant) -> int:
        """Call it off; returns the position.

        Raises:
            IllegalStep: there is nothing to call off.
        """
        return self._carry_out(name, at, lambda _, state: cancel(state, command, at))

    def read(self, name: str) -> Disposition:
        """Read where it stands.

        Raises:
            IllegalStep: nobody has asked for it.
        """
        state: Disposition = Ledger(self.log).work.state(_named(name))
        if state.requested is None:
            raise IllegalStep("nothing_requested", "Nobody has asked for these goods.")
        return state

    def _carry_out(
        self, name: str, at: Instant, decide: Callable[[Ledger, Disposition], tuple[DispositionEvent, ...]]
    ) -> int:
        return in_turn(self.log, lambda: self._attempt(_named(name), at, decide))

    def _attempt(
        self, name: str, at: Instant, decide: Callable[[Ledger, Disposition], tuple[DispositionEvent, ...]]
    ) -> int:
        ledger = Ledger(self.log)
        state: Disposition = ledger.work.state(name)
        before = state.requested
        events = decide(ledger, state)
        if not events:
            return self.log.store.last_position()
        ledger.work.record(name, events)
        asked = state.requested or before
        assert asked is not None
        if asked.refund_on_proof:
            ledger.work.record(stream("account", asked.order_id), map(_for_the_account(name, asked), events))
        position = self.log.append(ledger.work.pending, self._beside(name, state, at))
        assert position is not None
        return position

    def _must_be_unused(self, parcel_id: str, name: str) -> None:
        """Refuse a parcel that has proven goods of another order, or these very goods when they were asked for before.

        One box may bring back several goods of its order.
        """
        for one in self.log.store.related([_proofs(parcel_id)], -FOREVER, FOREVER):
            if one.name == name or _order_of(one.name) != _order_of(name):
                raise IllegalStep("parcel_used", f"This parcel was taken as proof for {one.name}; name the evidence.")

    def _beside(self, name: str, state: Disposition, at: Instant) -> Beside:
        again = due(state)
        if again is None:
            ended = state.ended
            parcel = ended.parcel_id if isinstance(ended, DispositionProven) else None
            return Beside(deadlines={name: None}, relate=[] if parcel is None else [Related(_proofs(parcel), at, name)])
        policies = adopted(self.log) or [Adopted(-FOREVER, DEFAULT)]
        return Beside(deadlines={name: Armed(name, again, mark(policies, at))})


def came_back(ledger: Ledger, parcel_id: str, asked: DispositionRequested) -> str | None:
    """Say by which scan a parcel came back after the goods were asked for; null where none says so.

    A parcel of ours, which had left before, came back to its sender. One that nobody named as ours was sent by the
    customer, if a carrier took it after the goods were asked for and has delivered it.
    """
    parcel: Parcel = ledger.work.state(stream("parcel", parcel_id))
    said = [one for one in parcel.facts.of(ParcelScanned) if one.understood]
    if asked.order_id in parcel.meaning.order_ids and not _made_since(parcel, asked.at):
        return next((one.status for one in said if one.status in RETURNED and one.at >= asked.at), None)
    taken = next((one.at for one in said if one.possesses), None)
    if _is_ours(parcel) or taken is None or taken < asked.at:
        return None
    return "delivered" if any(one.status == "delivered" for one in said) else None


def _made_since(parcel: Parcel, asked_at: Instant) -> bool:
    """Say whether it was packed or labelled after the goods were asked for, and so carries others."""
    meaning = parcel.meaning
    made = [one.at for one in meaning.packings] + [one for one in (meaning.labelled_at,) if one is not None]
    return max(made, default=-FOREVER) >= asked_at


def _is_ours(parcel: Parcel) -> bool:
    """Say whether it was to go to a customer: packed or labelled by us, or named with an order or a fulfilment."""
    meaning = parcel.meaning
    return bool(meaning.packings or meaning.order_ids or meaning.awaits) or meaning.labelled_at is not None


def _proofs(parcel_id: str) -> str:
    return f"proof {parcel_id}"


def _order_of(name: str) -> str:
    """Read the order's part of a disposition's name, in which only what parts it is left as a dash."""
    return name.split("-")[1]


def _for_the_account(name: str, asked: DispositionRequested) -> Callable[[DispositionEvent], Event]:
    def told(event: DispositionEvent) -> Event:
        if isinstance(event, DispositionRequested):
            return AccountHeld(at=event.at, by=event.by, disposition=name, sku=asked.sku)
        return AccountFreed(at=event.at, by=event.by, disposition=name)

    return told


def _named(name: str) -> str:
    if not name.startswith("disposition-"):
        raise IllegalStep("nothing_requested", "Nobody has asked for these goods.")
    return name
