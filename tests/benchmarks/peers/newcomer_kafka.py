"""The newcomer's version end to end: `kafka-python` as it comes, one message at a time, the view beside it."""

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

from kafka import KafkaConsumer

from tests.benchmarks.peers.newcomer import Follower, open_shop, open_view
from tests.benchmarks.workload import TOPICS

IDLE_SECONDS = 0.05


def consume(bootstrap_servers: str, prefix: str, directory: Path, messages: int) -> None:
    """Take so many messages in, one by one."""
    shop = open_shop(directory)
    consumer = open_consumer(bootstrap_servers, prefix, directory.name)
    for taken, record in enumerate(consumer, start=1):
        shop.take(record.value)
        if taken == messages:
            break
    consumer.close()
    shop.close()


def open_consumer(bootstrap_servers: str, prefix: str, group: str) -> KafkaConsumer:
    """Subscribe as the tutorials do."""
    names = (f"{prefix}.{topic}" for topic in TOPICS)
    return KafkaConsumer(*names, bootstrap_servers=bootstrap_servers, group_id=group, auto_offset_reset="earliest")


def follow(directory: Path, messages: int) -> None:
    """Keep the view up to date until it shows so many events."""
    shop, view = open_shop(directory), open_view(directory)
    follower = Follower(shop, view)
    while follower.catch_up() < messages:
        view.flag_overdue(datetime.now(UTC))
        sleep(IDLE_SECONDS)  # between two looks at the log
    view.flag_overdue(datetime.now(UTC))
    view.datastore.close()
    shop.close()


def main() -> None:
    """Run both halves, each in a process of its own, until all is visible."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("consume", "follow", "both"))
    for name in ("bootstrap_servers", "prefix"):
        parser.add_argument(name)
    parser.add_argument("directory", type=Path)
    parser.add_argument("messages", type=int)
    chosen = parser.parse_args()
    if chosen.role == "consume":
        consume(chosen.bootstrap_servers, chosen.prefix, chosen.directory, chosen.messages)
    elif chosen.role == "follow":
        follow(chosen.directory, chosen.messages)
    else:
        _both(sys.argv[2:])


def _both(arguments: list[str]) -> None:
    halves = [_start(role, arguments) for role in ("consume", "follow")]
    sys.exit(max(half.wait() for half in halves))


def _start(role: str, arguments: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", __spec__.name, role, *arguments])


if __name__ == "__main__":
    main()
