"""The examples of deployment: each command, setting, port and file that they name is there, and they are closed."""

import configparser
import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api import health
from deploy import web, workers
from deploy.cli import app
from deploy.settings import Settings, explain
from tests import documentation
from tests.deploy import plain_yaml
from tests.members import PACKAGES, ROOT
from tests.test_docs import check_tracker

EXAMPLES = ROOT / "deploy" / "examples"
UNITS = sorted((EXAMPLES / "systemd").glob("*.service"))
COMMON = EXAMPLES / "systemd" / "tracker-.service.d" / "common.conf"
COMPOSE = EXAMPLES / "containers" / "compose.yaml"
IMAGE = EXAMPLES / "containers" / "Containerfile"
ROLES = {"ingest", "tick", "project", "deliver", "serve"}
SETTINGS = {one.variable for one in explain(Settings())} | {"TRACKER_SECRETS_DIR"}
ENDS_WITHIN = workers.JOIN + web.LAST_WORDS + web.BACKSTOP
"""Seconds that a role may take to end."""


def unit(path: Path) -> configparser.ConfigParser:
    read = configparser.RawConfigParser(strict=False)
    read.optionxform = str
    read.read(path, encoding="utf-8")
    return read


def told(path: Path, name: str) -> list[str]:
    """Give every value of a directive that may be given several times."""
    return re.findall(rf"^{name}=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def variables(path: Path) -> dict[str, str]:
    lines = [one for one in path.read_text(encoding="utf-8").splitlines() if one and not one.startswith("#")]
    return dict(one.split("=", 1) for one in lines)


def run_by(path: Path) -> list[str]:
    [command] = told(path, "ExecStart")
    program, *words = shlex.split(command)
    assert program.endswith("/.venv/bin/tracker")
    return ["tracker", *words]


@pytest.fixture(scope="module")
def services():
    return plain_yaml.read(COMPOSE.read_text(encoding="utf-8"))["services"]


def ours(services):
    return {name: one for name, one in services.items() if one["image"] == "order-incident-tracker"}


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


# Units


def test_every_role_has_a_unit_that_runs_it():
    assert {run_by(one)[1] for one in UNITS} == ROLES
    for one in UNITS:
        assert one.stem == f"tracker-{run_by(one)[1]}"
        check_tracker(run_by(one), dict(documentation.commands()))


def test_no_two_units_want_one_port():
    ports = [
        words[place + 1] for words in map(run_by, UNITS) for place, one in enumerate(words) if one.endswith("port")
    ]
    assert len(set(ports)) == len(ROLES)
    assert str(Settings().port) in ports


def test_what_units_set_are_settings_and_secrets_come_as_files():
    given = {one.split("=")[0] for one in told(COMMON, "Environment")}
    named = {*given, *variables(EXAMPLES / "systemd" / "tracker.env")}
    assert named <= SETTINGS
    assert "DATABASE_URL" not in named
    [credential] = told(COMMON, "LoadCredential")
    assert credential.partition(":")[0].upper() in SETTINGS


def test_units_are_closed_and_give_a_role_time_to_end():
    service = unit(COMMON)["Service"]
    assert seconds(service["TimeoutStopSec"]) > ENDS_WITHIN
    assert (service["DynamicUser"], service["ProtectSystem"], service["NoNewPrivileges"]) == ("yes", "strict", "yes")
    assert service["CapabilityBoundingSet"] == ""
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("always", "2")
    for one in UNITS:
        assert set(unit(one)["Service"]) == {"ExecStart"}, "what units have in common stands in one place"


def test_what_is_said_of_how_a_role_ends_is_what_the_units_do():
    runbook, page = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("runbook.md", "deployment.md"))
    [within] = re.findall(r"ends within (\d+) s,", runbook)
    assert ENDS_WITHIN <= float(within) <= seconds(unit(COMMON)["Service"]["TimeoutStopSec"])
    words = {"12": "twelve"}[within]
    for told_of in (page, COMMON.read_text(encoding="utf-8")):
        assert f"ends within {words} seconds of SIGTERM" in told_of
    assert f"systemd with `Restart={unit(COMMON)['Service']['Restart']}`" in runbook


def test_the_documentation_of_a_unit_is_there():
    where = told(COMMON, "Documentation")
    assert where
    for one in where:
        assert (ROOT / one.removeprefix("file:/opt/order-incident-tracker/")).is_file(), one


# Containers


def test_every_role_is_a_service_that_runs_it(services):
    own = {name: one for name, one in ours(services).items() if name != "prepare"}
    assert set(own) == ROLES
    for name, one in ours(services).items():
        check_tracker(["tracker", *one["command"]], dict(documentation.commands()))
        assert name == one["command"][0] or one["command"] == ["database", "prepare"]


def test_the_image_is_built_once_and_never_asked_of_a_registry(services):
    built = [name for name, one in ours(services).items() if "build" in one]
    never = [name for name, one in ours(services).items() if one.get("pull_policy") == "never"]
    assert built == ["prepare"]
    assert {*built, *never} == set(ours(services))


def test_what_services_set_are_settings_of_an_address_that_they_share(services):
    env = variables(COMPOSE.parent / "tracker.env")
    given = {*env, *(name for one in ours(services).values() for name in one.get("environment", {}))}
    assert given <= SETTINGS
    assert env["DATABASE_URL"].split("@")[1].split(":")[0] in services
    assert env["KAFKA_BOOTSTRAP_SERVERS"].split(":")[0] in services
    assert {tuple(one["env_file"]) for name, one in ours(services).items() if name != "prepare"} == {("tracker.env",)}


def test_health_is_asked_where_the_role_answers(services):
    env = variables(COMPOSE.parent / "tracker.env")
    routes = {one.path for one in health.watched.routes}
    for name in ROLES:
        asked = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", services[name]["healthcheck"]["test"][-1])
        port = str(Settings().port) if name == "serve" else env["TRACKER_METRICS_PORT"]
        assert (asked[1], asked[2] in routes) == (port, True)
    assert services["serve"]["ports"] == [f"127.0.0.1:{Settings().port}:{Settings().port}"]
    assert f"EXPOSE {Settings().port}\n" in IMAGE.read_text(encoding="utf-8")


def test_services_wait_for_what_is_there_and_are_closed(services):
    for name, one in services.items():
        for other, how in one.get("depends_on", {}).items():
            wanted = "healthcheck" if how["condition"] == "service_healthy" else "command"
            assert wanted in services[other], (name, other)
        for place in one.get("volumes", []):
            source = place.partition(":")[0]
            assert not source.startswith(".") or (COMPOSE.parent / source).is_file()
    for name, one in ours(services).items():
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"]), name
        assert name == "prepare" or seconds(one["stop_grace_period"]) > ENDS_WITHIN


def test_the_topics_that_are_made_are_those_that_are_read(services):
    [made] = re.findall(r"for topic in (.*?);", services["topics"]["command"][-1])
    assert tuple(made.split()) == Settings().topics.names()


def test_the_roles_are_those_that_the_command_prints():
    printed = CliRunner().invoke(app, ["database", "roles"]).stdout
    assert (COMPOSE.parent / "roles.sql").read_text(encoding="utf-8") == printed


def test_the_image_holds_every_package_and_what_it_copies_exists():
    told = IMAGE.read_text(encoding="utf-8")
    copied = [word for line in re.findall(r"^COPY (?!--)(.*) \S+$", told, re.MULTILINE) for word in line.split()]
    assert set(PACKAGES) <= set(copied)
    assert [one for one in copied if not (ROOT / one).exists()] == []


def test_no_example_names_a_registry(services):
    bases = re.findall(r"^FROM (\S+)", IMAGE.read_text(encoding="utf-8"), re.MULTILINE)
    for image in (*bases, *(one["image"] for one in services.values())):
        assert re.fullmatch(r"[a-z-]+(/[a-z-]+)?(:[\w.-]+)?", image), image


@pytest.mark.parametrize("text", ["a: &b 1", "a:\n  - b\n c: 1", "a: 1\na: 2", "a", "a:"])
def test_what_is_no_plain_yaml_is_no_example(text):
    with pytest.raises(AssertionError):
        plain_yaml.read(text)
