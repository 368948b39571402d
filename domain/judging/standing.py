"""Standing: whether anything may still become of a subject, so that another policy may see it otherwise."""

from domain.groups.backlog import Backlog
from domain.groups.cluster import Cluster
from domain.groups.price_cut import PriceCut
from domain.incidents.assurance import AssuranceGiven
from domain.instant import FOREVER
from domain.orders.delivery import Delivery
from domain.orders.fulfillment import coverage
from domain.orders.order import Order, PromiseChanged
from domain.parcels.events import TERMINAL, ParcelScanned
from domain.parcels.parcel import Parcel


def order_is_open(order: Order) -> bool:
    """Say whether anything of a placed order may still have to be handed over, or delivered where that is promised."""
    placed = order.placed
    if placed is None:
        return False
    if order.facts.of(AssuranceGiven):
        return True
    covered = coverage(order, placed)
    if not all(covered.complete(one, FOREVER) for one in covered.fulfillments):
        return True
    promised = placed.deliver_by is not None or any(one.deliver_by for one in order.facts.of(PromiseChanged))
    return promised and not Delivery.of(order, placed).complete(FOREVER)


def parcel_is_open(parcel: Parcel) -> bool:
    """Say whether a parcel may still move."""
    meaning = parcel.meaning
    if not meaning.order_ids or meaning.voided_at is not None or parcel.cancelled is not None:
        return False
    if meaning.settled is None and meaning.undone is None:
        return True
    return all(scan.status not in TERMINAL for scan in parcel.facts.of(ParcelScanned))


def backlog_is_open(backlog: Backlog) -> bool:
    """Say whether anything is still counted at a place."""
    return any(member.until is None for member in backlog.members.values())


def cluster_is_open(cluster: Cluster) -> bool:
    """Say whether anybody has noticed what one cause may have spoilt."""
    return bool(cluster.proven)


def price_cut_is_open(cut: PriceCut) -> bool:
    """Say whether anybody may be owed a difference."""
    return bool(cut.buyers)
