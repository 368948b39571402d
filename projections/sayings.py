"""Sayings: what may be said of an order at a position of the log, read from the log itself."""

from collections.abc import Iterable

from domain.history.batch import PolicyAdopted
from domain.history.log import LogRecorder, decode
from domain.history.streams import Stream
from domain.instant import Instant
from domain.judging.adoption import Adopted, in_force, judging
from domain.naming import stream
from domain.orders.order import Order
from domain.policies.policy import DEFAULT, Policy
from domain.staff.statements import OrderFacts, order_facts


def facts_at(log: LogRecorder, order_ids: Iterable[str], up_to: int, now: Instant) -> dict[str, OrderFacts]:
    """Say what was true of these orders when the log had come to a position; what it did not know is left out.

    Days are those of the customer's place, as the policy in force at ``now`` has it.
    """
    found: dict[str, OrderFacts] = {}
    policy = policy_at(log, now)
    for order_id in dict.fromkeys(order_ids):
        name = stream("order", order_id)
        folded = _fold(log, [name], up_to)[name]
        order: Order = folded.state
        if folded.version:
            names = {one: stream("parcel", one) for one in order.parcels}
            parcels = _fold(log, list(names.values()), up_to)
            zone = policy.zone(None if order.placed is None else order.placed.destination)
            states = {one: parcels[name].state for one, name in names.items()}
            found[order_id] = order_facts(order, states, zone, at=now, hold=policy.estimates.hold)
    return found


def _fold(log: LogRecorder, names: list[str], up_to: int) -> dict[str, Stream]:
    folded = {name: Stream(name) for name in names}
    for row in log.select_streams(names, up_to) if names else ():
        one = folded[row.stream]
        one.state = one.evolve(one.state, decode(row.topic, row.state))
        one.version = row.version
    return folded


def policy_at(log: LogRecorder, now: Instant) -> Policy:
    """Give the policy in force at an instant."""
    policies = policies_of(log)
    return in_force(policies, now) if policies else DEFAULT


def policies_of(log: LogRecorder) -> list[Adopted]:
    """List the policies that judge, earliest first; none where none was ever adopted."""
    adopted = [decode(row.topic, row.state) for row in log.select_streams(["policy"])]
    return judging(one for one in adopted if isinstance(one, PolicyAdopted))
