"""A process that owns an embedded broker, to be killed: run as a script with DIRECTORY [fork].

It starts the broker on a thread that then ends, prints `host:port`, and does not mind SIGINT. With `fork` it has a
child that inherited the pipe to the broker's keeper.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from deploy.embedded import EmbeddedBroker

LIFETIME = 60


def main(directory: Path, *, fork: bool) -> None:
    """Own it until killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    broker = EmbeddedBroker(directory)
    thread = threading.Thread(target=broker.start)
    thread.start()
    thread.join()
    child = os.fork() if fork else 0
    if child or not fork:
        print(broker.bootstrap_servers, child, flush=True)
    time.sleep(LIFETIME)  # until it is killed


if __name__ == "__main__":
    main(Path(sys.argv[1]), fork=sys.argv[2:] == ["fork"])
