"""A world in which more than a thousand deadlines of every kind that has one come due, and when each of them does.

Also the process that fires them, with failpoints: run as ``python -m tests.faults.deadlines LOG POINT NUMBER`` it
kills itself on the way into, inside or right after its so-many-th transaction.
"""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

from domain.events import Fact
from domain.history.log import Log
from domain.incidents.commands import Contact
from domain.incidents.events import Promise
from domain.judging.adoption import adopted
from domain.staff.desk import Case
from domain.staff.desk import Desk as StaffDesk
from domain.tracker import Tracker
from tests.story import (
    Desk,
    at,
    complained,
    file_log,
    heartbeat,
    labelled,
    line,
    packed,
    piece,
    placed,
    requested,
    scanned,
)

Point = Literal["before", "inside", "after", "never"]
Due = tuple[str, str, str, float]
"""Kind, subject, clock, and when it comes due."""

EACH: Final = 110
STAFFED: Final = 40
READ: Final = 12.0
"""Up to here time came before anything was killed."""
END: Final = 200.0
SLICE: Final = 25
"""Subjects or events that one transaction looks at, so that there are many to be killed in."""
WAREHOUSES: Final = ("W0", "W1", "W2", "W3")
POLICY: Final = """
timezone = "UTC"
[stalled_parcel]
after = "20h"
[presumed_lost]
after = "40h"
[unconfirmed_handover]
after = "30h"
[delivery_failed]
pickup_wait = "15h"
[complaint_overdue]
first_response = "14h"
general = "50h"
"""


def facts() -> Iterator[Fact]:
    """Tell what happened before anything came due; nothing that is waited for ever happens."""
    for n in range(EACH):
        when = 1 + n / 100
        yield placed(0, of=f"LS{n}", key=f"ls{n}")
        yield requested(0, f"FS{n}", f"LS{n}", ship_by=20 + n / 100, warehouse_id=WAREHOUSES[n % len(WAREHOUSES)])
        yield placed(0, of=f"LD{n}", key=f"ld{n}", deliver_by=30 + n / 100)
        yield labelled(when, f"UH{n}", f"N{n}", order_ids=(f"UH{n}",), source="/wms", carrier="YTO")
        yield scan(when, f"SP{n}", carrier="SF")
        yield scan(when, f"PU{n}", "ready_for_pickup")
        yield placed(0, line("1", quantity=2), of=f"MI{n}", key=f"mi{n}")
        yield requested(0, f"FM{n}", f"MI{n}", warehouse_id="W9")
        yield packed(when, f"MI{n}", piece(of=f"MI{n}"), fulfillment_ids=(f"FM{n}",))
        yield scan(when, f"MI{n}")
        yield complained(when, f"C{n}", key=f"c{n}")
        yield heartbeat(10 + n / 100, f"/feeds/{n}")
    for n in range(STAFFED):
        yield placed(0, of=f"BP{n}", key=f"bp{n}")
        yield requested(0, f"FB{n}", f"BP{n}", ship_by=5, warehouse_id="W8")
    yield from (heartbeat(150, source) for source in ("/s", "/sf", "/wms"))


def scan(when: float, name: str, status: str = "in_transit", **more: Any) -> Fact:
    """Let a carrier scan the parcel of an order that is called like it."""
    return scanned(when, name, status, source="/sf", order_ids=(name,), **more)


def expected() -> Iterator[Due]:
    """Say by plain arithmetic what comes due after the time that was read, and when."""
    for n in range(EACH):
        when = 1 + n / 100
        yield "late_shipment", f"FS{n}", "", 20 + n / 100
        yield "late_delivery", f"LD{n}", "", 30 + n / 100
        yield "unconfirmed_handover", f"UH{n}", "", when + 30
        yield "delivery_failed", f"PU{n}", "", when + 15
        yield "mis_shipment", f"MI{n}", "", when
        yield "complaint_overdue", f"C{n}", "first_response", when + 14
        yield "complaint_overdue", f"C{n}", "resolution", when + 50
        yield "feed_silent", f"/feeds/{n}", "", 12 + n / 100
        for name in ("SP", "PU", "MI"):
            yield "stalled_parcel", f"{name}{n}", "", when + 20
            yield "presumed_lost", f"{name}{n}", "", when + 40
    for n in range(STAFFED):
        yield "broken_promise", f"incident-late_shipment-FB{n}:1", "", 15 + n / 100
    for place in (*WAREHOUSES, "W8"):
        # The first midnight at which enough are late.
        yield "warehouse_backlog", place, "", 24
    yield "carrier_backlog", "SF", "", 24
    yield from (("feed_silent", source, "", 152) for source in ("/s", "/sf", "/wms"))


def prepare(path: Path) -> None:
    """Take everything in, let time come to where it was read, and let staff promise something."""
    with file_log(path) as log:
        desk = Desk(log, POLICY)
        desk.take(*facts(), until=0)
        _settle(desk.tracker, READ - 2)
        for n in range(STAFFED):
            case = Case(f"incident-late_shipment-FB{n}", f"order-BP{n}")
            promise = Promise(what="shipped", until=at(15 + n / 100))
            said = Contact(by="li", channel="chat", outcome="reached", promise=promise)
            StaffDesk(log).handle(case, said, at=at(READ - 1))
        _settle(desk.tracker, READ)


def _settle(tracker: Tracker, until: float, limit: int = 500) -> None:
    while tracker.tick(at(until), limit) + tracker.group(at(until), limit):
        pass


def fire(path: Path, point: Point = "never", number: int = 0) -> None:
    """Fire what is due by the end; die at a point of the so-many-th transaction."""
    with file_log(path) as log:
        if point != "never":
            _die(log, point, number)
        _settle(Tracker(log, adopted(log)), END, SLICE)


def _die(log: Log, point: Point, number: int) -> None:
    append, told = log.append, iter(range(1, 10**6))
    kill_next = False

    def failing(*given: Any) -> Any:
        nonlocal kill_next
        # What the last call wrote is committed by now: each transaction appends once.
        at_hand = next(told) == number
        if kill_next or (at_hand and point == "before"):
            _kill()
        position = append(*given)
        if at_hand and point == "inside":
            _kill()
        kill_next = at_hand
        return position

    log.append = failing  # type: ignore[method-assign, assignment]  # a failpoint


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    fire(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))  # type: ignore[arg-type]  # one of the points
