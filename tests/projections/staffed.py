"""A stage on which staff act, with a look at what they are shown."""

from typing import Any

from domain.incidents.commands import Command
from domain.staff.desk import Case
from domain.staff.desk import Desk as IncidentDesk
from projections import incidents, rebuild
from projections.query import Filter
from tests.projections.stage import Stage
from tests.story import at


def do(told: Stage, identity: str, command: Command, when: float) -> None:
    """Let somebody act on an incident, and let the views follow."""
    [(stream,)] = told.query("SELECT stream FROM incidents WHERE id = ?", identity)
    IncidentDesk(told.log).handle(Case(identity, stream), command, at=at(when))
    told.follow()


def rebuilt(told: Stage) -> None:
    """Hold that the rows are what the log says, however it is read."""
    assert rebuild.verify(told.store, told.log.store).differences == []


def all_of(told: Stage, **wanted: Any) -> dict[str, incidents.Incident]:
    """Give the incidents that are listed, by id."""
    with told.store.reading() as rows:
        return {one.id: one for one in incidents.listed(rows, Filter(**wanted), 500)}


def muted(told: Stage) -> dict[str, tuple[str | None, str | None]]:
    """Say who speaks for each open incident, and as what."""
    return {name: (one.muted_by, one.muted_as) for name, one in all_of(told, state=("open",)).items()}
