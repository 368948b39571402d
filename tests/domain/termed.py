"""What is found at a subject under several versions of a policy, while every feed that is drawn speaks."""

from collections.abc import Sequence
from typing import Any, Final

from domain.detection import FINDING_EVENTS, Finding
from domain.instant import FOREVER, Instant
from domain.judging.adoption import Adopted
from domain.judging.judgement import Judgement
from domain.judging.sight import Heard
from tests.domain.drawn import LAST

HEARD: Final = Heard(lambda: dict.fromkeys(("/a", "/b", "/s"), FOREVER))


def judged(terms: Sequence[Adopted], name: str, state: Any, until: Instant = LAST) -> list[Finding]:
    """Give what is found at a subject up to an instant."""
    events = Judgement(terms).of(name, state, until, HEARD).events
    return [event.finding for event in events if isinstance(event, FINDING_EVENTS)]
