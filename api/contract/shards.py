"""What leaves of several logs at once; see ``contract.incidents``."""

from typing import Literal

from api.contract.feed import ChangeKind, FeedStep, Reset
from api.contract.incidents import AsOf, ChangedIncident, Told

Why = Literal["away", "slow", "not_begun", "not_reached", "failed"]


class ShardState(Told):
    """One of the logs behind this feed."""

    name: str
    stale: bool
    """It cannot be read just now: what it has to say comes later, and nothing of it is lost."""
    why: Why | None
    """Why it is stale; null where it is not."""
    known_up_to: str | None
    """Everything that happened there up to here has been read."""


class MergedAsOf(AsOf):
    """How fresh an answer is; ``known_up_to`` is that of the shard that is furthest behind, stale ones included."""

    shards: list[ShardState]


class MergedChange(Told):
    """One entry of one of the feeds: what changed, and the finding as it was then."""

    id: str
    """Token: read on from here, in every shard, with ``after``. It says where its reader stood, too."""
    shard: str
    origin: str
    """The id of this change in its shard's own feed: the same for everybody and whenever it is read."""
    change: ChangeKind
    flapping: bool
    known_up_to: str
    step: FeedStep | None = None
    incident: ChangedIncident


class MergedPage(Told):
    """A page of the merged feed: each shard's changes in their order, shards among each other by when decided."""

    changes: list[MergedChange]
    next: str
    """Token to read on from, also when there is nothing more yet, and for shards that are stale."""
    more: bool
    as_of: MergedAsOf


class ShardReset(Reset):
    """A shard begins anew, or all of them where none is named: drop what you have of it, all comes again."""

    shard: str | None


class Crossing(Told):
    """An order or a parcel that several shards know: its events went to the wrong shard."""

    what: Literal["order", "parcel"]
    id: str
    shards: list[str]


class Compared(Told):
    """What the shards know in common; that should be nothing."""

    orders: int
    parcels: int
    crossings: list[Crossing]
    """The first orders and the first parcels of them, by name."""
    more: int
    """How many are not listed."""
    compared_at: str | None
    """When all names had last been compared; null while that is under way for the first time."""


class Shards(Told):
    """The logs behind this feed."""

    crossings: Compared
    as_of: MergedAsOf
