"""What `kafka-python` costs by itself: the same records, polled as each subject polls, and dropped."""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

from consumers.cluster import Cluster
from consumers.loop import POLL_MS
from consumers.source import KafkaSource
from tests.benchmarks import topics
from tests.benchmarks.peers import newcomer_kafka
from tests.benchmarks.workload import TOPICS

LIMIT: Final = 2000


def rate_alone(way: str, bootstrap_servers: str, prefix: str, messages: int) -> float:
    """Poll everything in a fresh process; returns records a second, from the first in hand to the last."""
    command = [sys.executable, "-m", __name__, way, bootstrap_servers, prefix, str(messages)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def ours(bootstrap_servers: str, prefix: str, group: str) -> Iterator[int]:
    """Poll with the product's own source; yields how many records came each time."""
    connection = {"bootstrap_servers": bootstrap_servers}
    partitions = Cluster(connection, [topics.name(prefix, one) for one in TOPICS]).partitions()
    starts = dict.fromkeys(partitions, 0)
    source = KafkaSource(connection, partitions, group, lambda: starts)
    while True:
        yield sum(map(len, source.poll(POLL_MS, LIMIT).values()))


def newcomer(bootstrap_servers: str, prefix: str, group: str) -> Iterator[int]:
    """Poll one by one, as the newcomer does."""
    for _ in newcomer_kafka.open_consumer(bootstrap_servers, prefix, group):
        yield 1


WAYS: Final = {"ours": ours, "newcomer end to end": newcomer}


def main() -> None:
    """Poll everything once and print how fast that went."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    for name in ("bootstrap_servers", "prefix"):
        parser.add_argument(name)
    parser.add_argument("messages", type=int)
    chosen = parser.parse_args()
    group = f"alone-{time.time_ns()}"
    came = (count for count in WAYS[chosen.way](chosen.bootstrap_servers, chosen.prefix, group) if count)
    missing = rest = chosen.messages - next(came)
    began = time.perf_counter()
    while missing > 0:
        missing -= next(came)
    sys.stdout.write(f"{rest / (time.perf_counter() - began)}\n")


if __name__ == "__main__":
    main()
