"""Late shipments by brute force: sort the whole input, then ask again at every instant that could matter."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any

NEVER = datetime.max.replace(tzinfo=UTC)
OURS = ("order.", "fulfillment.", "parcel.")
BEHIND = "\U0010ffff"  # sorts behind every source


@dataclass(frozen=True, order=True)
class Fact:
    """One thing that happened; facts sort, and are the same, by (time, source, id)."""

    at: datetime
    source: str
    id: str
    type: str = field(compare=False)
    data: Mapping[str, Any] = field(compare=False)


Promise = tuple[datetime, datetime, Fact | None]  # the date, since when it is in force, the event that moved it


def instant(text: str) -> datetime:
    """Read an RFC 3339 time as UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def written(at: datetime) -> str:
    """Write a world time the way findings carry it."""
    return at.isoformat().replace("+00:00", "Z")


def numbers(facts: Sequence[Fact]) -> list[Fact]:
    """List the labels, and what stands for one where none was ever printed: scans that say whose goods they are."""
    labels = [fact for fact in facts if fact.type == "parcel.labelled.v1"]
    known = {(label.data["carrier"], label.data["tracking_number"]) for label in labels}
    for scan in (f for f in facts if f.type == "parcel.scanned.v1" and f.data.get("status") not in {None, "unknown"}):
        carrier, number = scan.data.get("carrier"), scan.data.get("tracking_number")
        names = not scan.data.get("parcel_id") and (scan.data.get("order_ids") or scan.data.get("fulfillment_ids"))
        if names and (carrier, number) not in known:
            labels.append(replace(scan, data={**scan.data, "parcel_id": f"{carrier}:{number}"}))
    return labels


def parcel_of(fact: Fact, labels: Sequence[Fact]) -> str | None:
    """Name the parcel: the fact's own word, else the latest label of its number by then, else the next one."""
    number = [fact.data.get("carrier"), fact.data.get("tracking_number")]
    if fact.data.get("parcel_id") or number[1] is None:
        return fact.data.get("parcel_id")
    same = [label for label in labels if [label.data["carrier"], label.data["tracking_number"]] == number]
    by_then = [label for label in same if label.at <= fact.at]
    return str([*same[:1], *by_then][-1].data["parcel_id"]) if same else None


class Parcel:
    """All that was ever said of one parcel."""

    def __init__(self, key: str, facts: Sequence[Fact]) -> None:
        """Read its sorted facts: the first possession, the first void and the last packing record count."""
        scans = [f for f in facts if f.type == "parcel.scanned.v1" and f.data.get("status", "unknown") != "unknown"]
        said = [f.data for f in (*scans, *(f for f in facts if f.type == "parcel.labelled.v1"))]
        self.id = key
        self.fulfilments = {name for data in said for name in data.get("fulfillment_ids", ())}
        self.orders = {name for data in said for name in data.get("order_ids", ())}
        self.packed = next((f.data for f in reversed(facts) if f.type == "parcel.packed.v1"), None)
        self.names = self.fulfilments | self.orders | {i["order_id"] for i in (self.packed or {}).get("contents", ())}
        self.void = next((f.at for f in facts if f.type == "parcel.voided.v1"), NEVER)
        self.taken = next((f for f in scans if f.data["status"] not in {"label_created", "cancelled"}), None)


class Order:
    """One placed order with its fulfilments."""

    def __init__(self, told: Mapping[str, list[Fact]], parcels: Mapping[str, list[Parcel]]) -> None:
        """Take what was told of it, by type and sorted, and sort out what is needed and who may hold it."""
        self.told, self.placed = told, (placed := told["order.placed.v1"][0])
        self.id = placed.data["order_id"]
        self.sku = {line["line_id"]: line["sku"] for line in placed.data["lines"]}
        self.asked = defaultdict[str, list[Fact]](list)  # an implicit fulfilment is asked for by the placing
        for fact in told["fulfillment.requested.v1"] or ([placed] if placed.data.get("ship_by") else []):
            self.asked[fact.data.get("fulfillment_id", self.id)].append(fact)
        original = {f: [p[0] for p in self.promises(f, "original") if not p[2]] or [NEVER] for f in self.asked}
        self.needs = [need for f in sorted(self.asked, key=lambda f: (original[f], f)) for need in self.needed(f)]
        mine = {p.id: (p.taken, p) for name in (self.id, *self.asked) for p in parcels[name] if p.taken}
        self.taken = sorted(mine.values(), key=lambda pair: (pair[0].at, pair[1].id))

    def needed(self, fulfilment: str) -> list[tuple[str, str, int]]:
        """List (fulfilment, line, quantity) in the order's line order."""
        ordered = {line["line_id"]: line["quantity"] for line in self.placed.data["lines"]}
        lines = self.asked[fulfilment][0].data.get("lines") or self.placed.data["lines"]
        lines = sorted(lines, key=lambda line: [*ordered, line["line_id"]].index(line["line_id"]))
        return [(fulfilment, x["line_id"], x.get("quantity") or ordered.get(x["line_id"], 0)) for x in lines]

    def complete(self, fulfilment: str, upto: Fact) -> bool:
        """Fill what carriers have into what is needed, after all up to this fact, and see if this one lacks any."""
        gone = [fact.data.get("line_ids") for fact in self.told["order.cancelled.v1"] if fact <= upto]
        lacks = [[*need] for need in self.needs if not any(not lines or need[1] in lines for lines in gone)]
        for scan, parcel in self.taken:
            if scan <= upto and upto.at < parcel.void:
                self.fill(lacks, parcel)
        return not any(quantity for name, _, quantity in lacks if name == fulfilment)

    def fill(self, lacks: list[list[Any]], parcel: Parcel) -> None:
        """Take what one parcel holds out of what is lacking; without a packing record it holds all that it names."""
        if parcel.packed is None:
            held = parcel.fulfilments or (self.asked if self.id in parcel.orders else ())
            lacks[:] = [need for need in lacks if need[0] not in held]
            return
        allowed = self.asked.keys() & set(parcel.packed.get("fulfillment_ids", ())) or self.asked.keys()
        for item in (item for item in parcel.packed["contents"] if item["order_id"] == self.id):
            left, line = item["quantity"], item.get("line_id")
            for need in (need for need in lacks if need[0] in allowed):
                if need[1] == line if line in self.sku else self.sku.get(need[1]) == item["sku"]:
                    moved = min(left, need[2])
                    left, need[2] = left - moved, need[2] - moved

    def promises(self, fulfilment: str, rule: str) -> list[Promise]:
        """List the dates in force one after the other; the original, if any, is the request's, else the order's."""
        given = [fact for fact in (self.asked[fulfilment][0], self.placed) if fact.data.get("ship_by")]
        chain: list[Promise] = [(instant(fact.data["ship_by"]), fact.at, None) for fact in given[:1]]
        for fact in self.told["order.promise_changed.v1"]:
            agreed = rule == "latest" or (rule == "agreed" and fact.data["agreed_by"] != "merchant")
            meant = fact.data.get("fulfillment_id", fulfilment) == fulfilment and fact.data.get("ship_by")
            if meant and (agreed or not chain):
                chain.append((instant(fact.data["ship_by"]), fact.at, fact))
        return chain

    def held(self, fulfilment: str) -> list[tuple[datetime, datetime, set[Fact]]]:
        """List every stretch of every hold that concerns this fulfilment: from, until, and its switches."""
        on: dict[tuple[str | None, str], Fact] = {}
        stretches = []
        for fact in sorted([*self.told["order.held.v1"], *self.told["order.released.v1"]]):
            switch = fact.data.get("fulfillment_id"), fact.data["reason"]
            if fact.type == "order.held.v1" and switch[0] in {None, fulfilment}:
                on.setdefault(switch, fact)
            elif fact.type == "order.released.v1" and switch in on:
                stretches.append((on[switch].at, fact.at, {on.pop(switch), fact}))
        stretches += [(fact.at, NEVER, {fact}) for fact in on.values()]
        return sorted((x for x in stretches if x[0] < x[1]), key=lambda x: x[0])

    def due(self, fulfilment: str, promise: Promise) -> tuple[datetime, set[Fact]]:
        """Return the deadline of a promise, or never where it is unknown, and the switches that moved it."""
        ship_by, since, change = promise
        own_start = self.asked[fulfilment][0].data.get("starts_at")
        if own_start and instant(own_start) > ship_by:
            return NEVER, set()
        # A date that had passed when it was agreed on is due at once, not before.
        due, moved = max(ship_by, since) if change else ship_by, set[Fact]()
        since = counted = min(since, due)
        for begin, end, switches in self.held(fulfilment):
            if begin > due:
                break  # the deadline was reached before, and by no later stretch either
            due = NEVER if end == NEVER else due + max(end - max(begin, counted), timedelta(0))
            moved |= switches if end > since else set()
            counted = max(counted, end)
        return due, moved

    def ended(self, fulfilment: str, due: datetime, change: Fact | None) -> Fact | None:
        """Return the first event after the deadline that ended it, taking events one by one in sorted order."""
        could = [*(scan for scan, _ in self.taken), *self.told["order.cancelled.v1"], *([change] if change else [])]
        ends = (x for x in sorted(could) if x.at > due and (x is change or self.complete(fulfilment, x)))
        return next(ends, None)

    def findings(self, rules: Mapping[str, str], now: datetime) -> Iterator[dict[str, Any]]:
        """Yield what was late by ``now``, one finding for each promise that was broken."""
        approvals = self.told["order.approved.v1"][:1]
        for fulfilment in self.asked if approvals or rules.get("approval") != "required" else ():
            chain = self.promises(fulfilment, rules.get("promise", "agreed"))
            for promise, following in zip_longest(chain, chain[1:], fillvalue=(now, now, None)):
                due, moved = self.due(fulfilment, promise)
                if due < min(following[1], now) and not self.complete(fulfilment, Fact(due, BEHIND, "", "", {})):
                    ended = self.ended(fulfilment, due, following[2])
                    proof = {self.placed, self.asked[fulfilment][0], *approvals, *moved, *filter(None, promise[2:])}
                    knowable = (approvals or [self.placed])[0].at
                    yield {
                        "kind": "late_shipment",
                        "subject": fulfilment,
                        "since": written(due),
                        "due_at": written(due),
                        "ended_at": written(ended.at) if ended else None,
                        "state": "ended" if ended else "open",
                        "order_ids": [self.id],
                        "warehouse_id": self.asked[fulfilment][-1].data.get("warehouse_id"),
                        "proof": [f"{fact.source}#{fact.id}" for fact in sorted(proof)],
                        "knowable_at": written(knowable) if knowable > due else None,
                        "ended_by": f"{ended.source}#{ended.id}" if ended else None,
                    }


def oracle(events: Sequence[Mapping[str, Any]], policy: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the late shipments these well-formed events hold, sorted; time stands at the last of them."""
    once = {(e["source"], e["id"]): e for e in events if e.get("time")}.values()
    facts = sorted(Fact(instant(e["time"]), e["source"], e["id"], e["type"], e.get("data") or {}) for e in once)
    told: Any = defaultdict(lambda: defaultdict(list))  # order, type -> facts
    of_parcel, may_hold = defaultdict[str | None, list[Fact]](list), defaultdict[str, list[Parcel]](list)
    labels = numbers(facts)
    for fact in (fact for fact in facts if fact.type.startswith(OURS)):
        told[fact.data.get("order_id")][fact.type].append(fact)
        of_parcel[parcel_of(fact, labels)].append(fact)
    for parcel in [Parcel(key, said) for key, said in of_parcel.items() if key]:
        for name in parcel.names:
            may_hold[name].append(parcel)
    orders = [Order(mine, may_hold) for mine in told.values() if mine["order.placed.v1"]]
    found = [late for order in orders for late in order.findings(policy.get("late_shipment", {}), facts[-1].at)]
    enabled = "late_shipment" in policy.get("kinds", {}).get("enabled", ["late_shipment"])
    return sorted(found, key=lambda late: str(late["subject"])) if enabled else []
