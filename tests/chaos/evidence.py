"""What a run leaves behind: the ledger of what the broker acked, and the log as its database reads it."""

import json
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from tests.stores.engine import beside

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
KEYS: Final = {"order": "order_id", "fulfillment": "order_id", "parcel": "parcel_id", "complaint": "complaint_id"}
TIMES: Final = {"ship_by", "deliver_by"}
COMPARED: Final = ("warehouse_id", "order_ids", "proof")
Key = tuple[str, str]
"""Source and id of an event."""
Line = dict[str, Any]
"""One message as the broker acked it."""


def micro(text: str | None) -> int | None:
    """Read a time as microseconds."""
    return None if text is None else (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def said(line: Line) -> str:
    """Write what an event says, so that two of one id can be compared."""
    event = line["event"]
    return json.dumps([event["type"], event["time"], event["data"]], sort_keys=True)


def is_beat(line: Line) -> bool:
    """Say whether it only proves that its source is alive."""
    return bool(line["event"]["type"] == "feed.heartbeat.v1")


class Evidence:
    """The ledger and the log of one run."""

    def __init__(self, stage: Path, end: int) -> None:
        """Read both; time stands at ``end``."""
        self.end = end
        self.ledger: list[Line] = [json.loads(line) for line in (stage / "ledger.jsonl").read_text().splitlines()]
        for line in self.ledger:
            line["event"] = json.loads(b64decode(line["value"])) if line["sort"] == "event" else None
        self.sent: dict[str, Line] = {line["via"]: line for line in self.ledger}
        self.by_id: dict[Key, list[Line]] = defaultdict(list)
        self.parcel_of: dict[str, str] = {}
        for event, line in ((line["event"], line) for line in self.ledger if line["event"]):
            self.by_id[event["source"], event["id"]].append(line)
            if event["type"] == "parcel.labelled.v1":
                self.parcel_of[event["data"]["tracking_number"]] = event["data"]["parcel_id"]
        self._read_log(stage / "log.db")

    def homes(self, event: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """List the streams that a fact belongs in, and under which name."""
        kind, data = event["type"].split(".")[0], event["data"]
        number = f"tracking-{data.get('carrier')}-{data.get('tracking_number')}"
        if kind in KEYS and KEYS[kind] in data:
            yield f"{kind.replace('fulfillment', 'order')}-{data[KEYS[kind]]}", event["type"]
            if event["type"] == "parcel.labelled.v1":
                yield number, "tracking.labelled.v1"
        elif kind == "parcel":
            yield number, "tracking.scanned.v1"
            if data["tracking_number"] in self.parcel_of:
                yield f"parcel-{self.parcel_of[data['tracking_number']]}", event["type"]
        else:
            yield (f"sku-{data['sku']}" if kind == "price" else f"binding-{data['listing_sku']}"), event["type"]

    def _read_log(self, path: Path) -> None:
        with beside(path) as log:
            self.gaps = log.id == "notification_id"
            rows = log.execute(
                f"SELECT {log.id}, originator_id, originator_version, topic, state FROM stored_events ORDER BY {log.id}"
            )
            self.rows = [(*row[:4], json.loads(row[4])) for row in rows]
            self.positions = dict(log.execute("SELECT partition, next FROM positions"))
            self.seen = Counter(bytes(row[0]) for row in log.execute("SELECT key FROM seen_ids"))
            self.armed = dict(log.execute("SELECT subject, due FROM deadlines WHERE due IS NOT NULL"))
            held = log.execute('SELECT partition, "offset", code, value FROM quarantine')
            self.held = {(row[0], row[1]): (row[2], sha256(row[3] or b"").hexdigest()) for row in held}


def same(event: dict[str, Any], fact: dict[str, Any]) -> bool:
    """Say whether a stored fact says what the event says."""
    data = {name: micro(value) if name in TIMES else value for name, value in event["data"].items() if name in fact}
    heads = (event["source"], event["id"], micro(event["time"])), (fact["source"], fact["id"], fact["at"])
    return heads[0] == heads[1] and all(fact[name] == value for name, value in data.items())


def shown(late: dict[str, Any]) -> tuple[Any, ...]:
    """Give what is compared of a stored finding."""
    ended_by = late["detail"].get("ended_by")
    return late["due_at"], late.get("ended_at"), ended_by, *(late.get(name) for name in COMPARED)


def true(late: dict[str, Any]) -> tuple[Any, ...]:
    """Give the same of a true one."""
    return micro(late["due_at"]), micro(late["ended_at"]), late["ended_by"], *(late[name] for name in COMPARED)
