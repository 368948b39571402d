"""``tracker quarantine``: messages that could not be taken in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deploy.printing import Json, say, table, told
from deploy.settings import Settings
from domain.errors import Refused

if TYPE_CHECKING:
    from deploy.wiring import System

quarantine_app = typer.Typer(no_args_is_help=True, help="Messages that could not be taken in.")
Status = Literal["held", "retried", "dropped", "expired", "all"]
Number = Annotated[int, typer.Argument(help="Its number in the list.")]


@quarantine_app.command("list")
def quarantine_list(
    status: Annotated[Status, typer.Option(help="held, retried, dropped, expired or all.")] = "held",
    *,
    as_json: Json = False,
) -> None:
    """List messages, where they came from and why they are here.

    Example: tracker quarantine list --json
    """
    from consumers import quarantine

    with _opened() as parts:
        rows = quarantine.listed(parts.tracker, None if status == "all" else status)
    empty = "Nothing was ever put in quarantine." if status == "all" else f"No message in quarantine is {status}."
    table(rows, as_json=as_json, empty=empty)


@quarantine_app.command("show")
def quarantine_show(number: Number, *, as_json: Json = False) -> None:
    """Show one message with its raw contents, control characters escaped.

    Example: tracker quarantine show 3
    """
    from consumers import quarantine

    with _opened() as parts:
        told(quarantine.shown(parts.tracker, number), as_json=as_json)


@quarantine_app.command("retry")
def quarantine_retry(
    numbers: Annotated[list[int] | None, typer.Argument(help="Which; none means all that are held.")] = None,
    *,
    by: Annotated[str, typer.Option(help="Who decides this.")] = "operator",
    as_json: Json = False,
) -> None:
    """Take messages in by today's rules, for example after an upgrade.

    Example: tracker quarantine retry 3 4 --by li.wei
    """
    from consumers import quarantine
    from domain.feeds.frontier import live

    taken: list[int] = []
    stay: dict[str, str] = {}
    with _opened() as parts:
        wanted = numbers or [row["id"] for row in quarantine.listed(parts.tracker)]
        until = live(parts.clock(), (one.taken_up_to for one in parts.tracker.positions().values()))
        for number in wanted:
            try:
                quarantine.retry(parts.tracker, parts.translator, number, until=until, by=by, now=parts.clock())
            except Refused as refused:
                stay[str(number)] = str(refused)
                say(str(refused))
            else:
                taken.append(number)
    if as_json:
        told({"taken": taken, "stay": stay}, as_json=True)
    else:
        typer.echo(f"{len(taken)} taken in, {len(stay)} stay")
    if stay:
        raise typer.Exit(1)


@quarantine_app.command("drop")
def quarantine_drop(
    number: Number,
    *,
    why: Annotated[str, typer.Option(help="The reason, kept for ever.")],
    by: Annotated[str, typer.Option(help="Who decides this.")] = "operator",
    as_json: Json = False,
) -> None:
    """Give a message up.

    Example: tracker quarantine drop 3 --why "test message" --by li.wei
    """
    from consumers import quarantine

    with _opened() as parts:
        quarantine.drop(parts.tracker, number, by=by, why=why, now=parts.clock())
    if as_json:
        told({"dropped": number}, as_json=True)
    else:
        typer.echo(f"message {number} dropped")


@contextmanager
def _opened() -> Iterator["System"]:
    """Open the log that is there; none is made by looking."""
    from deploy.wiring import refuse_unbegun, system

    settings = Settings()
    refuse_unbegun(settings)
    with system(settings) as parts:
        yield parts
