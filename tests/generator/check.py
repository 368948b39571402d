"""Hold findings against the truth of the same files, all kinds, to the second instant and order.

python -m tests.generator.check DIR/truth.jsonl found.jsonl
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.generator.product import RULED

SHOWN = 3
Row = Mapping[str, Any]
Key = tuple[str, str, datetime, str]
What = tuple[datetime, datetime | None, tuple[str, ...]]


def read(path: Path, kind: str) -> dict[Key, What]:
    """Read what was found, or should be; the kind stands under this name."""
    found: dict[Key, What] = {}
    for line in path.read_text(encoding="utf8").splitlines():
        one = json.loads(line)
        if one.get("state") != "retracted":
            subject = one["subject"] if "subject" in one else one["key"].partition("@")[0]
            rule = str(one["rule"]) if one[kind] in RULED else ""
            ended = datetime.fromisoformat(one["ended_at"]) if one["ended_at"] else None
            what = datetime.fromisoformat(one["due_at"]), ended, tuple(one["order_ids"])
            found[one[kind], subject, datetime.fromisoformat(one["since"]), rule] = what
    return found


def main() -> int:
    """Print a line a kind, and the first of what is missing, too much or different; fail when anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth", type=Path)
    parser.add_argument("found", type=Path)
    asked = parser.parse_args()
    wanted, found = read(asked.truth, "incident"), read(asked.found, "kind")
    wrong = defaultdict[str, list[str]](list)
    for key in sorted(wanted.keys() | found.keys()):
        if wanted.get(key) != found.get(key):
            wrong[key[0]].append(f"{key[1:]} wanted {shown(wanted.get(key))} found {shown(found.get(key))}")
    for kind, count in sorted(Counter(key[0] for key in wanted.keys() | found.keys()).items()):
        sys.stdout.write(f"{kind:22} {count:6} {len(wrong[kind]):5} wrong\n")
        sys.stdout.writelines(f"    {line}\n" for line in wrong[kind][:SHOWN])
    return 1 if any(wrong.values()) else 0


def shown(what: What | None) -> str:
    """Write what was found for people."""
    if what is None:
        return "nothing"
    due, ended, orders = what
    return f"{due.isoformat()}..{ended.isoformat() if ended else ''} {','.join(orders[:SHOWN])}"


if __name__ == "__main__":
    sys.exit(main())
