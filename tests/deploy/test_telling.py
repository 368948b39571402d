"""What a process that stays tells: one line of JSON an entry, with what a person needs to act on it."""

import subprocess
import sys
from pathlib import Path

import orjson
from structlog.testing import capture_logs

from deploy.settings import Settings
from deploy.wiring import system
from tests.story import Desk, placed

ROOT = Path(__file__).parents[2]
STRICT = '[late_shipment]\nwarn_before = "1h"\n'
LAX = '[late_shipment]\nwarn_before = "9h"\n'


FAILS = """
import logging
from deploy.telemetry import configure

configure("info")
try:
    raise LookupError("no such shelf")
except LookupError:
    logging.getLogger("api.shelf").exception("the shelf could not be read")
logging.getLogger("kafka.net.manager").error("Connection failed")
"""


def test_an_error_is_told_with_its_text_and_where_it_came_from_and_an_attempt_to_connect_is_not() -> None:
    # A process of its own, because to set logging up takes it away from everybody else.
    done = subprocess.run([sys.executable, "-c", FAILS], cwd=ROOT, capture_output=True, text=True, check=True)
    [line] = done.stderr.splitlines()
    entry = orjson.loads(line)
    assert (entry["event"], entry["logger"], entry["level"]) == ("the shelf could not be read", "api.shelf", "error")
    assert entry["exception"].endswith("LookupError: no such shelf")


def start(folder: Path, text: str) -> list[dict[str, object]]:
    """Open the store as a role that judges, with a policy; gives what was told of the policy."""
    policy = folder / "policy.toml"
    policy.write_text(text)
    with capture_logs() as entries, system(Settings(data_dir=folder, policy=policy), adopting=True) as parts:
        Desk(parts.log, text).take(placed(0), until=1)
        judge = parts.tracker.policies[-1].policy.hash
    assert {entry["hash"] for entry in entries} == {judge}
    return [dict(entry) for entry in entries]


def test_a_role_tells_which_policy_judges_and_warns_when_it_changed_it(tmp_path: Path) -> None:
    events = [entry["event"] for text in (STRICT, STRICT, LAX) for entry in start(tmp_path, text)]
    assert events == ["policy", "policy", "policy changed"]
