"""Projections from the command line: where they stand, rebuild with progress, verify."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from deploy.leading import Occupied, alone
from deploy.settings import Settings
from deploy.wiring import CannotStart, leases, open_store, open_views, refuse_unbegun
from domain.history.log import Log
from projections import rebuild as rebuilding
from projections.rebuild import Progress, Rebuilt
from projections.views import ViewStore

NOT_MADE: Final = (
    "No view has been made yet. tracker project (or tracker run) makes them and keeps them up with the log; "
    "tracker projections rebuild makes them once."
)


def listed(settings: Settings) -> list[dict[str, Any]]:
    """List every view with its position and how far it is behind the log; none where none has been made."""
    with _opened(settings) as (views, log):
        return [one._asdict() for one in rebuilding.listing(views, log.store)] if _are_made(views) else []


def rebuild(settings: Settings, names: Sequence[str]) -> Rebuilt:
    """Make views again beside the live ones and switch; shows progress on a terminal.

    Raises:
        CannotStart: there is no view of that name, or another process makes them.
    """
    try:
        beside = rebuilding.beside_of(rebuilding.chosen(names))
    except LookupError as error:
        raise CannotStart(str(error)) from error
    with _opened(settings) as (views, log), _alone(log, beside), _bar() as tell:
        return rebuilding.rebuild(views, log.store, names, tell=tell)


def differences(settings: Settings) -> list[dict[str, Any]]:
    """Compare every view with one made from the first event; empty when they are equal.

    Raises:
        CannotStart: there is no view to compare, or another process compares.
    """
    with _opened(settings) as (views, log):
        if not _are_made(views):
            raise CannotStart(NOT_MADE)
        with _alone(log, rebuilding.VERIFY):
            return [one._asdict() for one in rebuilding.verify(views, log.store).differences]


def _are_made(views: ViewStore) -> bool:
    with views.reading() as rows:
        return bool(views.columns(rows, "checkpoints"))


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[ViewStore, Log]]:
    refuse_unbegun(settings)
    with open_store(settings) as log, open_views(settings) as views:
        yield views, log


@contextmanager
def _alone(log: Log, beside: str) -> Iterator[None]:
    """Let nobody else use what is built beside the live views: it has one name."""
    try:
        with alone(beside, leases(log)):
            yield
    except Occupied as error:
        raise CannotStart(f"{error}; wait for its end, or end it") from error


@contextmanager
def _bar() -> Iterator[Any]:
    columns = (TextColumn("events"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bar(*columns, transient=True, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("rebuild")

        def tell(progress: Progress) -> None:
            bar.update(task, completed=progress.position, total=progress.target)

        yield tell
