"""The whole input, sorted once, and laid out by order, parcel, complaint and item for the oracles to ask."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.oracle.late_shipment import BEHIND, NEVER, Fact, instant, numbers, parcel_of, written

DAWN_OF_TIME = datetime.min.replace(tzinfo=UTC)
NO_POSSESSION = frozenset({"label_created", "cancelled", "unknown"})
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
Finding = dict[str, Any]


def duration(text: str) -> timedelta:
    """Read a duration of the policy, such as ``72h``."""
    number, unit = re.fullmatch(r"(\d+)([smhdw])", text.strip()).groups()  # type: ignore[union-attr]  # a policy that was read is well formed
    return timedelta(**{UNITS[unit]: int(number)})


def end_of(at: datetime) -> Fact:
    """Stand behind all that happens at an instant."""
    return Fact(at, BEHIND, "", "", {})


class Order:
    """All that was ever said of one order."""

    def __init__(self, key: str, facts: Sequence[Fact]) -> None:
        """Read its sorted facts: the first placing and the first request of a fulfilment count."""
        self.id, self.facts = key, facts
        self.placed = next((fact for fact in facts if fact.type == "order.placed.v1"), None)
        self.lines: list[dict[str, Any]] = list(self.placed.data["lines"]) if self.placed else []
        self.cancellations = [fact for fact in facts if fact.type == "order.cancelled.v1"]
        self.asked: dict[str, Any] = {}
        for fact in (fact for fact in facts if fact.type == "fulfillment.requested.v1"):
            self.asked.setdefault(fact.data["fulfillment_id"], fact.data.get("lines") or self.lines)
        if self.placed and not self.asked:  # no id is empty: an order without ship_by has a nameless one
            self.asked = {key if self.placed.data.get("ship_by") else "": self.lines}

    def ordered(self, upto: datetime | Fact) -> dict[str, int]:
        """Say what is ordered and not cancelled after a fact, or after all of an instant, by line."""
        last = upto if isinstance(upto, Fact) else end_of(upto)
        gone = [fact.data.get("line_ids") for fact in self.cancellations if fact <= last]
        alive = {line["line_id"]: line["quantity"] for line in self.lines}
        return {line: 0 if any(not x or line in x for x in gone) else count for line, count in alive.items()}

    def gone(self, sku: str | None = None) -> datetime:
        """Say since when the whole order, or all of it that is of one SKU, is cancelled."""
        mine = [line["line_id"] for line in self.lines if sku in {None, line["sku"]}]
        for fact in self.cancellations:
            left = self.ordered(fact.at)
            if not fact.data.get("line_ids") or (mine and not any(left[line] for line in mine)):
                return fact.at
        return NEVER

    def carried(self, fulfilment: str) -> list[tuple[str, int]]:
        """List (line, quantity) of a fulfilment; without a quantity it is all that was ordered."""
        count = {line["line_id"]: line["quantity"] for line in self.lines}
        return [(x["line_id"], x.get("quantity") or count.get(x["line_id"], 0)) for x in self.asked[fulfilment]]

    def fill(self, lacks: list[list[Any]], packing: Fact, allowed: Iterable[str]) -> None:
        """Take what was packed for this order out of [fulfilment, line, quantity]: by line, else by SKU."""
        sku = {line["line_id"]: line["sku"] for line in self.lines}
        for item in (item for item in packing.data["contents"] if item["order_id"] == self.id):
            left, line = item["quantity"], item.get("line_id")
            for need in (need for need in lacks if need[0] in allowed):
                if need[1] == line if line in sku else sku.get(need[1]) == item["sku"]:
                    used = min(left, need[2])
                    left, need[2] = left - used, need[2] - used


class Parcel:
    """All that was ever said of one parcel."""

    def __init__(self, key: str, facts: Sequence[Fact]) -> None:
        """Read its sorted facts; a scan without a known status proves that its source lives, and no more."""
        self.id, self.scanned = key, [fact for fact in facts if fact.type == "parcel.scanned.v1"]
        self.scans = [scan for scan in self.scanned if scan.data.get("status") not in {None, "unknown"}]
        self.labels = [fact for fact in facts if fact.type == "parcel.labelled.v1"]
        self.packings = [fact for fact in facts if fact.type == "parcel.packed.v1"]
        self.replaced_by = next((x.data.get("replaced_by") for x in facts if x.type == "parcel.voided.v1"), None)
        self.void = next((fact.at for fact in facts if fact.type == "parcel.voided.v1"), NEVER)
        self.taken = next((scan for scan in self.scans if scan.data["status"] not in NO_POSSESSION), None)
        said = [fact.data for fact in (*self.labels, *self.scans)]
        self.fulfilments = {name for data in said for name in data.get("fulfillment_ids") or ()}
        self.named = {name for data in said for name in data.get("order_ids") or ()}
        self.orders: set[str] = self.named | {
            item["order_id"] for packing in self.packings[-1:] for item in packing.data["contents"]
        }
        carriers = [fact.data.get("carrier") for fact in (*reversed(self.labels), *reversed(self.scans))]
        self.carrier: str | None = next((name for name in carriers if name), None)

    def packed(self, upto: Fact) -> Fact | None:
        """Return the packing record that holds after all up to this fact."""
        return next((fact for fact in reversed(self.packings) if fact <= upto), None)

    def of(self, order: Order, packing: Fact) -> set[str]:
        """Name the order's fulfilments that a packed parcel is for: the named ones, else all."""
        named = set(packing.data.get("fulfillment_ids") or self.fulfilments)
        return named & order.asked.keys() or set(order.asked)

    def filling(self, order: Order, packing: Fact) -> set[str]:
        """Name the order's fulfilments that a packed parcel holds something of, unless it names them itself."""
        named = set(packing.data.get("fulfillment_ids") or self.fulfilments) & order.asked.keys()
        mine = [item for item in packing.data["contents"] if item["order_id"] == order.id]
        held = {item.get("line_id") for item in mine} | {item["sku"] for item in mine}
        lines = {line["line_id"] for line in order.lines if {line["line_id"], line["sku"]} & held}
        filled = {name for name in order.asked if lines & {line for line, _ in order.carried(name)}}
        return named or filled


class World:
    """Everything there is to know, and where time stands."""

    def __init__(self, events: Sequence[Mapping[str, Any]], policy: Mapping[str, Any]) -> None:
        """Take each event once and sort."""
        if policy.get("carrier_codes") or policy.get("calendars", {}).keys() - {"carriers"}:
            raise ValueError("tables of carrier codes, and other calendars than carriers', are not worked out here")
        once: dict[tuple[str, str], Mapping[str, Any]] = {}
        for event in (event for event in events if event.get("time")):
            once.setdefault((event["source"], event["id"]), event)
        self.policy, self.alive = policy, defaultdict[str, datetime](lambda: DAWN_OF_TIME)
        told = (Fact(instant(e["time"]), e["source"], e["id"], e["type"], e.get("data") or {}) for e in once.values())
        self.facts = sorted(told)
        for fact in self.facts:
            self.alive[fact.source] = fact.at  # they are sorted: the last is the largest
        self.end = self.facts[-1].at if self.facts else DAWN_OF_TIME
        self.orders = {key: Order(key, facts) for key, facts in self.by("order_id", "order.", "fulfillment.").items()}
        self.complaints = self.by("complaint_id", "complaint.")
        self.about = defaultdict[str, list[list[Fact]]](list)  # order -> complaints
        for told_of in self.complaints.values():
            for key in {fact.data["order_id"] for fact in told_of if fact.data.get("order_id")}:
                self.about[key].append(told_of)
        self.parcels = self.gathered()
        self.holding = defaultdict[str, list[Parcel]](list)  # order -> parcels, whatever they held it for
        for parcel in self.parcels.values():
            items = (item for packing in parcel.packings for item in packing.data["contents"])
            for key in parcel.orders | {item["order_id"] for item in items}:
                self.holding[key].append(parcel)

    def by(self, member: str, *families: str) -> dict[str, list[Fact]]:
        """Group the facts of some families by one member."""
        groups = defaultdict[str, list[Fact]](list)
        for fact in (fact for fact in self.facts if fact.type.startswith(families)):
            groups[fact.data[member]].append(fact) if member in fact.data else None
        return dict(groups)

    def gathered(self) -> dict[str, Parcel]:
        """Join scans by number to their parcels, and parcels by fulfilment to their orders."""
        labels = numbers(self.facts)
        groups = defaultdict[str, list[Fact]](list)
        for fact in (fact for fact in self.facts if fact.type.startswith("parcel.")):
            if key := parcel_of(fact, labels):
                groups[key].append(fact)
        parcels = {key: Parcel(key, groups[key]) for key in sorted(groups)}
        orders_of = defaultdict[str, set[str]](set)
        for order in self.orders.values():
            for name in order.asked:
                orders_of[name].add(order.id)
        for parcel in parcels.values():
            names = {name for packing in parcel.packings[-1:] for name in packing.data.get("fulfillment_ids") or ()}
            parcel.orders.update(*(orders_of[name] for name in names | parcel.fulfilments))
        return parcels

    def setting(self, table: str, key: str, default: str) -> timedelta:
        """Read one duration of the policy."""
        return duration(self.policy.get(table, {}).get(key, default))

    def cancelled(self, orders: Iterable[str]) -> datetime:
        """Say since when all of some orders are cancelled."""
        return max((self.orders[key].gone() if key in self.orders else NEVER for key in orders), default=NEVER)

    def found(
        self,
        kind: str,
        subject: str,
        due: datetime,
        ended: datetime,
        orders: Iterable[str],
        *,
        since: datetime | None = None,
        rule: str | None = None,
        knowable: datetime | None = None,
    ) -> list[Finding]:
        """Write a finding the way the contract does, or none where it does not hold by now."""
        # What a placing makes known is known from that very instant on, even if that is the last of all.
        if (due if kind == "late_delivery" else max(due, knowable or due)) >= self.end or ended <= due:
            return []
        finding: Finding = {"kind": kind, "subject": subject, "since": written(since or due), "due_at": written(due)}
        finding |= {"ended_at": None if ended == NEVER else written(ended)}
        finding |= {"state": "open" if ended == NEVER else "ended", "order_ids": sorted(orders), "rule": rule}
        return [finding | {"knowable_at": written(knowable) if knowable and knowable > due else None}]
