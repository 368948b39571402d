"""Stories told to a tracker that runs: over a broker, with every worker of ``tracker run``, and read over HTTP.

The clock is the story's own. A stretch of the story is acknowledged by the broker before the clock comes to its end, as
with a shop that is quick to tell, so that no deadline passes before what was said by then can be read.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import quote

import httpx2
import orjson
from prometheus_client import CollectorRegistry

from consumers import topics, translate
from deploy import clock, web, workers
from deploy.clock import DemoClock
from deploy.serving import application, views
from deploy.wiring import System, system
from deploy.workers import Crew, Worker
from domain.instant import HOUR, Instant, instant
from domain.tracker import TICK_LIMIT
from projections import rebuild
from projections.follower import Follower
from tests.brokers.clients import PATIENCE, producer
from tests.contracts.ingesting import Message, Shop, until
from tests.story import at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from deploy.settings import Settings
    from projections.views import SqliteViews
    from tests.brokers.broker import Broker
    from tests.stories.pen import Event

STRETCH: Final = 20 * HOUR
"""What is told at once: less than the day by which an event may be ahead of the clock."""
PAGE: Final = 500
PARTITIONS: Final = 2


class StoryClock:
    """Stands still until the story goes on."""

    def __init__(self, start: Instant) -> None:
        """Begin here."""
        self.now = start

    def __call__(self) -> Instant:
        """Read it."""
        return self.now


class Round(NamedTuple):
    """One round of the ticker: how far time had come in it, and where the log ended after it."""

    up_to: Instant
    position: int


class Live:
    """A running tracker: what it is told goes through Kafka, what it has made of it comes from its API."""

    def __init__(self, shop: Shop, parts: System, hands: StoryClock, url: str) -> None:
        """Know what a story touches: topics, clock and page."""
        self._shop, self._parts, self._hands = shop, parts, hands
        self._topics = dict(zip(translate.TOPICS, shop.topics.names(), strict=True))
        self._sender = producer(shop.broker, linger_ms=5)
        self._client = httpx2.Client(base_url=url, timeout=PATIENCE)
        self._rounds: list[Round] = []
        self._watch_the_ticker()

    def tell(self, events: Iterable[Event], up_to: float) -> Self:
        """Let the story go on to an hour: each stretch is in Kafka before the clock comes to its end."""
        coming = sorted(((_time(one), self._message(one)) for one in events), key=lambda one: one[0])
        end = at(up_to)
        assert not coming or coming[-1][0] < end, "an event lies beyond the end of what is told"
        while self._hands.now < end:
            stretch = min(self._hands.now + STRETCH, end)
            told = sum(when < stretch for when, _ in coming)
            self._shop.send([message for _, message in coming[:told]], self._sender)
            del coming[:told]
            self._hands.now = stretch
        return self.settle()

    def settle(self) -> Self:
        """Wait until all is read, judged and shown: two rounds of the ticker at this time found nothing to do."""
        self._rounds.clear()
        until(self._is_settled, 4 * PATIENCE, lambda: (self._rounds[-2:], self._parts.log.store.positions()))
        return self

    def read(self, *path: str, **asked: Any) -> Any:
        """Ask the API."""
        answer = self._client.get(_address(path), params=asked)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()

    def text(self, *path: str, **asked: Any) -> str:
        """Ask for a file."""
        answer = self._client.get(_address(path), params=asked)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.text

    def all_of(self, name: str, *path: str, **asked: Any) -> list[Any]:
        """Read every page of a list."""
        page = {"limit": PAGE, **asked}
        body = self.read(*(path or (name,)), **page)
        found = list(body[name])
        while body["next"] is not None:
            body = self.read(*(path or (name,)), **page, cursor=body["next"])
            found += body[name]
        return found

    def incidents(self, **asked: Any) -> list[Any]:
        """List incidents, the earliest first."""
        return self.all_of("incidents", sort="due_at", **asked)

    def tasks(self, **asked: Any) -> list[Any]:
        """List the customers who are to be called, in the order in which they are."""
        return self.all_of("tasks", "worklist", **asked)

    def changes(self) -> list[Any]:
        """Read the feed since the first event."""
        found: list[Any] = []
        page = self.read("feed", limit=PAGE)
        while page["changes"]:
            found += page["changes"]
            page = self.read("feed", limit=PAGE, after=page["next"])
        return found

    def post(self, *path: str, by: str = "li", **body: Any) -> Any:
        """Let one of the staff do something."""
        answer = self._client.post(_address(path), json=body, headers={"X-Actor": by})
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json()

    def refused(self, *path: str, by: str = "li", **body: Any) -> str:
        """Let one of the staff do something that is not allowed, and give the code of the refusal."""
        answer = self._client.post(_address(path), json=body, headers={"X-Actor": by})
        assert answer.status_code == 409, f"{path}: {answer.text}"
        return str(answer.json()["code"])

    def check(self) -> None:
        """Hold that all that the broker acknowledged was taken in: nothing lost, refused, twice or left waiting."""
        self._shop.check_batches()
        batches = [one for some in self._shop.store.batches().values() for one in some]
        assert sum(one["taken"] for one in batches) == len(self._shop.acked)
        assert self.all_of("messages", "quarantine") == []
        parked = [(one["name"], each) for one in self.read("projections")["projections"] for each in one["parked"]]
        assert parked == [], parked

    def close(self) -> None:
        """Ask and tell nothing more."""
        self._client.close()
        self._sender.close()

    def _message(self, event: Event) -> Message:
        topic, key = topics.place(event)
        return Message(self._topics[topic], None if key is None else key.encode(), orjson.dumps(event))

    def _is_settled(self) -> bool:
        last = self._parts.log.store.last_position()
        quiet = Round(self._hands.now, last)
        if len(self._rounds) < 2 or self._rounds[-2:] != [quiet, quiet]:
            return False
        shown = self.read("projections")
        known = shown["as_of"]["known_up_to"]
        return all(one["behind"] == 0 for one in shown["projections"]) and known == shown["as_of"]["now"]

    def _watch_the_ticker(self) -> None:
        tracker = self._parts.tracker
        rearm = tracker.rearm

        def rearmed(until: Instant, limit: int = TICK_LIMIT, *, at: Instant | None = None) -> int:
            done = rearm(until, limit, at=at)
            self._rounds.append(Round(until, tracker.log.store.last_position()))
            return done

        tracker.rearm = rearmed  # type: ignore[method-assign]  # the last thing that a round does


@contextmanager
def live(broker: Broker, folder: Path, begins: float, policy: str = "") -> Iterator[Live]:
    """Run everything that ``tracker run`` runs until the block ends.

    Nothing told may then be lost, the views must be what a rebuild makes of the log, and no worker may have failed.
    """
    shop, hands = Shop(broker, folder, PARTITIONS), StoryClock(at(begins))
    DemoClock(start=hands.now, anchor=clock.wall(), speed=0, end=hands.now).keep(folder)
    settings = _settings(shop, policy)
    with ExitStack() as stack:
        parts = stack.enter_context(system(settings, adopting=True))._replace(clock=hands)
        reading = stack.enter_context(views(parts, settings))
        follower = Follower(reading, parts.log.store)
        crew, url = _at_work(stack, parts, settings, shop, reading, follower)
        told = Live(shop, parts, hands, url)
        stack.callback(told.close)
        yield told
        told.settle().check()
        assert rebuild.verify(reading, parts.log.store).differences == []
    assert crew.failed == []


def _at_work(
    stack: ExitStack, parts: System, settings: Settings, shop: Shop, reading: SqliteViews, follower: Follower
) -> tuple[Crew, str]:
    """Put the workers together as ``tracker run`` does, and say where the page is."""
    registry = CollectorRegistry()
    loop = workers.ingest(
        parts,
        settings,
        servers=shop.broker.bootstrap_servers,
        topics=settings.topics.names(),
        begin="earliest",
        options=shop.options,
        registry=registry,
    )
    app = application(parts, reading, settings, registry)
    page, bound = [""], threading.Event()

    def announce(url: str) -> None:
        page[0] = url
        bound.set()

    crew = Crew(
        [
            Worker("ingest", loop.run),
            workers.watchdog(loop),
            workers.ticks(parts, settings),
            Worker("follower", follower.run),
            Worker("web", lambda stop: web.serve(app, settings.host, 0, stop, announce)),
        ]
    )
    stack.callback(crew.end)
    crew.start()
    assert bound.wait(PATIENCE), crew.failed
    return crew, page[0]


def _settings(shop: Shop, policy: str) -> Settings:
    settings = shop.settings(poll_records=2000)
    if not policy:
        return settings
    file = shop.directory / "policy.toml"
    file.write_text(policy, encoding="utf-8")
    return settings.model_copy(update={"policy": file})


def _address(path: Iterable[str]) -> str:
    return "/".join(("/v1", *(quote(part, safe="") for part in path)))


def _time(event: Event) -> Instant:
    return instant(datetime.fromisoformat(event["time"]))
