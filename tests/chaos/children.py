"""The roles of a run as processes: the product's own loop and ticker over the files of a stage."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from eventsourcing.persistence import OperationalError
from pydantic import SecretStr

from consumers import loop, ticker
from consumers.loop import Ingest
from consumers.translate import Translator
from deploy.settings import Settings
from deploy.wiring import open_store
from deploy.workers import Worker, until_told
from domain.errors import StoreUnsuitable
from domain.history.enrolment import go_live
from domain.history.log import Log
from domain.instant import DAY
from domain.judging.adoption import adopt, adopted
from domain.tracker import Tracker
from tests.chaos import mutants, phases, postgres_mutants
from tests.chaos.control import Control
from tests.chaos.postgres_phases import wrap_postgres
from tests.chaos.source import PARTITIONS, FileSource
from tests.chaos.world import DAWN, micro
from tests.stores.engine import schema_of

CACHE: Final = 300
"""Streams a child keeps: few, so that states are dropped and read again all the time."""

POLICY: Final = '[kinds]\nenabled = ["late_shipment"]\n'
"""The kind that the judge works out by brute force; kills fall on what all kinds have in common."""

HURRIED: Final = (
    (loop, "ASK_EVERY", 0.04),
    (loop, "MIRROR_EVERY", 0.2),
    (ticker, "EVERY", 0.02),
)
"""Waiting times that are shortened, so that a short run sees many rounds; what is waited for stays."""


NO_STORE: Final = os.EX_UNAVAILABLE
"""Exit code of a process that found no store when it started: whoever supervises it starts it again."""


class Part(NamedTuple):
    """What one child plays."""

    role: str
    slot: int
    stage: str
    limit: int = 25
    mutant: str = ""
    hurried: bool = True
    """Wait less than in production."""
    database: str = ""
    """URL of the PostgreSQL that keeps the log; none for a file on the stage."""


def play(part: Part) -> int:
    """Be that process until told to stop; returns its exit code."""
    stage = Path(part.stage)
    control = Control(stage)
    if part.role != "setup" and part.mutant:
        (postgres_mutants if part.database else mutants).MUTANTS[part.mutant]()
    wrap = phases.wrap_sqlite if not part.database else wrap_postgres
    wrap(phases.install(control, part.slot))
    if part.hurried:
        for module, name, seconds in HURRIED:
            phases.replace(module, name, seconds)
        phases.checkpoint_often()
    url = SecretStr(part.database) if part.database else None
    schema = schema_of(stage / "log.db")
    try:
        with open_store(Settings(data_dir=stage, database_url=url, database_schema=schema)) as log:
            return ROLES[part.role](log, control, part)
    except (StoreUnsuitable, OperationalError) as error:
        print(f"no store: {error}")
        return NO_STORE


def _setup(log: Log, control: Control, _part: Part) -> int:
    adopt(log, POLICY, micro(0))
    go_live(log, dict.fromkeys(PARTITIONS.values(), 0), "earliest", micro(0))
    control.set_clock(int(DAWN.timestamp()) * 1_000_000)
    return 0


def _ingest(log: Log, control: Control, part: Part) -> int:
    policies = adopted(log)
    reading = Ingest(
        Tracker(log, policies, cache_limit=CACHE),
        Translator(policies[-1].policy.zones),
        PARTITIONS,
        lambda starts: FileSource(Path(part.stage), starts),
        control.now,
        limit=part.limit,
    )
    return until_told([Worker("ingest", reading.run)])


def _tick(log: Log, control: Control, _part: Part) -> int:
    tracker = Tracker(log, adopted(log), cache_limit=CACHE)
    return until_told([Worker("ticker", lambda stop: ticker.run(tracker, control.now, stop, dedup_for=30 * DAY))])


ROLES: Final[dict[str, Callable[[Log, Control, Part], int]]] = {"setup": _setup, "ingest": _ingest, "ticker": _tick}
