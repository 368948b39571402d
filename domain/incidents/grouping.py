"""Grouping: one incident handled as part of another, written into the streams of both."""

from domain.errors import IllegalStep
from domain.incidents.commands import Merge, Situation, Split
from domain.incidents.events import (
    IncidentAbsorbed,
    IncidentEvent,
    IncidentMerged,
    IncidentReleased,
    IncidentSplit,
)
from domain.incidents.guards import is_done, must_add_nothing, must_be_open, must_have_no_loose_ends, stamp
from domain.incidents.incident import Incident, status

Events = tuple[IncidentEvent, ...]


def merge(part: Incident, whole: Incident, command: Merge, now: Situation) -> tuple[Events, Events]:
    """Handle one incident as part of another; gives the events of each.

    Raises:
        IllegalStep: either cannot be merged as it stands.
    """
    if is_done(part, command):
        return (), ()
    if part is whole:
        raise IllegalStep("same_incident", "An incident cannot be merged into itself.")
    if part.merged_into == whole.id:
        must_add_nothing(part, command, IncidentMerged)
        return (), ()
    must_be_open(part)
    must_have_no_loose_ends(part)
    if part.parts:
        raise IllegalStep("has_parts", f"{len(part.parts)} incidents are merged into this one; split them first.")
    if status(whole) in {"resolved", "dismissed", "merged"}:
        raise IllegalStep("target_closed", f"The other incident is {status(whole)}; merge into one that is open.")
    said = stamp(command, now)
    return (IncidentMerged(**said, into=whole.id),), (IncidentAbsorbed(**said, part=part.id),)


def split(part: Incident, whole: Incident, command: Split, now: Situation) -> tuple[Events, Events]:
    """Handle an incident on its own again; gives the events of both. ``whole`` is the one that it is part of."""
    if is_done(part, command):
        return (), ()
    if part.merged_into is None:
        raise IllegalStep("not_merged", "This incident is not part of another one.")
    said = stamp(command, now)
    return (IncidentSplit(**said, whole=whole.id),), (IncidentReleased(**said, part=part.id),)
