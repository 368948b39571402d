"""Disposing: carries out what staff want done with goods that a customer has and should not keep."""

from collections.abc import Callable

from domain.account import AccountFreed, AccountHeld
from domain.adoption import Adopted, adopted, mark
from domain.desk import in_turn
from domain.disposition import Disposition, cancel, due, prove, request
from domain.disposition_commands import CancelDisposition, ProveDisposition, RequestDisposition
from domain.disposition_events import DispositionEvent, DispositionRequested
from domain.errors import IllegalStep
from domain.events import Event
from domain.instant import FOREVER, Instant
from domain.ledger import Ledger
from domain.log import Armed, Beside, Log
from domain.naming import stream
from domain.parcel import Parcel
from domain.parcel_events import RETURNED, ParcelScanned
from domain.policy import DEFAULT


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
            IllegalStep: there is nothing to prove, or this is no proof.
        """

        def proven(ledger: Ledger, state: Disposition) -> tuple[DispositionEvent, ...]:
            asked = state.requested
            seen = None if asked is None or command.parcel_id is None else came_back(ledger, command.parcel_id, asked)
            return prove(state, command, seen, at)

        return self._carry_out(name, at, proven)

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

    def _beside(self, name: str, state: Disposition, at: Instant) -> Beside:
        again = due(state)
        if again is None:
            return Beside(disarm=[name])
        policies = adopted(self.log) or [Adopted(-FOREVER, DEFAULT)]
        return Beside(arm=[Armed(name, again, mark(policies, at))])


def came_back(ledger: Ledger, parcel_id: str, asked: DispositionRequested) -> str | None:
    """Say by which scan a parcel came back; null where none says so.

    A parcel of ours came back to its sender. One that no warehouse packed was sent by the customer, if a carrier took
    it after the goods were asked for and has delivered it.
    """
    parcel: Parcel = ledger.work.state(stream("parcel", parcel_id))
    said = [one for one in parcel.facts.of(ParcelScanned) if one.understood]
    returned = next((one.status for one in said if one.status in RETURNED), None)
    if returned is not None:
        return returned if asked.order_id in parcel.meaning.order_ids else None
    taken = next((one.at for one in said if one.possesses), None)
    if parcel.packed is not None or taken is None or taken < asked.at:
        return None
    return "delivered" if any(one.status == "delivered" for one in said) else None


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
