"""Step: what every event of an incident says of who took it, when and why."""

from domain.events import Event
from domain.instant import Instant


class Step(Event, frozen=True, kw_only=True):
    """Something that became of an incident; a person, time or the tracker did it."""

    at: Instant
    by: str
    why: str = ""
    command_id: str = ""
    digest: str = ""
    """Tells a repeated command from another one under the same id."""
    position: int = 0
    """How far the log had come when this was decided."""
