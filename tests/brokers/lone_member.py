"""A group member in a process of its own, to be killed: run as a script with SERVERS TOPIC GROUP.

After every poll it says how many partitions it has.
"""

from __future__ import annotations

import sys

from kafka import KafkaConsumer


def main(servers: str, topic: str, group: str) -> None:
    """Poll until killed."""
    consumer = KafkaConsumer(
        bootstrap_servers=servers,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=2_000,
        heartbeat_interval_ms=300,
    )
    consumer.partitions_for_topic(topic)  # known before it joins, see tests/brokers/clients.py
    consumer.subscribe([topic])
    while True:
        consumer.poll(timeout_ms=1_000)
        print(len(consumer.assignment()), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
