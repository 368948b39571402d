"""Nothing reads a table whole that grows with orders: the plans of what the product really asks, on both stores.

The statements are noted while a follower takes a season into the views, while every answer is asked for, and while a
log is asked and written to; none is written down here.
"""

import re
from collections import defaultdict
from contextlib import suppress

import pytest
from fastapi.routing import iter_route_contexts

from tests.members import ROOT
from tests.plans import log_questions
from tests.plans.filling import fill
from tests.plans.judge import GROWING, plan_of
from tests.plans.shop import PlannedShop
from tests.stores.engine import beside, file_log

NOT_ASKED = {"/readyz": "reads what /metrics reads", "/v1/feed": "as a stream it reads what its pages read"}
KNOWN = {
    ("told", "SELECT contact_id, MIN(position)"): "an index of nothing but what became untrue and was not put right",
    ("told", "SELECT DISTINCT order_id FROM told."): "another policy has all that was said looked at again",
    ("told", "SELECT 1 FROM told LIMIT 1"): "whether there is any: one row",
    ("workflow", "SELECT kind, level, COUNT(*)"): "an index of nothing but what was escalated",
}
"""What is read whole, by (table, beginning of the statement; all of it before a full stop), and why that may be."""
KNOWN_OF_THE_LOG = {
    ("quarantine", "SELECT id, status"): "a page, of what could not be taken in: few messages, or a partition stops",
}


def wholes(rows, statements, engine):
    """Give what is read whole, by table and statement."""
    found = defaultdict(set)
    for statement, values in dict(statements).items():
        if statement.split()[0] in {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE"}:
            for step in plan_of(rows, statement, values, engine):
                found[step.table, " ".join(statement.split())].add(step.how)
    return found


def unknown(found, known):
    return {
        key: hows
        for key, hows in found.items()
        if not any(key[0] == table and f"{key[1]}.".startswith(begin) for table, begin in known)
    }


def test_no_answer_reads_a_growing_table_whole(shop: PlannedShop, engine):
    with shop.views.reading() as rows:
        found = wholes(rows._rows, shop.noted, engine)
    assert len(dict(shop.noted)) > 100
    assert unknown(found, KNOWN) == {}


def test_every_answer_was_asked_for(shop: PlannedShop):
    there = {
        one.path
        for one in iter_route_contexts(shop.client.app.routes)
        if "GET" in (one.methods or ()) and (one.path.startswith("/v1/") or one.path in ("/metrics", "/readyz"))
    }
    assert there - shop.routes <= set(NOT_ASKED)


@pytest.mark.parametrize("index", ["incidents_due", "tasks_ranked", "stakes_task"])
def test_a_missing_index_is_noticed(shop: PlannedShop, engine, index):
    found = {}
    with suppress(ZeroDivisionError), shop.views.writing() as rows:
        rows.execute(f"DROP INDEX {index}")
        found = unknown(wholes(rows._rows, shop.noted, engine), KNOWN)
        raise ZeroDivisionError  # the index stays
    assert found


@pytest.fixture(scope="module")
def asked(engine, tmp_path_factory):
    """A log that was asked for everything and then became big; what it was asked, and how to ask for a plan."""
    folder = tmp_path_factory.mktemp("asked")
    with file_log(folder / "log.db") as log:
        shop = PlannedShop(log, folder, up_to=450)
        with log_questions.noting(shop.side, engine) as noted:
            log_questions.ask(shop.side)
            log_questions.purge(shop.side)
        shop.views.close()
        with beside(folder / "log.db", timeout=5) as rows:
            if engine == "postgres":
                fill(rows, sorted(GROWING & log_questions.TABLES))
            yield rows, noted


def test_nothing_that_is_asked_of_a_log_reads_a_growing_table_whole(asked, engine):
    rows, noted = asked
    assert len(dict(noted)) > 25
    assert unknown(wholes(rows, noted, engine), KNOWN_OF_THE_LOG) == {}


@pytest.mark.parametrize("index", ["deadlines_due"])
def test_a_missing_index_of_a_log_is_noticed(asked, engine, index):
    rows, noted = asked
    rows.execute("BEGIN")
    rows.execute(f"DROP INDEX {index}")
    found = unknown(wholes(rows, noted, engine), KNOWN_OF_THE_LOG)
    rows.execute("ROLLBACK")
    assert found


def test_every_index_is_explained_where_it_is_made():
    """By a comment above it, or above the indexes that it stands among."""
    bare = []
    for path in sorted([*(ROOT / "projections").glob("*.py"), *(ROOT / "deploy/store").glob("*.py")]):
        told = False
        for line in path.read_text(encoding="utf-8").splitlines():
            text = line.strip()
            if re.search(r"CREATE (UNIQUE )?INDEX", text) and not told:
                bare.append((path.name, text))
            told = text.startswith("#") or (told and not re.search(r"CREATE TABLE|^\)", text))
    assert bare == []
