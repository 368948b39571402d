"""What a season comes to: which clauses of the rule decided something, found by leaving parts of the season out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from tests.generator.features import Event, instant
from tests.oracle.late_shipment import oracle

Finding = Mapping[str, Any]


def is_type(*kinds: str) -> Callable[[Event], bool]:
    """Return a test for these types of event."""
    return lambda event: event["type"].removesuffix(".v1") in kinds


def scanned_by_number(event: Event) -> bool:
    """Tell whether an event is a scan that does not name its parcel."""
    return is_type("parcel.scanned")(event) and "parcel_id" not in event["data"]


def line_cancelled(event: Event) -> bool:
    """Tell whether an event cancels some lines only."""
    return is_type("order.cancelled")(event) and bool(event["data"].get("line_ids"))


def moved_by_merchant(event: Event) -> bool:
    """Tell whether an event is a promise that the merchant moved alone."""
    return is_type("order.promise_changed")(event) and event["data"]["agreed_by"] == "merchant"


def foreign(event: Event) -> bool:
    """Tell whether an event is of a family that only shares the topic."""
    return not event["type"].startswith(
        ("order.", "fulfillment.", "item.", "parcel.", "sku.", "price.", "feed.", "complaint."),
    )


LEFT_OUT: tuple[tuple[str, Callable[[Event], bool]], ...] = (
    ("a void matters", is_type("parcel.voided")),
    ("a packing record matters", is_type("parcel.packed")),
    ("a label matters", is_type("parcel.labelled")),
    ("a scan by number matters", scanned_by_number),
    ("a hold matters", is_type("order.held")),
    ("a release matters", is_type("order.released")),
    ("a promise change matters", is_type("order.promise_changed")),
    ("a promise moved by the merchant matters", moved_by_merchant),
    ("a cancelled line matters", line_cancelled),
    ("a foreign event moves time", foreign),
)


def scanned_later(event: Event) -> Event:
    """Tell a scan a millionth of a second later."""
    later = (instant(event["time"]) + timedelta(microseconds=1)).isoformat()
    return {**event, "time": later} if is_type("parcel.scanned")(event) else event


def started_at_once(event: Event) -> Event:
    """Tell a request without a start of its own."""
    return (
        {**event, "data": {k: v for k, v in event["data"].items() if k != "starts_at"}} if has_start(event) else event
    )


def has_start(event: Event) -> bool:
    """Tell whether an event is a request with a start of its own."""
    return is_type("fulfillment.requested")(event) and "starts_at" in event["data"]


def lived_longer(event: Event) -> Event:
    """Tell a heartbeat a month later."""
    later = (instant(event["time"]) + timedelta(days=30)).isoformat()
    return {**event, "time": later} if is_type("feed.heartbeat")(event) else event


OTHERWISE: tuple[tuple[str, Callable[[Event], Event]], ...] = (
    ("handed over on the dot", scanned_later),
    ("a later start spares", started_at_once),
    ("a deadline lies behind the end", lived_longer),
)


def outcomes(season: Sequence[Event], findings: Sequence[Finding], policy: Mapping[str, Any]) -> set[str]:
    """Name everything that a season came to."""
    return {*of_findings(season, findings), *of_what_matters(season, findings, policy)}


def of_findings(season: Sequence[Event], findings: Sequence[Finding]) -> Iterator[str]:
    """Name what can be read off the findings alone."""
    kinds = {f"{event['source']}#{event['id']}": event["type"] for event in season}
    held = {name for name, kind in kinds.items() if kind == "order.held.v1"}
    yield "late" if findings else "nothing late"
    if any(times > 1 for times in Counter(one["subject"] for one in findings).values()):
        yield "late by two promises"
    if any(times > 1 for times in Counter(one["order_ids"][0] for one in findings).values()):
        yield "several findings in one order"
    for one in findings:
        yield f"late, {one['state']}"
        if one["knowable_at"]:
            yield "knowable later"
        if one["knowable_at"] and one["ended_at"] and instant(one["knowable_at"]) >= instant(one["ended_at"]):
            yield "handed over before it was knowable"
        if held & set(one["proof"]):
            yield "a hold moved a deadline that was missed"
        if "order.promise_changed.v1" in {kinds[name] for name in one["proof"]}:
            yield "late by a moved promise"
        if one["warehouse_id"] is None:
            yield "implicit fulfilment late"
        if one["ended_by"]:
            yield f"ended by {kinds[one['ended_by']].removesuffix('.v1')}"


def of_what_matters(season: Sequence[Event], findings: Sequence[Finding], policy: Mapping[str, Any]) -> Iterator[str]:
    """Name the parts without which, or beside which, the outcome would have been another one."""
    before = seen(findings)
    for name, left_out in LEFT_OUT:
        rest = [event for event in season if not left_out(event)]
        if len(rest) < len(season) and seen(oracle(rest, policy)) != before:
            yield name
    if seen(oracle(without_recycling(season), policy)) != before:
        yield "a recycled number matters"
    for parcel, orders in shared(season).items():
        rest = [event for event in season if not carried_by(event, parcel)]
        changed = {order for *_, order in seen(oracle(rest, policy)) ^ before}
        if len(changed & orders) > 1:
            yield "a shared parcel matters to several orders"
    for name, otherwise in OTHERWISE:
        if seen(oracle([otherwise(event) for event in season], policy)) - before:
            yield name


def seen(findings: Sequence[Finding]) -> set[tuple[object, ...]]:
    """Reduce findings to what staff would see."""
    return {(one["subject"], one["due_at"], one["ended_at"], one["order_ids"][0]) for one in findings}


def without_recycling(season: Sequence[Event]) -> list[Event]:
    """Leave out every label but the first told of its number."""
    first: dict[tuple[str, str], str] = {}
    rest = []
    for event in season:
        if is_type("parcel.labelled")(event):
            number = event["data"]["carrier"], event["data"]["tracking_number"]
            if first.setdefault(number, event["data"]["parcel_id"]) != event["data"]["parcel_id"]:
                continue
        rest.append(event)
    return rest


def shared(season: Sequence[Event]) -> dict[str, set[str]]:
    """Return the parcels whose events speak of several orders."""
    orders: dict[str, set[str]] = {}
    for event in season:
        if event["type"].startswith("parcel.") and "parcel_id" in event["data"]:
            data = event["data"]
            named = {*data.get("order_ids", ()), *(item["order_id"] for item in data.get("contents", ()))}
            named |= {fulfilment.partition("-")[0] for fulfilment in data.get("fulfillment_ids", ())}
            orders.setdefault(data["parcel_id"], set()).update(named)
    return {parcel: named for parcel, named in orders.items() if len(named) > 1}


def carried_by(event: Event, parcel: str) -> bool:
    """Tell whether an event speaks of this parcel."""
    return event["type"].startswith("parcel.") and bool(event["data"].get("parcel_id") == parcel)
