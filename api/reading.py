"""Reading: what every route asks of the views, the log and the clock."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Annotated, Final, NamedTuple

from fastapi import Depends, Header, Query, Request, Response

from api.bounds import TOKEN
from api.contract.incidents import AsOf
from api.problems import Problem
from api.tokens import Token
from domain.feeds.frontier import SKEW
from domain.history.log import LogRecorder
from domain.instant import FOREVER, Instant, iso
from domain.judging.adoption import Adopted, in_force
from domain.policies.policy import DEFAULT, Policy
from projections import checkpoints, feed, frontier
from projections.pauses import growing
from projections.sayings import policies_of
from projections.view import Checkpoint, Rows
from projections.views import ViewStore

QUERY_SECONDS: Final = 1.0
WAIT_SECONDS: Final = 2.0
MOST_SECONDS: Final = 30
"""Longest wait that a request may prefer (RFC 7240)."""
_WAIT: Final = re.compile(
    r"""(?:(?:"[^"]*"|[^"])*?,)?\s*wait\s*=\s*("?)(\d{1,5})\1\s*(?:[,;].*)?""", re.IGNORECASE
).fullmatch
"""The first wait that is preferred, with or without quotes; what stands in the quotes of another one is none."""
_LOOK: Final = 0.02
_LONGEST_PAUSE: Final = 0.2
"""Between two looks, for those who wait for long: everybody's looks are taken in turn."""


class NotThereYet(Problem):
    """The views have not come to a position in time."""


class ProductClock(NamedTuple):
    """The clock that ages are counted by."""

    now: Callable[[], Instant]
    speed: float = 1.0
    wall: bool = True
    """Whether it is the time of day."""
    end: Instant | None = None
    """Where it stands still for good."""

    def pace(self, now: Instant) -> float:
        """Say how fast it runs at an instant: not at all where it has come to its end."""
        return self.speed if self.end is None or now < self.end else 0.0


class Snapshot(NamedTuple):
    """The views at one moment, and how fresh they are."""

    rows: Rows
    stands: dict[str, Checkpoint]
    now: Instant
    known_up_to: Instant | None
    policies: Callable[[], list[Adopted]]
    """Gives all that judge, earliest first; read from the log when first asked for."""

    @property
    def policy(self) -> Policy:
        """Give the policy in force."""
        found = self.policies()
        return in_force(found, self.now) if found else DEFAULT

    @property
    def position(self) -> Token:
        """Name the position that every view has come to."""
        return Token.at(min(self.stands.values(), key=lambda one: one.position))

    def token(self, position: int) -> str:
        """Name another position of the same log, as the feed counts."""
        return str(Token.at(self.stands[feed.VIEW.name], position))


class Reader:
    """Opens snapshots; one for the whole application."""

    def __init__(self, views: ViewStore, log: LogRecorder, clock: ProductClock) -> None:
        """Read these views, this log's end and this clock."""
        self.views = views
        self.log = log
        self.clock = clock

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Read the views at one moment; slow questions are cut off."""
        with self.views.reading(QUERY_SECONDS) as rows:
            now = self.clock.now()
            known = frontier.known_up_to(frontier.read(rows), feed.decided_up_to(rows))
            if known is not None:
                # Nothing can have been read beyond now: whoever said so had a clock that was ahead.
                known = None if now + SKEW * self.clock.speed < known < FOREVER else min(known, now)
            policies = cache(lambda: policies_of(self.log))
            yield Snapshot(rows, checkpoints.read(rows), now, known, policies)

    def as_of(self, snapshot: Snapshot) -> AsOf:
        """Say how fresh a snapshot is."""
        return AsOf(
            position=str(snapshot.position),
            known_up_to=None if snapshot.known_up_to is None else iso(snapshot.known_up_to),
            now=iso(snapshot.now),
            speed=self.clock.pace(snapshot.now),
            wall=self.clock.wall,
        )

    def feed_checkpoint(self) -> Checkpoint:
        """Say where the feed stands."""
        with self.views.reading() as rows:
            return checkpoints.read(rows)[feed.VIEW.name]

    def knows(self, token: Token, checkpoint: Checkpoint) -> bool:
        """Say whether a token belongs to this log and does not lie beyond its end."""
        same = (token.epoch, token.revision) == (checkpoint.epoch, checkpoint.revision)
        return same and (token.position <= checkpoint.position or token.position <= self.log.last_position())

    def end(self) -> Token:
        """Name the last position of the log."""
        return Token.at(self.feed_checkpoint(), self.log.last_position())

    async def wait_for(self, token: Token, seconds: float | None = None) -> None:
        """Return once every view has come to a position.

        Raises:
            Problem: it is no position of this log, or lies beyond its end, or the views do not come there in time.
        """
        deadline = asyncio.get_running_loop().time() + (WAIT_SECONDS if seconds is None else seconds)
        for pause in growing(_LOOK, _LONGEST_PAUSE):
            with self.views.reading() as rows:
                stands = checkpoints.read(rows).values()
            if any(one.epoch != token.epoch for one in stands):
                raise Problem("unknown_position")
            if all(one.position >= token.position for one in stands):
                return
            if token.position > self.log.last_position():
                raise Problem("unknown_position")
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise NotThereYet("not_there_yet", retry_after=1)
            await asyncio.sleep(min(pause, left))


def reader(request: Request) -> Reader:
    """Give the application's reader."""
    found: Reader = request.app.state.reader
    return found


async def caught_up(
    request: Request,
    response: Response,
    min_position: Annotated[
        str | None,
        Query(max_length=TOKEN, description="Token that the answer must not be older than; waits up to 2 s."),
    ] = None,
    prefer: Annotated[
        list[str] | None,
        Header(description="`wait=5` waits up to so many seconds, 30 at most; by itself for all that is in the log."),
    ] = None,
) -> Reader:
    """Give the reader once the views have come to ``min_position``, or as far as the request prefers to wait for."""
    found = reader(request)
    asked = _WAIT(",".join(prefer or ())) if request.method == "GET" else None
    seconds = WAIT_SECONDS if asked is None else min(int(asked[2]), MOST_SECONDS)
    if min_position is not None:
        await found.wait_for(Token.read(min_position), seconds)
    elif asked is not None:
        with suppress(NotThereYet):  # a preference: who names no position gets what there is
            await found.wait_for(found.end(), seconds)
    if asked is not None:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    return found


Reading = Annotated[Reader, Depends(reader)]
CaughtUp = Annotated[Reader, Depends(caught_up)]
Limit = Annotated[int, Query(ge=1, le=500, description="Entries on a page.")]
