"""Given, when, then: facts in hours after dawn, what they make of an order, and a desk that takes them in.

Facts name themselves by what they say and when; members that are instants are given in hours as well.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import msgspec

from consumers.translate import Translator
from domain.catalogue import Heartbeat
from domain.complaints import complaint
from domain.detection import Stored
from domain.detectors import late_shipment
from domain.errors import Unreadable
from domain.events import Fact
from domain.history.batch import Batch, Foreign, Incoming, Raw, Slice
from domain.history.log import Log
from domain.history.streams import Streams, Work
from domain.instant import HOUR, Instant, instant, iso
from domain.intake.attempt import Taken
from domain.intake.intake import Intake
from domain.judging.adoption import adopt
from domain.judging.report import final
from domain.naming import stream
from domain.orders import order
from domain.orders.order import Content, Line, Order
from domain.parcels import events as parcel_events
from domain.parcels.parcel import Parcel
from domain.policies.policy import DEFAULT, Policy, load
from domain.tracker import Tracker
from tests.stores.engine import file_log, memory_log  # noqa: F401  # where stories are told

DAWN: Final[Instant] = instant(datetime(2026, 3, 1, tzinfo=UTC))
LATER: Final[Instant] = DAWN + 9999 * HOUR
PARTITION: Final = "test/orders/0"
_TIMES: Final = ("ship_by", "deliver_by", "starts_at", "estimated_delivery")
F = TypeVar("F", bound=Fact)


def at(hours: float) -> Instant:
    """Give the instant so many hours after dawn."""
    return DAWN + round(hours * HOUR)


def hours(at_instant: Instant | None) -> float | None:
    """Read an instant back as hours after dawn."""
    return None if at_instant is None else (at_instant - DAWN) / HOUR


def fact(kind: type[F], when: float, *, key: str = "", source: str = "/s", **members: Any) -> F:
    """Say something of the world, so many hours after dawn."""
    times = {name: at(members[name]) for name in _TIMES if members.get(name) is not None}
    name = key or f"{kind.TOPIC.rpartition('.v')[0]}@{when:g}"
    return kind(at=at(when), source=source, id=name, **(members | times))


def line(line_id: str, sku: str = "A", quantity: int = 1, **more: Any) -> Line:
    """Describe a line of an order."""
    return Line(line_id=line_id, sku=sku, quantity=quantity, **more)


def piece(sku: str = "A", quantity: int = 1, line_id: str | None = None, of: str = "O") -> Content:
    """Describe what lies in a parcel."""
    return Content(order_id=of, sku=sku, quantity=quantity, line_id=line_id)


def placed(when: float = 0, *lines: Line, of: str = "O", **more: Any) -> order.OrderPlaced:
    """Place order O, with one piece of A unless said otherwise."""
    key = {} if of == "O" else {"key": f"order.placed-{of}@{when:g}"}
    return fact(order.OrderPlaced, when, order_id=of, lines=lines or (line("1"),), **(key | more))


def approved(when: float, of: str = "O") -> order.OrderApproved:
    """Approve order O."""
    return fact(order.OrderApproved, when, order_id=of)


def requested(when: float = 0, name: str = "F", of: str = "O", **more: Any) -> order.FulfillmentRequested:
    """Ask warehouse W for a fulfilment; lines are pairs of line and quantity."""
    lines = tuple(order.RequestedLine(*pair) for pair in more.pop("lines", ()))
    members = {"key": f"{name}@{when:g}", "warehouse_id": "W"} | more
    return fact(order.FulfillmentRequested, when, fulfillment_id=name, order_id=of, lines=lines, **members)


def moved(when: float, ship_by: float, agreed_by: str = "customer", **more: Any) -> order.PromiseChanged:
    """Move the promise."""
    return fact(order.PromiseChanged, when, ship_by=ship_by, agreed_by=agreed_by, **({"order_id": "O"} | more))


def held(when: float, reason: str = "payment", **more: Any) -> order.OrderHeld:
    """Stop the clock."""
    return fact(order.OrderHeld, when, reason=reason, **({"order_id": "O"} | more))


def released(when: float, reason: str = "payment", **more: Any) -> order.OrderReleased:
    """Let the clock go on."""
    return fact(order.OrderReleased, when, reason=reason, **({"order_id": "O"} | more))


def cancelled(when: float, *line_ids: str, of: str = "O") -> order.OrderCancelled:
    """Cancel lines, or the order."""
    return fact(order.OrderCancelled, when, order_id=of, line_ids=line_ids)


def packed(when: float, name: str, *contents: Content, **more: Any) -> parcel_events.ParcelPacked:
    """Close a parcel."""
    key = {"key": f"packed-{name}@{when:g}"} | more
    return fact(parcel_events.ParcelPacked, when, parcel_id=name, contents=contents, **key)


def labelled(when: float, name: str = "P", number: str = "N", **more: Any) -> parcel_events.ParcelLabelled:
    """Print a label of carrier SF."""
    members = {"key": f"labelled-{name}@{when:g}", "carrier": "SF"} | more
    return fact(parcel_events.ParcelLabelled, when, parcel_id=name, tracking_number=number, **members)


def scanned(
    when: float, name: str | None = "P", status: str | None = "picked_up", **more: Any
) -> parcel_events.ParcelScanned:
    """Scan a parcel, which carries fulfilment F unless it names something else."""
    names = {} if more.keys() & {"order_ids", "fulfillment_ids"} else {"fulfillment_ids": ("F",)}
    members = {"key": f"scanned-{name}@{when:g}"} | names | more
    return fact(parcel_events.ParcelScanned, when, parcel_id=name, status=status, **members)


def voided(when: float, name: str = "P") -> parcel_events.ParcelVoided:
    """Void a label."""
    return fact(parcel_events.ParcelVoided, when, key=f"voided-{name}@{when:g}", parcel_id=name)


def complained(when: float, name: str = "C", **more: Any) -> complaint.ComplaintOpened:
    """Open a complaint."""
    return fact(complaint.ComplaintOpened, when, complaint_id=name, channel="phone", **more)


def heartbeat(when: float, source: str = "/s") -> Heartbeat:
    """Say that a feed is alive."""
    return fact(Heartbeat, when, source=source)


class _NothingStored:
    def select_streams(self, _streams: Iterable[str], _up_to: int | None = None) -> list[Any]:
        return []


class Given:
    """What is known once these facts have been heard, in this order; nothing is stored."""

    def __init__(self, *facts: Fact) -> None:
        """Hear them."""
        self.work = Work(Streams(_NothingStored(), 10_000))  # type: ignore[arg-type]  # all that reading needs
        self.intake = Intake(self.work)
        self.hear(*facts)

    def hear(self, *facts: Fact) -> None:
        """Hear more, as one batch."""
        for one in facts:
            self.intake.take(one)
        self.intake.tell()

    def order(self, identity: str = "O") -> Order:
        """Give an order as it is known."""
        state = self.work.state(stream("order", identity))
        assert isinstance(state, Order)
        return state

    def parcel(self, identity: str = "P") -> Parcel:
        """Give a parcel as it is known."""
        state = self.work.state(stream("parcel", identity))
        assert isinstance(state, Parcel)
        return state


def late(*facts: Fact, now: float = 99, policy: Policy = DEFAULT) -> list[tuple[str, float | None, float | None]]:
    """Say (subject, due, ended) of what is late in order O."""
    found = late_shipment.findings(Given(*facts).order(), at(now), policy)
    return [(one.subject, hours(one.due_at), hours(one.ended_at)) for one in found]


def counting(rule: str, value: str) -> Policy:
    """Make a policy with one setting of late_shipment."""
    return load(f'[late_shipment]\n{rule} = "{value}"')


def written(one: Fact) -> bytes:
    """Write a fact as the CloudEvent that a producer would send."""
    data = {k: v for k, v in msgspec.to_builtins(one).items() if k not in {"at", "source", "id", "via"}}
    data |= {name: iso(data[name]) for name in _TIMES if name in data}
    return msgspec.json.encode(
        {"specversion": "1.0", "id": one.id, "source": one.source, "type": one.TOPIC, "time": iso(one.at), "data": data}
    )


def raw(value: bytes | None, **headers: str | bytes) -> Raw:
    """Give bytes the form of a record; header names are written with ``_`` for ``-`` except after ``ce``."""
    pairs = [(name if name.startswith("ce_") else name.replace("_", "-"), text) for name, text in headers.items()]
    encoded = tuple((name, text if isinstance(text, bytes) else text.encode()) for name, text in pairs)
    return Raw("orders.events.v1", 0, b"k", value, encoded, None)


Said = Fact | Foreign | Unreadable | bytes


class Desk:
    """A tracker over a log, told what happens by the message."""

    def __init__(self, log: Log, policy: str = "", *, adopted_at: float = 0) -> None:
        """Adopt a policy and begin to take in."""
        self.log = log
        self.tracker = Tracker(log, adopt(log, policy, at(adopted_at)))

    def batch(self, *said: Said, partition: str = PARTITION, first: int | None = None) -> Batch:
        """Put messages in the form of a poll of one partition, after what was taken in before or at ``first``."""
        known = self.log.store.positions().get(partition)
        start = first if first is not None else (known.next if known else 0)
        expected = first if first is not None else (known.next if known else None)
        records = tuple(_incoming(offset, one) for offset, one in enumerate(said, start))
        return Batch((Slice(partition, "orders.events.v1", 0, expected, start + len(said), records),), LATER)

    def take(self, *said: Said, until: float = -9999, partition: str = PARTITION) -> Taken:
        """Take messages in while time stands at ``until``."""
        return self.tracker.take(self.batch(*said, partition=partition), at(until))

    def tick(self, until: float) -> int:
        """Let time come to ``until``."""
        return self.tracker.tick(at(until))

    def found(self) -> list[tuple[str, str, float | None, float | None]]:
        """Say (state, subject, due, ended) of every finding in the log."""
        return [_shown(one) for one in final(self.log)]

    def held_back(self) -> list[tuple[int, str]]:
        """Say (offset, code) of what is in quarantine."""
        return [(one.offset, one.code) for _, _, one in self.log.store.quarantined()]


def _shown(one: Stored) -> tuple[str, str, float | None, float | None]:
    return one.state, one.finding.subject, hours(one.finding.due_at), hours(one.finding.ended_at)


def incoming_of(value: bytes, now: Instant = LATER, offset: int = 0) -> Incoming:
    """Read a message."""
    return Translator({}).incoming(offset, raw(value), now)


def _incoming(offset: int, said: Said) -> Incoming:
    if isinstance(said, Fact):
        said = written(said)
    if isinstance(said, bytes):
        return incoming_of(said, offset=offset)
    return Incoming(offset, said, b"", raw(b"?"))


def topics(log: Log) -> list[str]:
    """List the names of all events of a log, in order."""
    return [row.topic for row in log.store.select_rows(0, 10_000)]
