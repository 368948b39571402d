"""Shards: several logs, each asked in threads of its own, so that one that hangs holds up neither page nor stream."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple, TypeVar

from api.reading import Reader
from api.tokens import Mark
from domain.errors import Explained
from domain.history.log import NO_FAULT
from domain.instant import Instant
from projections import feed, incidents
from projections.feed import Change
from projections.view import Checkpoint
from projections.views import AWAY, QueryTooSlow, RowsRefused

ASK_SECONDS: Final = 3.0
"""How long an answer may take before the shard counts as stale."""
_LOOK: Final = 0.01
_AT_ONCE: Final = 8
"""Questions to one shard that may be on their way; a shard that hangs holds no more threads than these."""
_LOST: Final = (*AWAY, *NO_FAULT, RowsRefused, Explained, OSError)

T = TypeVar("T")


class ShardAway(Exception):
    """A shard cannot be read just now; ``why`` is ``away``, ``slow`` or ``not_begun``."""

    def __init__(self, why: str) -> None:
        """Keep why."""
        super().__init__(why)
        self.why = why


class Read(NamedTuple):
    """What was read on of one shard."""

    stands: Mark
    """Where its feed stands."""
    found: list[Change]
    went_live: Instant | None
    known_up_to: Instant | None


class Shard:
    """One log of several, reached when it is first asked."""

    def __init__(self, name: str, reach: Callable[[], Reader]) -> None:
        """Reach nothing yet."""
        self.name = name
        self._reach = reach
        self._reader: Reader | None = None
        self._reaching = threading.Lock()
        self._asking: set[threading.Thread] = set()

    def reader(self) -> Reader:
        """Give what reads it.

        Raises:
            ShardAway: it cannot be reached.
        """
        with self._reaching:
            if self._reader is None:
                self._reader = self._reach()
            return self._reader

    async def ask(self, question: Callable[[Reader], T], seconds: float = ASK_SECONDS) -> T:
        """Answer a question in a thread that nobody waits for longer than this.

        Raises:
            ShardAway: it cannot be read, or not in time.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if len(self._asking) == _AT_ONCE:
            raise ShardAway("slow")
        # A daemon: a server that does not answer must not keep this process from ending.
        asking = threading.Thread(target=self._answer, args=(question, answer), name=f"shard {self.name}", daemon=True)
        self._asking.add(asking)
        try:
            asking.start()
        except RuntimeError as full:  # no thread can be made
            self._asking.discard(asking)
            raise ShardAway("slow") from full
        try:
            # Not wait_for, which before Python 3.12 forgets that we are told to end where an answer comes just then.
            async with asyncio.timeout(seconds):
                return await answer
        except (TimeoutError, QueryTooSlow) as error:
            raise ShardAway("slow") from error
        except _LOST as error:
            raise ShardAway("away") from error

    async def rest(self, seconds: float = ASK_SECONDS) -> None:
        """Return once every answer has come that nobody waits for any more; whoever hangs for longer is left.

        Only then may be closed what the reader reads from.
        """
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            if not self._asking or asyncio.get_running_loop().time() >= deadline:
                return
            await asyncio.sleep(_LOOK)

    def _answer(self, question: Callable[[Reader], T], answer: "asyncio.Future[T]") -> None:
        loop = answer.get_loop()
        try:
            found = question(self.reader())
        except BaseException as error:  # noqa: BLE001  # it is the asker's
            _tell(loop, answer, partial(answer.set_exception, error))
        else:
            _tell(loop, answer, partial(answer.set_result, found))
        finally:
            self._asking.discard(threading.current_thread())


def read_on(reader: Reader, shard: str, after: int | None, limit: int) -> Read:
    """Read a shard's feed on from a position; without one nothing but where it stands.

    Raises:
        ShardAway: it has no feed yet.
    """
    with reader.snapshot() as snapshot:
        stands = standing(snapshot.stands)
        page = [] if after is None else feed.after(snapshot.rows, after, limit)
        went_live = incidents.live_since(snapshot.rows) if page else None
        return Read(Mark.standing(shard, stands), page, went_live, snapshot.known_up_to)


def standing(stands: dict[str, Checkpoint]) -> Checkpoint:
    """Give where the feed stands.

    Raises:
        ShardAway: it has not been begun.
    """
    if feed.VIEW.name not in stands:
        raise ShardAway("not_begun")
    return stands[feed.VIEW.name]


def is_beyond(reader: Reader, mark: Mark) -> bool:
    """Say whether a position lies beyond the end of its log, and not only beyond what the views have come to."""
    return mark.position > reader.log.last_position()


def _tell(loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[T]", tell: Callable[[], None]) -> None:
    """Give an answer to whoever may still wait for it."""
    with suppress(RuntimeError):  # the server has ended meanwhile
        loop.call_soon_threadsafe(lambda: None if answer.done() else tell())
