"""Names, phone numbers and e-mail are dropped at the edge: a canary appears in no byte that we keep or print."""

import json
import subprocess
import sys
from pathlib import Path

CANARY = "Zanzibar-Quetzal"


def test_a_canary_in_an_accepted_message_is_in_no_file_and_in_nothing_we_print(tmp_path):
    placed = {
        "specversion": "1.0",
        "id": "e1",
        "source": "/shops/x",
        "type": "order.placed.v1",
        "time": "2026-03-01T09:00:00Z",
        "data": {
            "order_id": "A",
            "lines": [{"line_id": "1", "sku": "S", "quantity": 1}],
            "customer": {"name": CANARY, "phone": CANARY, "email": f"{CANARY}@example.org"},
        },
    }
    (tmp_path / "events.jsonl").write_text(json.dumps(placed) + "\n")
    program = (
        "import sys, pathlib\n"
        "from consumers import backtest\n"
        "from consumers.translate import Translator\n"
        "from deploy import clock\n"
        "from deploy.wiring import open_log\n"
        "from domain.judging.adoption import adopt\n"
        "from domain.tracker import Tracker\n"
        "from projections.follower import Follower\n"
        "from projections.views import SqliteViews\n"
        "here = pathlib.Path(sys.argv[1])\n"
        "with open_log(here / 'log.db') as log:\n"
        "    tracker = Tracker(log, adopt(log, '', clock.wall()))\n"
        "    print(backtest.run((here / 'events.jsonl').open('rb'), tracker, Translator({}), clock.wall()))\n"
        "    views = SqliteViews(here / 'views.db')\n"
        "    Follower(views, log.store).catch_up()\n"
        "    views.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=60, check=True
    )
    assert "personal_name_dropped /shops/x" in done.stdout
    kept = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name != "events.jsonl"}
    assert {"log.db", "views.db"} <= set(kept)
    assert [name for name, content in kept.items() if CANARY.encode() in content] == []
    assert CANARY not in done.stdout + done.stderr


def test_validate_does_not_print_it_either(tmp_path):
    bad = {"specversion": "1.0", "id": "e1", "source": "/s", "type": "order.placed.v1", "time": "2026-03-01T09:00:00Z"}
    bad["data"] = {"order_id": "A", "lines": [], "customer": {"name": CANARY}}
    (tmp_path / "events.jsonl").write_text(json.dumps(bad) + "\n")
    command = [Path(sys.executable).with_name("tracker"), "validate", tmp_path / "events.jsonl", "--all"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert CANARY not in done.stdout + done.stderr
