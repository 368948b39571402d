"""An ingest process for tests: the product's own wiring, told by its environment, that says what happens to it.

It prints a line of JSON for each thing of note. SIGUSR1 makes it stop itself (SIGSTOP) with its next batch in hand:
decoded, and not stored. The arguments are JSON: what to pass on to the wiring.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from deploy import workers
from deploy.settings import Settings
from deploy.wiring import system
from deploy.workers import Crew, Worker

if TYPE_CHECKING:
    from domain.history.batch import Batch
    from domain.instant import Instant
    from domain.intake.attempt import Taken
    from domain.tracker import Tracker


def main(chosen: dict[str, Any]) -> int:
    """Run until SIGTERM."""
    settings = Settings()
    with system(settings) as parts:
        loop = workers.ingest(
            parts, settings, servers=str(settings.bootstrap_servers), topics=settings.topics.names(), **chosen
        )
        loop._note = lambda name, _value, why: say(noted=name, why=why)
        freeze_when_told(parts.tracker)
        crew = Crew([Worker("ingest", loop.run)])
        signal.signal(signal.SIGTERM, lambda *_: crew.stop.set())
        crew.start()
        say(started=os.getpid())
        crew.wait()
        crew.end()
        say(ended=[repr(error) for _, error in crew.failed])
        return 1 if crew.failed else 0


def freeze_when_told(tracker: Tracker) -> None:
    """Stop this process before the first batch that is taken after SIGUSR1."""
    told = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: told.set())
    take = tracker.take

    def frozen(batch: Batch, until: Instant) -> Taken:
        if told.is_set():
            told.clear()
            say(frozen=[(part.topic, part.number, part.expected, part.next) for part in batch.slices])
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(0.2)  # the other threads stop at once, this one soon: not in a commit
            say(thawed=True)
        taken = take(batch, until)
        say(took=[(part.topic, part.number, part.expected, part.next) for part in batch.slices])
        return taken

    tracker.take = frozen  # type: ignore[method-assign] # a failpoint


def say(**what: object) -> None:
    """Tell the test."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
