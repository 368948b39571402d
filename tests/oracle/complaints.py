"""Complaints by brute force: both clocks of each, what they report, and which are one case."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from tests.oracle.late_shipment import NEVER, Fact
from tests.oracle.world import Finding, World

WRONG_CONTENTS = frozenset({"wrong_item", "missing_item", "extra_item"})
TROUBLES = (
    frozenset({"late", "not_received"}),
    WRONG_CONTENTS,
    frozenset({"damaged", "defective"}),
    frozenset({"price_difference"}),
)
Pause = tuple[datetime, datetime]
Clocks = Callable[[Sequence[Fact], Fact], list[tuple[datetime, datetime]]]


def told(facts: Sequence[Fact], *kinds: str) -> list[Fact]:
    """Pick some kinds of a complaint's facts."""
    return [fact for fact in facts if fact.type in {f"complaint.{kind}.v1" for kind in kinds}]


def opening(facts: Sequence[Fact]) -> Fact | None:
    """Return the first opening."""
    return next(iter(told(facts, "opened")), None)


def order_of(facts: Sequence[Fact]) -> str | None:
    """Name the order that a complaint is about."""
    opened = opening(facts)
    return opened.data.get("order_id") if opened else None


def category(facts: Sequence[Fact]) -> str | None:
    """Return the category of a complaint: the latest given by staff, else the one it was opened with."""
    given = [*told(facts, "opened")[:1], *told(facts, "categorised")]
    return given[-1].data.get("category") if given else None


def resolved(facts: Sequence[Fact]) -> datetime:
    """Say when a complaint was resolved and stayed so."""
    turns = told(facts, "resolved", "reopened")
    reopened = [number for number, fact in enumerate(turns) if fact.type == "complaint.reopened.v1"]
    return next((fact.at for fact in turns[reopened[-1] + 1 if reopened else 0 :]), NEVER)


def reported(world: World, proven: set[str]) -> Iterator[Finding]:
    """Yield the mis-shipments that only a customer reported; those of ``proven`` orders belong to a parcel's."""
    for key, facts in world.complaints.items():
        opened, order = opening(facts), order_of(facts)
        if opened and order and order not in proven and category(facts) in WRONG_CONTENTS:
            said = [*([opened] if opened.data.get("category") else []), *told(facts, "categorised")]
            unsaid = [place for place, word in enumerate(said, 1) if word.data.get("category") not in WRONG_CONTENTS]
            knowable = said[unsaid[-1] if unsaid else 0].at  # since when it was said and never unsaid
            yield from world.found("mis_shipment", key, opened.at, resolved(facts), [order], knowable=knowable)


def case_before(world: World, key: str) -> list[Fact]:
    """List the openings of the case that one complaint belongs to, up to its own."""
    facts = world.complaints[key]
    trouble = next((group for group in TROUBLES if category(facts) in group), frozenset[str]())
    own, order = told(facts, "opened")[0], order_of(facts)
    alike = [x for x in world.about[order or ""] if category(x) in trouble and order_of(x) == order]
    within = world.setting("complaint_overdue", "merge_within", "72h")
    parts: list[Fact] = []
    for opened in sorted(x for x in map(opening, alike) if x):
        parts = [opened] if not parts or opened.at > parts[0].at + within else [*parts, opened]
        if opened == own:
            return parts
    return [own]


def answering(facts: Sequence[Fact], opened: Fact) -> list[tuple[datetime, datetime]]:
    """Return from when to when a complaint waited for its answer."""
    return [(opened.at, next((fact.at for fact in told(facts, "answered", "resolved")), NEVER))]


def resolving(facts: Sequence[Fact], opened: Fact) -> list[tuple[datetime, datetime]]:
    """Return from when to when it waited for a resolution, as often as it did."""
    runs = [(start.at, stop) for start, stop in resolution_clocks(facts, opened)]
    return runs if runs and runs[0][0] == opened.at else [(opened.at, opened.at), *runs]


def case_start(world: World, parts: Sequence[Fact], clocks: Clocks) -> datetime:
    """Return the start of a clock of the last part: the earliest of those that some part's case was still under."""
    *before, own = parts
    starts = [own.at]
    for place, part in enumerate(before):
        first, *again = clocks(world.complaints[part.data["complaint_id"]], part)
        mine = [(case_start(world, before[: place + 1], clocks), first[1]), *again]
        starts += [start for start, stop in mine if start <= own.at < stop]
    return min(starts)


def pauses(facts: Sequence[Fact]) -> Iterator[Pause]:
    """Yield every stretch of waiting on the customer."""
    begin = None
    for fact in told(facts, "waiting", "reopened", "resolved"):
        if fact.data.get("on") == "customer":
            begin = begin or fact.at
        elif begin:
            yield begin, fact.at
            begin = None
    if begin:
        yield begin, NEVER


def deadline(start: datetime, limit: timedelta, opened: datetime, facts: Sequence[Fact]) -> datetime:
    """Return when a clock runs out, moved by each pause that began by then; never where one has not ended."""
    due = start + limit
    for begun, end in pauses(facts):
        begin = max(begun, opened)  # whatever came before the opening counts as if it came with it
        if end > begin and end > start and begin <= due:
            due = NEVER if end == NEVER else due + (end - max(begin, start))
    return due


def resolution_clocks(facts: Sequence[Fact], opened: Fact) -> Iterator[tuple[Fact, datetime]]:
    """Yield (start, stop) of every run of the resolution clock: from the opening, and from each true reopening."""
    start: Fact | None = opened
    before = [fact for fact in told(facts, "resolved", "reopened") if fact.at < opened.at]
    if before and before[-1].type == "complaint.resolved.v1":
        start = None  # settled before it is said to have been opened: an impossible date, and nobody is waiting
    for fact in (fact for fact in told(facts, "resolved", "reopened") if fact.at >= opened.at):
        if start and fact.type == "complaint.resolved.v1":
            yield start, fact.at
            start = None
        elif not start and fact.type == "complaint.reopened.v1":
            start = fact
    if start:
        yield start, NEVER


def overdue(world: World, key: str, opened: Fact) -> Iterator[Finding]:
    """Yield each clock of a complaint that ran out."""
    kind, facts, parts = "complaint_overdue", world.complaints[key], case_before(world, key)
    orders = [order] if (order := order_of(facts)) else []
    first = case_start(world, parts, answering)
    knowable = opened.at if first < opened.at else None
    answer = next((fact.at for fact in told(facts, "answered", "resolved")), NEVER)
    due, rule = first + world.setting(kind, "first_response", "1h"), "first_response"
    for found in world.found(kind, key, due, answer, orders, since=first, rule=rule, knowable=knowable):
        yield found | {"clock": rule}
    rule, first = "resolution", case_start(world, parts, resolving)
    knowable = opened.at if first < opened.at else None
    limit = world.setting(kind, "complex" if opened.data.get("complexity") == "complex" else "general", "24h")
    for start, stop in resolution_clocks(facts, opened):
        since, known = (first, knowable) if start is opened else (start.at, None)
        due = deadline(since, limit, opened.at, facts)
        for found in world.found(kind, key, due, stop, orders, since=since, rule=rule, knowable=known):
            yield found | {"clock": rule}


def findings(world: World) -> Iterator[Finding]:
    """Yield the overdue clocks of every complaint that was opened."""
    for key, facts in world.complaints.items():
        if opened := opening(facts):
            yield from overdue(world, key, opened)
