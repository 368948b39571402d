"""What a consumer does after a deserializer raised: run as a script with SERVERS TOPIC [seek].

It says `raised` when the first poll did, and `returned` when the next one came back. A process of its own, because a
poll that never comes back can be ended in no other way.
"""

from __future__ import annotations

import sys

from kafka import KafkaConsumer, TopicPartition
from kafka.serializer import Deserializer


class Refusing(Deserializer):  # type: ignore[misc] # the client library is untyped
    """Raises for the value `poison`."""

    def deserialize(self, topic: str, headers: object, data: bytes | None) -> bytes | None:  # noqa: ARG002 - the library's signature
        """Return the data, or raise."""
        if data == b"poison":
            raise ValueError("poison")
        return data


def main(servers: str, topic: str, *, seek: bool) -> None:
    """Poll once into the poison, and once more."""
    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(
        bootstrap_servers=servers, auto_offset_reset="none", group_id=None, value_deserializer=Refusing()
    )
    consumer.assign([partition])
    consumer.seek(partition, 0)
    try:
        while True:
            consumer.poll(timeout_ms=500)
    except Exception as error:  # noqa: BLE001 - which type it is, is for the test to see
        print("raised", repr(error), flush=True)
    if seek:
        consumer.seek(partition, 1)
    print("returned", len(consumer.poll(timeout_ms=500)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], seek=sys.argv[3:] == ["seek"])
