"""The command line: what it prints, and its exit codes: 0 success, 1 an explained failure, 2 bad usage or input."""

import json
import socket
from pathlib import Path

import pytest

from deploy.settings import Settings
from deploy.wiring import open_store
from domain.judging.adoption import adopt
from tests.deploy.command import command_here, command_in

PLACED = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/shops/x",
    "type": "order.placed.v1",
    "time": "2026-03-01T09:00:00Z",
    "data": {
        "order_id": "A",
        "ship_by": "2026-03-03T09:00:00Z",
        "lines": [{"line_id": "1", "sku": "S", "quantity": 1}],
    },
}
HEARTBEAT = {
    "specversion": "1.0",
    "id": "h1",
    "source": "/shops/x",
    "type": "feed.heartbeat.v1",
    "time": "2026-03-09T09:00:00Z",
}


@pytest.fixture
def tracker(tmp_path):
    """Run the command in a folder of its own, with nothing inherited that would change it."""
    return command_here(tmp_path)


@pytest.fixture
def process(tmp_path):
    """Run the command in that folder as a process of its own."""
    return command_in(tmp_path)


def write(path: Path, *events) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def test_a_backtest_writes_the_findings_and_says_what_it_did(process, tmp_path):
    events, policy = write(tmp_path / "events.jsonl", PLACED, HEARTBEAT), tmp_path / "policy.toml"
    policy.write_text("")
    done = process("backtest", events, "--policy", policy, "--findings", "out.jsonl", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) | {"taken": 2, "findings": 1, "late": 0} == json.loads(done.stdout)
    [finding] = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert (finding["kind"], finding["subject"], finding["due_at"]) == ("late_shipment", "A", "2026-03-03T09:00:00Z")
    assert finding["proof"] == ["/shops/x#e1"]


def test_a_backtest_of_what_nobody_can_read_is_bad_input(tracker, tmp_path):
    policy, bad = tmp_path / "policy.toml", tmp_path / "bad.jsonl"
    policy.write_text("")
    bad.write_text("time,order\n2026-03-01,A\n")
    done = tracker("backtest", bad, "--policy", policy, "--findings", "out.jsonl", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["quarantined"] == {"not_json": 2}
    assert "none of these messages could be read" in done.stderr
    bad.write_bytes(b"\xef\xbb\xbf" + write(tmp_path / "good.jsonl", PLACED, HEARTBEAT).read_bytes() + b"rubbish\n")
    assert tracker("backtest", bad, "--policy", policy, "--findings", "out.jsonl").returncode == 0


VERSIONS = """
[kinds]
enabled = ["stock_out"]
[[version]]
valid_from = "2026-03-03T00:00:00Z"
[version.kinds]
enabled = ["late_shipment"]
[[version]]
valid_from = "2999-01-01T00:00:00Z"
[version.late_shipment]
approval = "required"
"""


def shown(done):
    rows = [one for one in json.loads(done.stdout) if one["name"] == "policy version"]
    return [(*one["value"].split(" ", 1), one["origin"]) for one in rows]


def test_a_backtest_judges_by_the_version_of_the_time_and_findings_name_it(tracker, tmp_path):
    early = {**PLACED, "id": "e0", "data": {**PLACED["data"], "order_id": "B", "ship_by": "2026-03-02T23:59:00Z"}}
    events, policy = write(tmp_path / "events.jsonl", early, PLACED, HEARTBEAT), tmp_path / "policy.toml"
    policy.write_text(VERSIONS)
    done = tracker("backtest", events, "--policy", policy, "--findings", "out.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    [finding] = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    versions = shown(tracker("config", "show", "--json", TRACKER_POLICY=str(policy)))
    assert (finding["subject"], finding["policy"]) == ("A", versions[1][0])


def test_the_versions_of_a_policy_are_shown_with_when_they_judge(tracker, tmp_path):
    (tmp_path / "policy.toml").write_text(VERSIONS)
    versions = shown(tracker("config", "show", "--json", TRACKER_POLICY="policy.toml"))
    assert [one[1:] for one in versions] == [
        ("from the beginning", "past"),
        ("from 2026-03-03T00:00:00Z", "in force"),
        ("from 2999-01-01T00:00:00Z", "planned"),
    ]
    assert len({digest for digest, *_ in versions}) == 3
    assert [one[1:] for one in shown(tracker("config", "show", "--json"))] == [("from the beginning", "in force")]


def test_a_policy_that_cannot_be_used_is_shown_as_such_beside_the_settings(tracker, tmp_path):
    (tmp_path / "policy.toml").write_text("[late_shipmen]\n")
    done = tracker("config", "show", "--json", TRACKER_POLICY="policy.toml")
    assert done.returncode == 0
    [(_, why, state)] = shown(done)
    assert (state, "late_shipmen" in why) == ("invalid", True)


def test_a_finding_has_exactly_the_keys_of_the_contract(tracker, tmp_path):
    events, policy = write(tmp_path / "events.jsonl", PLACED, HEARTBEAT), tmp_path / "policy.toml"
    policy.write_text("")
    tracker("backtest", events, "--policy", policy, "--findings", "out.jsonl")
    finding = json.loads((tmp_path / "out.jsonl").read_text())
    assert list(finding) == [
        "kind", "subject", "since", "due_at", "ended_at", "state", "order_ids", "parcel_id", "warehouse_id",
        "carrier", "sku", "severity", "rule", "policy", "proof", "detail",
    ]  # fmt: skip


def test_an_unknown_policy_key_is_refused_with_the_nearest_known_name(tracker, tmp_path):
    events, policy = write(tmp_path / "events.jsonl", PLACED), tmp_path / "policy.toml"
    policy.write_text('[late_shipments]\nwarn_before = "4h"\n')
    done = tracker("backtest", events, "--policy", policy, "--findings", "out.jsonl")
    assert done.returncode == 2
    assert "late_shipments" in done.stderr
    assert "did you mean 'late_shipment'" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("backtest", "nowhere.jsonl", "--policy", "p.toml", "--findings", "o"),
        ("backtest", "--policy", "p.toml", "--findings", "o"),
        ("backtest", "--from-kafka", "--policy", "p.toml", "--findings", "o"),
        ("validate",),
        ("validate", "nowhere.jsonl"),
        ("no-such-command",),
        ("run", "--from", "yesterday"),
    ],
)
def test_bad_usage_is_told_without_a_traceback(tracker, tmp_path, arguments):
    (tmp_path / "p.toml").write_text("")
    done = tracker(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_bad_setting_is_named(process):
    done = process("config", "show", TRACKER_PORT="many")
    assert (done.returncode, "port" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


def test_secrets_stay_hidden(tracker):
    done = tracker("config", "show", "--json", TRACKER_KAFKA__SASL_PASSWORD="hunter2")
    assert done.returncode == 0
    assert "hunter2" not in done.stdout
    [shown] = [one for one in json.loads(done.stdout) if one["name"] == "kafka.sasl_password"]
    assert shown["origin"] == "set"


def test_validate_says_what_would_become_of_each_message(tracker, tmp_path):
    other = {**PLACED, "data": {**PLACED["data"], "order_id": "B"}}
    foreign = {**HEARTBEAT, "id": "f", "type": "loyalty.points.v1"}
    file = write(tmp_path / "e.jsonl", PLACED, PLACED, other, foreign)
    with file.open("a") as more:
        more.write("rubbish\n")
    done = tracker("validate", file, "--all", "--json")
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one.get("verdict") for one in verdicts[:-1]] == ["taken", "repeated", "refused", "skipped", "refused"]
    assert [verdicts[2]["code"], verdicts[4]["code"]] == ["id_conflict", "not_json"]
    assert verdicts[-1] == {"taken": 1, "repeated": 1, "refused": 2, "skipped": 1}
    assert done.returncode == 2


def test_the_first_start_without_a_place_to_begin_or_without_a_broker_is_explained(process):
    done = process("ingest")
    assert done.returncode == 1
    assert "KAFKA_BOOTSTRAP_SERVERS" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_says_when_the_log_is_judged_by_other_rules_than_ours(tracker, tmp_path):
    (tmp_path / "policy.toml").write_text('[late_shipment]\npromise = "latest"')
    with open_store(Settings(data_dir=tmp_path / "var")) as log:
        adopt(log, "", 0)
    for file, told in (("policy.toml", True), ("", False)):
        done = tracker("doctor", "--json", **({"TRACKER_POLICY": file} if file else {}))
        [rules] = [one for one in json.loads(done.stdout) if one["what"] == "rules"]
        assert ("holds other rules" in rules["found"], bool(rules["mend"])) == (told, told)


def test_doctor_mends_with_words(tracker):
    done = tracker("doctor", "--json", KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    checks = {one["what"]: one for one in json.loads(done.stdout)}
    assert done.returncode == 1
    assert (checks["settings"]["ok"], checks["broker"]["ok"]) == (True, False)
    assert "KAFKA_BOOTSTRAP_SERVERS" in checks["broker"]["mend"]


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("TRACKER_PORT", "high", "port: Input should be a valid integer"),
        ("TRACKER_KAFKA__GRUP", "x", "kafka.grup: there is none of this name"),
        ("DATABASE_URL", "", "DATABASE_URL: Value should have at least 1"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_variable(tracker, variable, value, told):
    done = tracker("config", "show", **{variable: value})
    assert done.returncode == 2
    assert done.stderr.startswith(f"tracker: setting {told}")
    assert variable in done.stderr


@pytest.mark.parametrize("other", ["orders.events.v1", "order-incidents.incidents.state.v1"])
def test_a_topic_cannot_be_two_things_at_once(tracker, other):
    done = tracker("config", "show", TRACKER_OUTBOUND__CHANGES=other)
    assert (done.returncode, f"{other} cannot be two things at once" in done.stderr) == (2, True)


def test_a_name_that_no_setting_has_is_refused_in_the_file_at_every_depth(tracker, tmp_path):
    (tmp_path / "tracker.toml").write_text('[topics]\norder = "x"\n')
    done = tracker("config", "show")
    assert (done.returncode, "topics.order: there is none of this name" in done.stderr) == (2, True)


def test_what_is_no_terminal_gets_whole_rows(process):
    rows = process("config", "show", COLUMNS="40").stdout.splitlines()
    assert [row.split()[-1] for row in rows if "session_timeout_ms" in row] == ["TRACKER_KAFKA__SESSION_TIMEOUT_MS"]


def test_messages_of_a_status_that_there_is_not_are_bad_usage(tracker):
    done = tracker("quarantine", "list", "--status", "lost")
    assert (done.returncode, "'expired'" in done.stderr) == (2, True)


def test_an_address_that_somebody_has_is_an_explained_failure(process):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = process("serve", "--port", taken.getsockname()[1])
    assert done.returncode == 1
    assert done.stderr.startswith("tracker: pages cannot be served on 127.0.0.1:")
