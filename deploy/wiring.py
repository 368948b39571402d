"""Wiring: how the parts of one process are put together, in one straight line."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from consumers.translate import Translator
from deploy import clock
from deploy.clock import Clock
from deploy.settings import Settings, refuse_forbidden
from domain.adoption import adopt, adopted
from domain.log import Log
from domain.tracker import Tracker


class CannotStart(Exception):
    """Something is missing that only the operator can give; the text says what."""


class System(NamedTuple):
    """What every role of one store shares."""

    log: Log
    tracker: Tracker
    translator: Translator
    clock: Clock


def open_log(path: Path) -> Log:
    """Open (or begin) the log in one SQLite file.

    Raises:
        StoreUnsuitable: the file is somewhere that WAL and FULL do not work, or the environment would break the log.
    """
    refuse_forbidden(os.environ)
    path.parent.mkdir(parents=True, exist_ok=True)
    return Log({"PERSISTENCE_MODULE": "deploy.store.sqlite", "SQLITE_DBNAME": str(path)})


@contextmanager
def system(settings: Settings) -> Iterator[System]:
    """Open the store and make the configured policy the one in force.

    Raises:
        PolicyInvalid: the policy file cannot be used.
        StoreUnsuitable: see ``open_log``.
    """
    now = clock.of(settings.data_dir)
    with open_log(settings.log_file) as log:
        # Without a policy file the one in force stays; an empty log begins with the defaults.
        known = adopted(log)
        policies = known if known and settings.policy is None else adopt(log, settings.policy_text(), now())
        tracker = Tracker(log, policies, cache_limit=settings.cache_streams)
        yield System(log, tracker, Translator(policies[-1].policy.zones), now)


@contextmanager
def scratch(policy: str) -> Iterator[System]:
    """Open a store that is gone afterwards, judged by one policy.

    Raises:
        PolicyInvalid: the text is no policy.
    """
    with tempfile.TemporaryDirectory(prefix="tracker-") as directory, open_log(Path(directory) / "log.db") as log:
        policies = adopt(log, policy, clock.wall())
        yield System(log, Tracker(log, policies), Translator(policies[-1].policy.zones), clock.wall)
