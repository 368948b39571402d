"""What ``tracker doctor`` says of the rights of the role that runs the tracker (D2)."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from deploy import doctoring
from deploy.databases import prepare
from deploy.doctoring import Check
from deploy.settings import Settings
from deploy.store.postgres_schema import NEEDED, roles
from deploy.wiring import open_store, open_views
from projections.follower import Follower
from tests.stores.cluster import Cluster

pytestmark = pytest.mark.only_on("postgres")
OWNER, RUNTIME, DATABASE = "rights_owner", "rights_runtime", "rights_db"


class Office:
    """A database made as the commands say, with views in it; and who changes what there."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder = cluster, folder
        prepare(self.settings(OWNER), RUNTIME)
        with open_store(self.settings(RUNTIME)) as log, open_views(self.settings(RUNTIME)) as views:
            Follower(views, log.store).catch_up()

    def settings(self, role: str) -> Settings:
        url = SecretStr(self.cluster.url(database=DATABASE, user=role))
        return Settings(database_url=url, data_dir=self.folder)

    def run(self, statement: str, role: str = OWNER) -> None:
        with psycopg.connect(self.cluster.url(database=DATABASE, user=role), autocommit=True) as connection:
            connection.execute("SET search_path TO tracker")
            connection.execute(statement.encode())

    def told(self, role: str = RUNTIME) -> list[Check]:
        return list(doctoring._rights(self.settings(role)))


@pytest.fixture
def office(cluster: Cluster, tmp_path: Path) -> Iterator[Office]:
    with psycopg.connect(cluster.url(), autocommit=True) as administrator:
        for statement in roles(OWNER, RUNTIME, DATABASE):
            administrator.execute(statement.encode())
        yield Office(cluster, tmp_path)
        administrator.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(DATABASE)))
        for role in (OWNER, RUNTIME):
            administrator.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_a_role_as_prepare_leaves_it_is_fine(office: Office) -> None:
    [one] = office.told()
    assert (one.what, one.ok, one.found) == (
        "rights",
        True,
        f"{RUNTIME} may do what each role needs, and change no event",
    )


def test_a_log_that_is_still_to_be_made_by_the_owner_is_named_with_how(office: Office) -> None:
    office.run("DROP SCHEMA tracker CASCADE")
    office.run(f"REVOKE CREATE ON DATABASE {DATABASE} FROM {RUNTIME}")
    [one] = office.told()
    assert (one.what, one.ok) == ("rights on schema tracker", False)
    assert "no log yet" in one.found
    assert f"tracker database prepare --runtime {RUNTIME}" in one.mend
    assert office.told(OWNER) == []


@pytest.mark.parametrize(
    ("statement", "where", "found"),
    [
        ("REVOKE INSERT ON stored_events FROM {}", "stored_events", "no INSERT, which every role"),
        ("REVOKE SELECT ON meta FROM {}", "meta", "no SELECT, which every role"),
        ("REVOKE UPDATE, INSERT ON delivered FROM {}", "delivered", "no INSERT, UPDATE, which deliver cannot"),
        ("REVOKE UPDATE ON leases FROM {}", "leases", "no UPDATE, which tick, project and deliver cannot"),
        ("REVOKE USAGE ON SCHEMA tracker FROM {}", "schema tracker", "no USAGE"),
        ("REVOKE EXECUTE ON FUNCTION lock_log() FROM {}", "lock_log()", "no EXECUTE"),
        ("REVOKE ALL ON ALL SEQUENCES IN SCHEMA tracker FROM {}", "quarantine_id_seq", "no USAGE"),
        ("REVOKE CREATE ON DATABASE " + DATABASE + " FROM {}", "database", "no CREATE"),
    ],
)
def test_a_right_that_is_missing_is_named_until_it_is_given_again(
    office: Office, statement: str, where: str, found: str
) -> None:
    office.run(statement.format(RUNTIME))
    told = {one.what: one for one in office.told()}
    assert not told[f"rights on {where}"].ok
    assert f"{RUNTIME}: {found}" in told[f"rights on {where}"].found
    assert f"tracker database prepare --runtime {RUNTIME}" in told[f"rights on {where}"].mend
    prepare(office.settings(OWNER), RUNTIME)
    assert [one.ok for one in office.told()] == [True]


@pytest.mark.parametrize("right", ["UPDATE", "DELETE", "TRUNCATE"])
def test_a_role_that_could_change_events_is_told_though_a_trigger_would_refuse_it(office: Office, right: str) -> None:
    office.run(f"GRANT {right} ON stored_events TO {RUNTIME}")
    [one] = office.told()
    assert (one.what, one.ok) == ("rights on stored_events", False)
    assert f"may {right} events" in one.found
    assert "tracker database roles" in one.mend


def test_the_owner_is_told_not_to_run_the_tracker(office: Office) -> None:
    told = [one for one in office.told(OWNER) if one.what == "rights on stored_events"]
    assert ["may UPDATE, DELETE, TRUNCATE events" in one.found for one in told] == [True]


def test_a_guard_that_was_disabled_is_told(office: Office) -> None:
    office.run("ALTER TABLE stored_events DISABLE TRIGGER events_stay")
    [one] = office.told()
    assert "missing or disabled" in one.found
    assert "ENABLE TRIGGER events_stay" in one.mend


@pytest.mark.parametrize(
    ("statement", "role", "found"),
    [
        ("REVOKE INSERT ON tracker_views.incidents FROM {}", RUNTIME, "no INSERT, which project and serve"),
        ("ALTER TABLE tracker_views.incidents OWNER TO " + OWNER, OWNER, "no SELECT, INSERT, UPDATE, DELETE"),
    ],
)
def test_views_that_cannot_be_kept_are_told(office: Office, statement: str, role: str, found: str) -> None:
    if role == OWNER:
        office.run(f"GRANT CREATE ON SCHEMA tracker_views TO {OWNER}", RUNTIME)
    office.run(statement.format(RUNTIME), role)
    [one] = office.told()
    assert one.what == "rights on tracker_views.incidents"
    assert found in one.found
    assert "DROP SCHEMA tracker_views CASCADE" in one.mend


def test_every_table_of_the_log_has_its_rights(office: Office) -> None:
    with psycopg.connect(office.cluster.url(database=DATABASE, user=OWNER)) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'tracker'").fetchall()
    # The turn to append is taken by a function of the owner's.
    assert {row[0] for row in found} == {*NEEDED, "turn"}


def test_the_doctor_still_says_which_right_is_missing_where_the_log_cannot_be_opened(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.run(f"REVOKE SELECT ON meta FROM {RUNTIME}")
    monkeypatch.setenv("DATABASE_URL", office.settings(RUNTIME).database_url.get_secret_value())
    told = {one.what: one.ok for one in doctoring.examine()}
    assert (told["rights on meta"], told["store"]) == (False, False)
