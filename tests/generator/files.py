"""Big seeded files in the form of an acceptance set: events, the same as they arrive, a policy, and the truth.

python -m tests.generator.files --orders 2000 --seed 7 --out DIR
"""

import argparse
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from tests.generator.expected import expected
from tests.generator.marketplace import Event, Market, Told

SIX_HOURS = timedelta(hours=6)
REPEATED_PERCENT = 2
POLICY = """\
allowed_lateness = "6h"
timezone = "UTC"
[late_shipment]
warn_before = "4h"
[stalled_parcel]
after = "72h"
[stalled_parcel.lanes."C-1:R1-R2"]
after = "36h"
[unconfirmed_handover]
after = "24h"
[delivery_failed]
pickup_wait = "24h"
[presumed_lost]
after = "6d"
[complaint_overdue]
first_response = "24h"
general = "48h"
complex = "96h"
[warehouse_backlog]
minimum = 3
factor = 1.5
[carrier_backlog]
minimum = 3
factor = 1.5
[feeds]
C-1 = ["/carriers/C-1"]
C-2 = ["/carriers/C-2"]
[kinds]
enabled = [
    "late_shipment", "late_delivery", "stalled_parcel", "delivery_failed", "unconfirmed_handover", "presumed_lost",
    "mis_shipment", "stock_out", "complaint_overdue", "warehouse_backlog", "carrier_backlog", "damaged_parcel",
]
"""


def in_world_order(told: Iterable[Told]) -> list[Event]:
    """Sort events the way the world is read: by (time, source, id)."""
    events = [one.event for one in told]
    return sorted(events, key=lambda e: (datetime.fromisoformat(e["time"]), e["source"], e["id"]))


def in_arrival_order(told: Sequence[Told], dice: Random) -> list[Event]:
    """Delay each message by up to six hours after it was sent, and send some of them again."""
    again = [one for one in told if dice.random() * 100 < REPEATED_PERCENT]
    coming = [(one.sent + dice.random() * SIX_HOURS, number, one) for number, one in enumerate([*told, *again])]
    return [one.event for _, _, one in sorted(coming, key=lambda c: c[:2])]


def truth(events: Sequence[Event], policy: Mapping[str, Any]) -> list[dict[str, object]]:
    """Write what the oracle finds in the form of a truth file; a fulfilment has one line at most."""
    found = expected(events, policy)
    shipments = Counter(one["subject"] for one in found if one["kind"] == "late_shipment")
    twice = [subject for subject, times in shipments.items() if times > 1]
    if twice:
        raise ValueError(f"a truth file holds one lateness a fulfilment, but {twice[:3]} were late more than once")
    now = max(datetime.fromisoformat(event["time"]) for event in events)
    rows = [row(one, now) for one in found]
    return sorted(rows, key=lambda r: (str(r["due_at"]), str(r["incident"]), str(r["key"]), str(r["rule"])))


def row(finding: Mapping[str, Any], now: datetime) -> dict[str, object]:
    """Turn one finding into one line of truth."""
    due = datetime.fromisoformat(finding["due_at"])
    since = datetime.fromisoformat(finding["since"])
    ended = datetime.fromisoformat(finding["ended_at"]) if finding["ended_at"] else None
    several = finding["kind"] in {"stalled_parcel", "warehouse_backlog", "carrier_backlog"}
    shipment = finding["kind"] == "late_shipment"
    return {
        "incident": finding["kind"],
        "key": f"{finding['subject']}@{since.isoformat()}" if several else finding["subject"],
        "order_id": next(iter(finding["order_ids"]), None),
        "shipment_id": finding["subject"] if shipment else None,
        "hub": finding["warehouse_id"] if shipment else finding["subject"],
        "due_at": due.isoformat(),
        "ended_at": ended.isoformat() if ended else None,
        "magnitude_s": int(((ended or now) - due).total_seconds()),
        "since": since.isoformat(),
        "order_ids": finding["order_ids"],
        "rule": finding["rule"] or "",
        "peak": finding.get("peak"),
    }


def write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write one compact JSON object a line."""
    lines = (json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in rows)
    path.write_text("".join(lines), encoding="utf8")


def write(orders: int, seed: int, out: Path) -> None:
    """Write the four files of one acceptance set."""
    out.mkdir(parents=True, exist_ok=True)
    told = Market(seed).run(orders)
    events = in_world_order(told)
    write_lines(out / "events.jsonl", events)
    write_lines(out / "events.arrival.jsonl", in_arrival_order(told, Random(f"arrival {seed}")))
    (out / "policy.toml").write_text(POLICY, encoding="utf8")
    wanted = truth(events, tomllib.loads(POLICY))
    write_lines(out / "truth.jsonl", wanted)
    sys.stdout.write(f"{len(events)} events of {orders} orders, {len(wanted)} findings, in {out}\n")


def main() -> int:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    write(asked.orders, asked.seed, asked.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
