"""A day at the desk: a warehouse whose backlog speaks for its late orders, and the people who call their customers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from domain.detection import Finding, FindingOpened
from domain.groups.backlog import BacklogMemberChanged
from domain.history.log import Beside, Recorded
from domain.instant import Instant, iso
from domain.staff.desk import Desk
from tests.api.serving import serving
from tests.projections.stage import Stage, stage
from tests.story import at, complained, line, placed, requested

BACKLOG = "incident-warehouse_backlog-W-1"
MEMBERS = ("1", "2", "3")
ALONE = ("4", "5", "6")
WAITING = 30.0


def late(name: str) -> str:
    """Name the incident of one late fulfilment."""
    return f"incident-late_shipment-F{name}"


class DeskScene:
    """Late orders of five customers, three of them in a backlog, with a clock that stands where it is put."""

    def __init__(self, told: Stage) -> None:
        self.told = told
        self.now = WAITING
        self.url = ""
        for name in (*MEMBERS, *ALONE):
            self._order(name)
        told.desk.take(complained(28, "K1", customer_id="C9", category="damaged"))
        self.come(WAITING)
        self._pile_up()

    def clock(self) -> Instant:
        """Say what time it is."""
        return at(self.now)

    def come(self, hours: float) -> None:
        """Let time come, heard by all feeds."""
        self.now = hours
        self.told.come(hours)
        self.told.desk.tracker.hear({"test/orders/0": at(hours)})

    def post(self, incident: str, step: str, body: Any, *, by: str = "wang") -> Any:
        """Let somebody else do something, past the page."""
        answer = httpx2.post(f"{self.url}/v1/incidents/{incident}/{step}", json=body, headers={"X-Actor": by})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def written(self, incident: str) -> list[Any]:
        """Give what stands in the log about the work on an incident."""
        return list(self.told.log.stream(incident))

    def _order(self, name: str) -> None:
        warehouse = "W-1" if name in MEMBERS else "W-2"
        self.told.desk.take(
            placed(
                0,
                line("1", "TEA", 1, unit_price=f"{int(name) * 100}.00"),
                of=f"O{name}",
                key=f"p{name}",
                customer_id="C5" if name == "6" else f"C{name}",
                currency="CNY",
                deliver_by=60,
            ),
            requested(1, f"F{name}", of=f"O{name}", ship_by=20, warehouse_id=warehouse),
        )

    def _pile_up(self) -> None:
        count = {"count": 3, "peak": 3, "needed": [3, 3], "counted_at": iso(at(24)), "peak_at": iso(at(24))}
        found = Finding(
            kind="warehouse_backlog",
            subject="W-1",
            since=at(24),
            due_at=at(24),
            ended_at=None,
            order_ids=tuple(f"O{name}" for name in MEMBERS),
            warehouse_id="W-1",
            severity="high",
            rule="counted_at_midnight",
            policy="p",
            proof=(),
            detail={"severity": {"members": 2}, "cleared_by": "a quiet midnight", "place": "warehouse", **count},
        )
        parts = [BacklogMemberChanged(member=f"F{name}@1", order_ids=(f"O{name}",), since=at(20)) for name in MEMBERS]
        stream = "backlog-warehouse-W-1"
        begun = len(list(self.told.log.stream(stream)))
        for version, event in enumerate((*parts, FindingOpened(finding=found, known_up_to=at(24))), begun + 1):
            self.told.log.append([Recorded(stream, version, event)], Beside())
        self.told.follow()


@contextmanager
def desk_scene(folder: Path) -> Iterator[DeskScene]:
    """Serve the scene with a desk that takes commands."""
    with stage(folder) as told:
        scene = DeskScene(told)
        with serving(told, clock=scene.clock, wall=False, desk=Desk(told.log)) as server:
            scene.url = server.url
            yield scene
