"""What a season comes to in kinds other than late shipment: which were found, by which rule, and what mattered."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from tests.generator.expected import expected
from tests.generator.features import Event, instant
from tests.generator.outcomes import Finding, is_type, scanned_later

ALONE = 3
"""From so many kinds on an order is in trouble all round."""
BACKLOGS = frozenset({"warehouse_backlog", "carrier_backlog"})


def kinds(season: Sequence[Event], policy: Mapping[str, Any]) -> set[str]:
    """Name everything that was found, and what it hung on."""
    found = [one for one in expected(season, policy) if one["kind"] != "late_shipment"]
    return {*of_each(season, found), *of_all(found), *of_feeds(season, policy, found)}


def of_each(season: Sequence[Event], found: Sequence[Finding]) -> Iterator[str]:
    """Name what single findings are."""
    opened = {e["data"]["complaint_id"] for e in season if is_type("complaint.opened")(e)}
    for one in found:
        kind = one["kind"]
        yield f"{kind}, {one['state']}"
        if one["rule"]:
            yield f"{kind} by {one['rule']}"
        if kind == "mis_shipment":
            yield f"mis_shipment of a {'complaint' if one['subject'] in opened else 'parcel'}"
        if one["knowable_at"] and kind not in BACKLOGS:
            yield f"{kind} knowable later"
        if len(one["order_ids"]) > 1 and kind not in BACKLOGS:
            yield f"{kind} of several orders"
        if kind in BACKLOGS and one["ended_at"] and length(one) > timedelta(days=14):
            yield "backlog of weeks"


def length(one: Finding) -> timedelta:
    """Say how long a finding lasted."""
    return instant(one["ended_at"]) - instant(one["due_at"])


def of_all(found: Sequence[Finding]) -> Iterator[str]:
    """Name what findings are together."""
    yield from {
        f"{kind} again at one subject"
        for (kind, *_), times in Counter((one["kind"], one["subject"], one["rule"]) for one in found).items()
        if times > 1 and kind not in BACKLOGS
    }
    troubles = defaultdict[str, set[str]](set)
    for one in found:
        for order in one["order_ids"]:
            troubles[order].add(one["kind"])
    if any(len(of_one) >= ALONE for of_one in troubles.values()):
        yield "three kinds of trouble with one order"


def of_feeds(season: Sequence[Event], policy: Mapping[str, Any], found: Sequence[Finding]) -> Iterator[str]:
    """Name what feeds that live or fall silent change."""
    before = seen(found)
    end = max(season, key=lambda event: instant(event["time"]))
    feeds = sorted({event["source"] for event in season})
    alive = [{**end, "type": "feed.heartbeat.v1", "source": feed, "id": f"alive-{feed}", "data": {}} for feed in feeds]
    if seen(expected([*season, *alive], policy)) - before:
        yield "a silent feed keeps something back"
    rest = [event for event in season if event is end or not is_type("feed.heartbeat")(event)]
    if seen(expected(rest, policy)) != before:
        yield "a heartbeat matters"
    if seen(expected([scanned_later(event) for event in season], policy)) - before:
        yield "scanned on the dot"


def seen(found: Sequence[Finding]) -> set[tuple[object, ...]]:
    """Reduce findings to which there are."""
    return {(one["kind"], one["subject"], one["rule"]) for one in found if one["kind"] != "late_shipment"}
