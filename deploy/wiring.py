"""Wiring: how the parts of one process are put together, in one straight line."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, cast

import structlog

from consumers import carrier_codes
from consumers.translate import Translator
from deploy import clock
from deploy.clock import Clock
from deploy.settings import Settings, refuse_forbidden
from domain.errors import Explained
from domain.history.lease import Leases
from domain.history.log import Log
from domain.instant import FOREVER, Instant
from domain.judging.adoption import Adopted, adopt, adopted, in_force
from domain.policies.policy import DEFAULT, Policy, PolicyInvalid
from domain.tracker import Tracker
from projections.views import SqliteViews, ViewStore

_log = structlog.get_logger()


class CannotStart(Explained):
    """Something is missing that only the operator can give; the text says what."""


class System(NamedTuple):
    """What every role of one store shares."""

    log: Log
    tracker: Tracker
    translator: Translator
    clock: Clock
    given: str | None = None
    """The text of the policy file that this process has brought, if it judges and was given one."""


def open_log(path: Path) -> Log:
    """Open (or begin) the log in one SQLite file.

    Raises:
        StoreUnsuitable: the file is somewhere that WAL and FULL do not work, or the environment would break the log.
    """
    refuse_forbidden(os.environ)
    path.parent.mkdir(parents=True, exist_ok=True)
    return Log({"PERSISTENCE_MODULE": "deploy.store.sqlite", "SQLITE_DBNAME": str(path)})


def open_store(settings: Settings) -> Log:
    """Open (or begin) the log where the settings say: in PostgreSQL if there is a URL, else in a file.

    Raises:
        StoreUnsuitable: see ``open_log``; or the database cannot be reached, or is set up in a way that loses commits.
    """
    if settings.database_url is None:
        return open_log(settings.log_file)
    refuse_forbidden(os.environ)
    return Log(
        {
            "PERSISTENCE_MODULE": "deploy.store.postgres",
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "DATABASE_SCHEMA": settings.database_schema,
        }
    )


def leases(log: Log) -> Leases:
    """Give the leases that stand beside a log, in whatever store it is."""
    return cast(Leases, log.recorder)


def is_begun(settings: Settings) -> bool:
    """Say whether there is a log where the settings say; makes nothing.

    Raises:
        StoreUnsuitable: the database cannot be reached.
    """
    if settings.database_url is None:
        return settings.log_file.exists()
    from deploy.store import postgres  # noqa: PLC0415 - its driver is loaded by those who use it

    return postgres.is_begun(settings.database_url.get_secret_value(), settings.database_schema)


def refuse_unbegun(settings: Settings) -> None:
    """Refuse to look at a log that is not there, and name those that are there instead; makes nothing.

    Raises:
        CannotStart: there is no log where the settings say.
        StoreUnsuitable: the database cannot be reached, or a setting would break the log.
    """
    refuse_forbidden(os.environ)
    if is_begun(settings):
        return
    others = "".join(
        f". There is one in {one}, which TRACKER_DATA_DIR={one} looks at" for one in others_begun(settings)
    )
    raise CannotStart(f"there is no log at {settings.place}; name it with TRACKER_DATA_DIR or DATABASE_URL{others}")


def others_begun(settings: Settings) -> list[Path]:
    """List the folders below ours that hold a log: that of the embedded broker, and that of the demo."""
    return sorted(file.parent for file in settings.data_dir.glob(f"*/{settings.log_file.name}"))


@contextmanager
def open_views(settings: Settings) -> Iterator[ViewStore]:
    """Open (or begin) the views beside the log, wherever that is."""
    store: ViewStore
    if settings.database_url is None:
        store = SqliteViews(settings.views_file)
    else:
        from projections.postgres_views import PostgresViews  # noqa: PLC0415 - as above

        store = PostgresViews(settings.database_url.get_secret_value(), settings.views_schema)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def system(settings: Settings, *, adopting: bool = False) -> Iterator[System]:
    """Open the store; a role that judges also makes the configured policy the one in force.

    Raises:
        PolicyInvalid: the policy file cannot be used.
        StoreUnsuitable: see ``open_store``.
    """
    now = clock.of(settings.data_dir)
    with open_store(settings) as log:
        policies = adopted(log)
        given = None if settings.policy is None or not adopting else read_policy(settings.policy)
        if adopting:
            policies = _adopt(log, policies, settings.policy, given, now())
        policies = policies or [Adopted(-FOREVER, DEFAULT)]
        tracker = Tracker(log, policies, cache_limit=settings.cache_streams)
        yield System(log, tracker, translator(in_force(policies, now()), settings.policy), now, given)


def _adopt(log: Log, before: list[Adopted], file: Path | None, text: str | None, now: Instant) -> list[Adopted]:
    """Make the configured policy the one in force, and tell: other processes may have been started with another."""
    policies = before
    # Without a policy file the one in force stays; an empty log begins with the defaults.
    if text is not None or not before:
        policies = adopt(log, text or "", now)
    judges = in_force(policies, now).hash
    if before and judges != in_force(before, now).hash:
        _log.warning("policy changed", hash=judges, why="start every ingest and ticker again with the same file")
    else:
        _log.info("policy", hash=judges, file=None if file is None else str(file))
    return policies


@contextmanager
def scratch(policy: Path) -> Iterator[System]:
    """Open a store that is gone afterwards, judged by one policy file in all of its versions.

    Raises:
        PolicyInvalid: the file cannot be used.
    """
    text = read_policy(policy)
    with tempfile.TemporaryDirectory(prefix="tracker-") as directory, open_log(Path(directory) / "log.db") as log:
        policies = adopt(log, text, clock.wall())
        # Its messages are read by the last version, so that a run gives the same on whichever day it is made.
        yield System(log, Tracker(log, policies), translator(policies[-1].policy, policy), clock.wall)


def read_policy(file: Path) -> str:
    """Read a policy file's text.

    Raises:
        PolicyInvalid: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise PolicyInvalid(f"{file}: {why}") from error


def translator(policy: Policy, file: Path | None) -> Translator:
    """Build the edge's reader; a table of carrier codes stands beside the policy file that names it.

    Raises:
        PolicyInvalid: the table cannot be used.
    """
    name = policy.carrier_codes.file
    if name is None:
        return Translator(policy.zones)
    table = (Path() if file is None else file.parent) / name
    try:
        with table.open(encoding="utf-8", newline="") as lines:
            return Translator(policy.zones, carrier_codes.read(lines, str(table)))
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(f"carrier_codes.file: {error}") from error
