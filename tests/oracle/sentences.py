"""More short sentences to tell a world in: what happens to parcels, items and complaints, and what is found."""

from typing import Any

from tests.oracle.story import Event, at, event, hours
from tests.oracle.whole import oracle

ELSEWHERE = "/elsewhere"
Found = tuple[str, float | None, float | None]


def scan(time: float, status: str, parcel: str = "P", **more: Any) -> Event:
    """Scan a parcel of order O unless it names something else."""
    more = more if more.keys() & {"fulfillment_ids", "order_ids"} else more | {"order_ids": ["O"]}
    key = more.pop("key", f"{status}@{time:g}/{parcel}")
    return event("parcel.scanned", time, key=key, parcel_id=parcel, status=status, **more)


def label(time: float, parcel: str = "P", number: str = "N", carrier: str = "sf", **more: Any) -> Event:
    """Label a parcel of order O unless it names something else."""
    more = more if more.keys() & {"fulfillment_ids", "order_ids"} else more | {"order_ids": ["O"]}
    key = more.pop("key", f"label@{time:g}/{parcel}")
    return event("parcel.labelled", time, key=key, parcel_id=parcel, carrier=carrier, tracking_number=number, **more)


def voided(time: float, parcel: str = "P", **more: Any) -> Event:
    """Void a parcel."""
    return event("parcel.voided", time, key=f"void@{time:g}/{parcel}", parcel_id=parcel, **more)


def pieces(*items: str) -> list[dict[str, Any]]:
    """Read pieces written as ``order:sku:quantity`` or ``order:sku:quantity:line``."""
    words = [item.split(":") for item in items]
    return [
        {"order_id": word[0], "sku": word[1], "quantity": int(word[2])} | ({"line_id": word[3]} if word[3:] else {})
        for word in words
    ]


def box(time: float, parcel: str, *contents: str, expected: tuple[str, ...] = (), **more: Any) -> Event:
    """Pack a parcel."""
    more |= {"expected": pieces(*expected)} if expected else {}
    key = more.pop("key", f"box@{time:g}/{parcel}")
    return event("parcel.packed", time, key=key, parcel_id=parcel, contents=pieces(*contents), **more)


def item(kind: str, time: float, order: str = "O", sku: str = "A") -> Event:
    """Tell what happened to an item on its way out of the shelf."""
    return event(f"item.{kind}", time, key=f"{kind}@{time:g}/{order}:{sku}", order_id=order, sku=sku)


def opened(time: float, complaint: str = "C", **more: Any) -> Event:
    """Open a complaint about order O unless it names something else."""
    more = {"order_id": "O", "channel": "chat"} | more
    return event("complaint.opened", time, key=f"opened@{time:g}/{complaint}", complaint_id=complaint, **more)


def case(kind: str, time: float, complaint: str = "C", **more: Any) -> Event:
    """Tell what else happened to a complaint."""
    return event(f"complaint.{kind}", time, key=f"{kind}@{time:g}/{complaint}", complaint_id=complaint, **more)


def promised(time: float, deliver_by: float, agreed_by: str = "customer") -> Event:
    """Move the date of delivery of order O."""
    return event("order.promise_changed", time, order_id="O", deliver_by=at(deliver_by), agreed_by=agreed_by)


def beat(time: float, source: str = ELSEWHERE) -> Event:
    """Hear from a feed."""
    return event("feed.heartbeat", time, source=source, key=f"beat@{time:g}")


def whole(*events: Event, now: float = 999, **policy: Any) -> list[dict[str, Any]]:
    """Return all that is found when time stands at ``now``; every source but /elsewhere is alive by default."""
    return oracle([*events, beat(now, "/s")], policy)


def found(kind: str, *events: Event, now: float = 999, **policy: Any) -> list[Found]:
    """Return (subject, due, ended) of what is found of one kind."""
    some = (one for one in whole(*events, now=now, **policy) if one["kind"] == kind)
    return [(one["subject"], hours(one["due_at"]), hours(one["ended_at"])) for one in some]
