"""Printing: how commands show results, as JSON or for people."""

from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

_WHOLE: Final = 100_000
"""Columns that no row needs; a table takes only those that it does."""
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def say(text: str) -> None:
    """Tell a person something on standard error."""
    typer.echo(f"tracker: {text}", err=True)


def line(content: dict[str, Any], *, as_json: bool) -> None:
    """Print one row of a stream of rows."""
    if as_json:
        typer.echo(orjson.dumps(content).decode())
    else:
        head = f"{content.pop('message')}: {content.pop('verdict')}"
        typer.echo(head + "".join(f"  {name}={_visible(value)}" for name, value in content.items()))


def told(content: dict[str, Any], *, as_json: bool) -> None:
    """Print one result."""
    if as_json:
        typer.echo(orjson.dumps(content).decode())
    else:
        typer.echo("  ".join(f"{name} {_text(value)}" for name, value in content.items() if value not in ({}, None)))


def table(rows: list[dict[str, Any]], *, as_json: bool, empty: str, columns: tuple[str, ...] = ()) -> None:
    """Print rows, or the words for none; whatever is no terminal gets each row in one line, with nothing left out."""
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    if not rows:
        typer.echo(empty)
        return
    shown = Table(box=None)
    for name in columns or rows[0]:
        shown.add_column(name, overflow="fold")
    for row in rows:
        # As text: what somebody sent may look like markup, which would vanish or end the command.
        shown.add_row(*(Text(_visible(row[name])) for name in columns or row))
    console = Console()
    if not console.is_terminal:
        console.width = _WHOLE
    console.print(shown)


def _visible(value: Any) -> str:
    """Escape what would end a row or drive the terminal: some of it was sent by others."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in str(value))


def _text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return f"{value:.1f}" if isinstance(value, float) else _visible(value)
