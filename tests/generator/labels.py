"""Every label of a season: what it holds, whichever rule that concerns."""

from collections.abc import Sequence

from tests.generator import features as shipping
from tests.generator.features import Event, Sorted
from tests.generator.journeys import PARTS


def features(season: Sequence[Event]) -> set[str]:
    """Name everything that happens in a season."""
    world = Sorted(season)
    return shipping.features(season) | {name for part in PARTS for name in part(world)}
