"""A made-up marketplace over months: many sellers, shared and split parcels, and dates as wrong as real ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

from tests.generator.troubles import REGIONS, pack, tell_complaints, tell_shelf, tell_way

Event = dict[str, Any]
Line = Mapping[str, Any]

OPENING = datetime(2017, 1, 2, tzinfo=UTC)
ORDERS_A_DAY = 25
HUBS = 40
NUMBERS = 500  # then carriers begin again
SHOP, HUB_FEED = "/shops/market", "/hubs"
LOCAL = timezone(timedelta(hours=-3))
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
POSSESSION = ("picked_up", "picked_up", "picked_up", "in_transit", "arrived_facility", "departed_facility")


@dataclass
class Told:
    """An event and when it was sent, which is its time unless a clock was wrong."""

    event: Event
    sent: datetime


@dataclass
class Load:
    """Something on its way to a carrier: pieces of one fulfilment."""

    order: str
    fulfilment: str
    items: list[Line]
    ready: datetime
    due: datetime


def items_of(order: str, lines: Sequence[Line]) -> list[Line]:
    """Turn lines of an order into contents of a parcel."""
    return [{"order_id": order, **line} for line in lines]


@dataclass
class Market:
    """Writes the season of one seed; the same seed and size give the same bytes on every machine."""

    seed: int
    told: list[Told] = field(default_factory=list)
    parcels: int = 0
    last: datetime = OPENING

    def __post_init__(self) -> None:
        """Throw no other dice than this one."""
        self.dice = Random(self.seed)

    def chance(self, percent: float) -> bool:
        """Say yes in so many of a hundred cases."""
        return self.dice.random() * 100 < percent

    def after(self, at: datetime, first: float, last: float) -> datetime:
        """Return an instant so many days later, to the second."""
        return at + timedelta(seconds=int(self.dice.uniform(first, last) * DAY.total_seconds()))

    def tell(
        self,
        kind: str,
        at: datetime,
        source: str,
        data: Mapping[str, object],
        sent: datetime | None = None,
    ) -> None:
        """Tell one event in the words of the contract."""
        zone = LOCAL if source == SHOP else UTC
        event = {
            "specversion": "1.0",
            "id": f"market-{len(self.told):07d}",
            "source": source,
            "type": f"{kind}.v1",
            "subject": next(iter(data.values()), source),
            "time": at.astimezone(zone).isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }
        self.told.append(Told(event, sent or at))
        self.last = max(self.last, at, sent or at)

    def run(self, orders: int) -> list[Told]:
        """Tell so many orders, and a last heartbeat of the shop two days after everything else."""
        waiting: dict[str, Load] = {}
        for number in range(orders):
            placed = self.after(OPENING + number * DAY / ORDERS_A_DAY, 0, 0.5)
            for hub, load in self.tell_order(f"M{number:06d}", placed):
                if self.chance(15) and hub not in waiting:
                    waiting[hub] = load
                else:
                    self.tell_loads([load, *([waiting.pop(hub)] if hub in waiting else [])])
        for load in waiting.values():
            self.tell_loads([load])
        self.tell_heartbeats()
        return self.told

    def tell_heartbeats(self) -> None:
        """Let one carrier's feed beat every day, another's every week and not to the end, and the third's never."""
        end = self.last + 2 * DAY
        self.tell("feed.heartbeat", end, SHOP, {})
        for source, every, until in (("/carriers/C-1", DAY, end), ("/carriers/C-2", 7 * DAY, end - 9 * DAY)):
            at = OPENING
            while at < until:
                at += every
                self.tell("feed.heartbeat", at, source, {})

    def tell_order(self, order: str, placed: datetime) -> list[tuple[str, Load]]:
        """Tell placing to cancellation; return what its hubs have to send."""
        lines = [self.draw_line(str(number + 1)) for number in range(self.dice.choice((1, 1, 1, 1, 2, 2, 3, 4)))]
        ship_by = placed - self.dice.randrange(1, 400) * DAY if self.chance(1.5) else self.after(placed, 2, 7)
        implicit = self.chance(8)
        own_date = {"ship_by": ship_by.isoformat()} if implicit or self.chance(20) else {}
        said = {"destination": self.dice.choice(REGIONS), **own_date, **self.draw_promise(ship_by, 80)}
        self.tell("order.placed", placed, SHOP, {"order_id": order, "lines": lines, **said})
        if not self.chance(5):
            approved = self.after(max(placed, ship_by), 0, 2) if self.chance(3) else self.after(placed, 0, 0.4)
            self.tell("order.approved", approved, SHOP, {"order_id": order})
        self.tell_changes(order, placed, ship_by, lines)
        tell_shelf(self, order, lines, placed, HUB_FEED)
        tell_complaints(self, order, placed)
        if implicit:
            return [("", Load(order, order, items_of(order, lines), placed, ship_by))]
        return self.tell_requests(order, lines, placed, ship_by)

    def draw_promise(self, ship_by: datetime, percent: float) -> dict[str, str]:
        """Promise a delivery some days after shipping, mostly as a date."""
        if not self.chance(percent):
            return {}
        arrival = self.after(ship_by, 2, 12)
        date = arrival.replace(hour=0, minute=0, second=0) if self.chance(60) else arrival
        return {"deliver_by": date.isoformat()}

    def draw_line(self, line_id: str) -> Line:
        """Draw one line of an order."""
        quantity = self.dice.choice((1, 1, 1, 2, 3))
        return {"line_id": line_id, "sku": f"P{self.dice.randrange(300)}", "quantity": quantity}

    def tell_requests(
        self,
        order: str,
        lines: Sequence[Line],
        placed: datetime,
        ship_by: datetime,
    ) -> list[tuple[str, Load]]:
        """Ask each hub for its lines, or one hub for the whole order."""
        by_hub: dict[str, list[Line]] = {}
        for line in lines:
            by_hub.setdefault(f"H-{int(self.dice.paretovariate(0.6)) % HUBS}", []).append(line)
        loads = []
        for number, (hub, mine) in enumerate(by_hub.items()):
            key = f"{order}-{number + 1}"
            asked = {"lines": [{"line_id": line["line_id"]} for line in mine]} if len(by_hub) > 1 else {}
            ids = {"fulfillment_id": key, "order_id": order, "warehouse_id": hub, "seller_id": f"seller-{hub}"}
            self.tell("fulfillment.requested", placed, SHOP, {**ids, "ship_by": ship_by.isoformat(), **asked})
            loads.append((hub, Load(order, key, items_of(order, mine), placed, ship_by)))
        return loads

    def tell_changes(self, order: str, placed: datetime, ship_by: datetime, lines: Sequence[Line]) -> None:
        """Hold it, move its date or cancel it; a date is agreed on only in time, so that nothing is late twice."""
        said = {"order_id": order}
        if self.chance(4):
            reason = {"reason": self.dice.choice(("payment", "fraud", "address"))}
            held = self.after(placed, 0.1, 3)
            self.tell("order.held", held, SHOP, said | reason)
            if self.chance(90):
                self.tell("order.released", self.after(held, 0.1, 4), SHOP, said | reason)
        if self.chance(5) and ship_by > placed:
            moved = self.after(placed, 0, (ship_by - placed) / DAY * 0.9)
            agreed = {"agreed_by": self.dice.choice(("customer", "platform", "merchant"))}
            date = {"ship_by": self.after(ship_by, 1, 5).isoformat(), **self.draw_promise(ship_by + 5 * DAY, 50)}
            self.tell("order.promise_changed", moved, SHOP, said | date | agreed)
        if self.chance(4):
            gone = {"line_ids": [self.dice.choice(lines)["line_id"]]} if self.chance(50) else {}
            self.tell("order.cancelled", self.after(placed, 0.1, 12), SHOP, {**said, **gone})

    def tell_loads(self, loads: Sequence[Load]) -> None:
        """Send loads together, whole or in two parcels."""
        ready, due = max(load.ready for load in loads), min(load.due for load in loads)
        everything = [item for load in loads for item in load.items]
        apart = len(everything) > 1 and self.chance(25)
        for items in (everything[::2], everything[1::2]) if apart else (everything,):
            self.parcels += 1
            if not self.chance(2):
                contents = items if apart or self.chance(50) else []
                self.tell_parcel(f"B{self.parcels:06d}", loads, contents, self.hand_over(ready, due))

    def hand_over(self, ready: datetime, due: datetime) -> datetime:
        """Choose when a carrier takes it: mostly in time, sometimes late, seldom on the dot."""
        if due <= ready or self.chance(14):
            return self.after(max(ready, due), 0, 6)
        return due if self.chance(1.5) else self.after(ready, 0.2, (due - ready) / DAY)

    def tell_parcel(self, parcel: str, loads: Sequence[Load], contents: Sequence[Line], taken: datetime) -> None:
        """Tell the packing (if there are contents), label and scans of one parcel; some are voided and made again."""
        carrier, before = f"C-{self.dice.randrange(1, 4)}", taken - timedelta(hours=self.dice.randrange(1, 32))
        of: dict[str, object] = {"parcel_id": parcel}
        fulfilments = {"fulfillment_ids": sorted(load.fulfilment for load in loads)}
        names = {"order_ids": sorted({load.order for load in loads})} | (fulfilments if self.chance(85) else {})
        number = {"carrier": carrier, "tracking_number": f"BR{self.parcels % NUMBERS:05d}"}
        if contents:
            said = fulfilments if self.chance(50) else {}
            pack(self, {**of, **said}, contents, before, HUB_FEED)
        labelled = self.chance(75)
        if labelled:
            self.tell("parcel.labelled", before, HUB_FEED, {**of, **number, **names})
        if self.chance(3):
            again = {"parcel_id": f"{parcel}R", "status": "picked_up", **names}
            self.tell("parcel.voided", self.after(before, 0, 2), HUB_FEED, {**of, "replaced_by": f"{parcel}R"})
            self.tell("parcel.scanned", self.after(taken, 0, 3), f"/carriers/{carrier}", again)
        by_number = labelled and self.chance(30)
        self.tell_scans(carrier, {**(number if by_number else of), **({} if labelled else names)}, taken)

    def tell_scans(self, carrier: str, said: Mapping[str, object], taken: datetime) -> None:
        """Scan it from label echo to the end of its way; one clock in forty is wrong."""
        source = f"/carriers/{carrier}"
        if self.chance(20):
            echo = taken - timedelta(minutes=self.dice.randrange(5, 900))
            self.tell("parcel.scanned", echo, source, {**said, "status": "label_created"})
        wrong = {1: LONG_AGO, 2: taken - self.dice.randrange(20, 300) * DAY}.get(self.dice.randrange(80), taken)
        first = {"status": self.dice.choice(POSSESSION), "region": self.dice.choice(REGIONS)}
        self.tell("parcel.scanned", wrong, source, {**said, **first}, sent=taken)
        tell_way(self, carrier, said, taken)
