"""Ingest loops in this process, the load they are under, and who watches them."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from deploy import workers
from deploy.wiring import system
from deploy.workers import Crew, Worker
from tests.brokers.clients import PATIENCE, producer
from tests.contracts.ingesting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consumers.loop import Ingest
    from deploy.wiring import System
    from tests.contracts.ingesting import Acked, Message, Shop


class Running(NamedTuple):
    """An ingest loop on a thread of this process."""

    parts: System
    loop: Ingest
    crew: Crew
    noted: Counter[str]

    def until(self, reached: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Wait, but not for a loop that has ended."""
        until(lambda: reached() or self.has_ended(), seconds)
        assert reached(), f"the loop ended: {self.crew.failed}"

    def has_ended(self) -> bool:
        """Say whether the loop is over."""
        return self.crew.stop.is_set()

    def failure(self, seconds: float = PATIENCE) -> BaseException:
        """Wait for the loop to fail, and give its reason."""
        until(self.has_ended, seconds)
        (failed,) = self.crew.failed
        self.crew.failed.clear()
        return failed[1]


@contextmanager
def running(shop: Shop, **chosen: Any) -> Iterator[Running]:
    """Run the product's ingest, wired as its own processes do it, until the end of the block; it must not fail."""
    more = chosen.pop("options", {})
    settings = shop.settings(**chosen.pop("kafka", {}))
    with system(settings) as parts:
        loop = workers.ingest(
            parts,
            settings,
            servers=str(settings.bootstrap_servers),
            topics=settings.topics.names(),
            begin=chosen.pop("begin", None),
            options=shop.options | more,
            **chosen,
        )
        noted: Counter[str] = Counter()
        loop._note = lambda name, *_: noted.update([name])
        crew = Crew([Worker("ingest", loop.run)])
        crew.start()
        try:
            yield Running(parts, loop, crew, noted)
        finally:
            crew.end()
    assert not crew.failed, crew.failed


class Load:
    """Orders that keep coming from entering to leaving; by then all of them are acknowledged."""

    def __init__(self, shop: Shop, pause: float = 0.01, at_once: int = 5, **settings: Any) -> None:
        """Send so many orders at a time, with a pause after them."""
        self._shop, self._pause, self._at_once = shop, pause, at_once
        self._sender = producer(shop.broker, **({"linger_ms": 5} | settings))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._futures: list[Any] = []

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, and wait for what is under way."""
        self._stop.set()
        self._thread.join(PATIENCE)
        for future in self._futures:
            future.get(PATIENCE)
        self._sender.close()

    def _send(self) -> None:
        while not self._stop.wait(self._pause):
            self._futures += [self._shop.post(message, self._sender) for message in self.next(self._at_once)]

    def next(self, orders: int) -> list[Message]:
        """Tell of so many more orders."""
        return self._shop.orders(orders)


class Watcher:
    """Reads the positions again and again, to see afterwards that time was never ahead of an unread record."""

    def __init__(self, shop: Shop) -> None:
        """Watch this shop's store."""
        self._shop = shop
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.samples: list[dict[tuple[str, int], tuple[int, int | None]]] = []

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self._stop.set()
        self._thread.join(PATIENCE)

    def check(self) -> None:
        """Find a moment at which a record had been acknowledged before what the store called read, and was not."""
        assert any(at for sample in self.samples for _, at in sample.values()), "nothing was ever read up to anywhere"
        by_place: dict[tuple[str, int], list[Acked]] = {}
        for one in sorted(self._shop.acked, key=lambda one: one.offset):
            by_place.setdefault((one.topic, one.partition), []).append(one)
        for sample in self.samples:
            for place, (stands, read_up_to) in sample.items():
                ahead = [
                    one for one in by_place.get(place, ())[::-1] if stands <= one.offset and one.at < (read_up_to or 0)
                ]
                assert not ahead, f"{place} stands at {stands}, is read up to {read_up_to}, but not {ahead[-1]}"

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            sample = self._shop.store.positions()
            if not self.samples or sample != self.samples[-1]:
                self.samples.append(sample)
