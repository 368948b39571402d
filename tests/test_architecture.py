"""The shape of the code, held by tests: what may know what, who reads the clock, and how long a page may be."""

import ast
import importlib
import os
import pkgutil
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.responses import JSONResponse

import domain.detectors
import projections
from api.app import create_app
from consumers.translate import TYPES
from deploy.wiring import open_log
from domain.detectors import NEEDED_BY
from domain.history.log import EVENTS
from domain.policies.policy import KINDS
from projections.views import SqliteViews
from tests.detector_rows import registered
from tests.members import PACKAGES, ROOT, dotted

MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
KNOWS_KAFKA = {"consumers/cluster.py", "consumers/source.py", "consumers/through.py", "deploy/demo/player.py"}
KNOWS_FASTAPI = {"deploy/web.py", "deploy/serving.py"}
KNOWS_THE_EVENT_LIBRARY = {
    "domain/history/log.py",
    "domain/tracker.py",
    "domain/history/enrolment.py",  # two processes may go live at once
    "domain/staff/desk.py",  # two of the staff may act at once
    "consumers/loop.py",  # a busy store is waited for
    "consumers/ticker.py",  # likewise
    "projections/follower.py",  # likewise
    "deploy/leading.py",  # and gives no lease meanwhile
    "deploy/telemetry.py",  # and tells no metric meanwhile
    "api/problems.py",  # and people are told
    "api/outbound/deliverer.py",  # and nothing leaves meanwhile
}
KNOWS_POSTGRESQL = {
    "deploy/databases.py",
    "projections/dialect.py",
    "projections/pool.py",
    "projections/postgres_views.py",
}
RANDOM_OR_CLOCK = {"time", "random", "secrets", "uuid"}
READS_THE_CLOCK = re.compile(r"\b(time\.(time|time_ns|localtime|gmtime)|(datetime|date)\.(now|utcnow|today))$")
MACHINE = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/\w|[A-Za-z]:\\Users\\")
REGISTRY = re.compile(r"[p]ypi\.org|[p]ythonhosted\.org|[n]pmjs\.org|[m]aven\.org|[d]ocker\.io/|[g]hcr\.io|[q]uay\.io")
NOT_OURS = {"var", "__pycache__", "dist"}


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {one.name.split(".")[0] for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def calls(path: Path) -> Iterator[str]:
    """Every dotted name that is used: called, or handed on to be called."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            yield dotted(node)
        elif isinstance(node, ast.ImportFrom) and node.module in {"time", "datetime"}:
            yield from (f"{node.module}.{one.name}" for one in node.names)


def importers(library: str) -> set[str]:
    return {name(path) for path in MODULES if library in imports(path)}


def files() -> Iterator[Path]:
    """Every file of ours but this one, which names what must not be named."""
    for folder, below, found in os.walk(ROOT):
        below[:] = [one for one in below if one not in NOT_OURS and (not one.startswith(".") or one == ".ci")]
        yield from (path for path in (Path(folder, one) for one in found) if path != Path(__file__))


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after running this."""
    tell = "\nimport sys\nprint('\\n'.join(sorted({one.split('.')[0] for one in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code + tell], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_every_detector_is_registered_under_the_name_of_its_module():
    """Several rules may find one kind, in one module or in modules whose names go on after the kind's."""
    found = [one.name for one in pkgutil.iter_modules(domain.detectors.__path__)]
    modules = {name: importlib.import_module(f"domain.detectors.{name}") for name in found}
    made = [
        (name, one)
        for name, module in modules.items()
        for one in vars(module).values()
        if hasattr(one, "look") and type(one).__module__ == module.__name__
    ]
    known = {id(detector) for _, detector in registered()}
    assert [(name, type(one).__name__) for name, one in made if id(one) not in known] == []
    assert len(registered()) == len(made)
    assert {name for name, _ in made} == set(found)
    assert [(name, one.kind) for name, one in made if not f"{name}_".startswith(f"{one.kind}_")] == []
    assert {one.kind for _, one in made} <= set(KINDS) | set(NEEDED_BY)


def test_every_view_is_registered():
    names = {one.name for one in pkgutil.iter_modules(projections.__path__)}
    modules = [importlib.import_module(f"projections.{one}") for one in names]
    assert {module.VIEW.name for module in modules if hasattr(module, "VIEW")} == {v.name for v in projections.VIEWS}


def test_every_topic_is_the_name_of_one_event():
    records = {*EVENTS, *TYPES.values()}
    assert len({record.TOPIC for record in records}) == len(records)
    assert all(re.fullmatch(r"[a-z_]+(\.[a-z_]+)*\.v\d+", record.TOPIC) for record in records)


def test_the_domain_makes_no_randomness_and_reads_no_clock():
    inside = [path for path in MODULES if name(path).startswith("domain/")]
    assert {name(path): imports(path) & RANDOM_OR_CLOCK for path in inside if imports(path) & RANDOM_OR_CLOCK} == {}
    assert {name(path): one for path in inside for one in calls(path) if READS_THE_CLOCK.search(one)} == {}


def test_only_the_clock_reads_the_time_of_day():
    found = {name(path) for path in MODULES if any(READS_THE_CLOCK.search(one) for one in calls(path))}
    assert found == {"deploy/clock.py"}


def test_nothing_prints():
    found = [
        name(path)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert found == []


def test_only_the_edges_know_kafka():
    outbound = {one for one in importers("kafka") if one.startswith("api/outbound/")}
    assert importers("kafka") - outbound == KNOWS_KAFKA


def test_few_modules_know_the_event_sourcing_library():
    stores = {one for one in importers("eventsourcing") if one.startswith("deploy/store/")}
    assert stores
    assert importers("eventsourcing") - stores == KNOWS_THE_EVENT_LIBRARY


def test_only_stores_know_postgresql():
    stores = {one for one in importers("psycopg") if one.startswith("deploy/store/postgres")}
    assert stores
    assert importers("psycopg") - stores == KNOWS_POSTGRESQL


def test_the_driver_of_postgresql_is_loaded_by_those_who_use_it():
    assert {"psycopg", "psycopg_pool"} & loaded_by("from deploy import roles, serving, running, projecting") == set()


def test_only_the_web_knows_fastapi():
    assert {one for one in importers("fastapi") if not one.startswith("api/")} <= KNOWS_FASTAPI


def test_an_ingest_process_never_loads_the_web():
    assert {"fastapi", "starlette", "uvicorn", "api"} & loaded_by("from deploy import roles, workers") == set()


def test_help_loads_neither_the_web_nor_kafka():
    code = "import sys\nsys.argv = ['tracker', '--help']\nfrom deploy.cli import main\n"
    run = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
    assert {"fastapi", "starlette", "uvicorn", "kafka"} & loaded_by(code + run + "    main()") == set()


def test_every_route_says_what_it_answers(tmp_path: Path):
    """A model, or where there is none a response class of its own: a page, a file, a stream, text for a scraper."""
    with open_log(tmp_path / "log.db") as log:
        views = SqliteViews(tmp_path / "views.db")
        routes = [*iter_route_contexts(create_app(views, log.store, clock=lambda: 0).routes)]
        views.close()
    without = {one.path: one.response_class for one in routes if not _is_model(one.response_model)}
    assert {one.path for one in routes} > {"/v1/incidents", "/v1/feed", "/healthz", "/metrics", "/"}
    assert [
        path for path, kind in without.items() if not isinstance(kind, type) or issubclass(kind, JSONResponse)
    ] == []
    assert [path for path in without if path.startswith("/v1/")] == []


def test_the_layers_are_written_down_and_hold():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    assert layers == ["deploy", "api | consumers", "projections", "domain"]
    assert {one["type"] for one in contracts} == {"layers", "forbidden", "independence"}
    linted = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert linted.returncode == 0, linted.stdout


def test_no_page_is_too_long():
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {one: length for one, length in lengths.items() if length > 300} == {}


def test_most_pages_are_short():
    middle = statistics.median(len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES)
    print(f"{len(MODULES)} modules: median {middle:g} lines")
    assert middle <= 110


def test_functions_are_short():
    found = [node for path in MODULES for node in ast.walk(tree(path)) if isinstance(node, _FUNCTIONS)]
    lengths = sorted((node.end_lineno or node.lineno) - node.lineno + 1 for node in found)
    tenth = statistics.quantiles(lengths, n=10)[-1]
    print(f"{len(lengths)} functions: median {statistics.median(lengths):g}, p90 {tenth:g}, longest {lengths[-1]}")
    assert (statistics.median(lengths) <= 8, tenth <= 25) == (True, True)


@pytest.mark.parametrize("pattern", [MACHINE, REGISTRY], ids=["paths of one machine", "hosts of registries"])
def test_no_file_names(pattern: re.Pattern[str]):
    hits = {name(path): pattern.search(path.read_text(encoding="utf-8", errors="replace")) for path in files()}
    assert {path: hit[0] for path, hit in hits.items() if hit} == {}


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _is_model(found: object) -> bool:
    return isinstance(found, type) and issubclass(found, BaseModel)
