"""Printing: how commands show results, as JSON or for people."""

from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

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
        typer.echo(head + "".join(f"  {name}={value}" for name, value in content.items()))


def told(content: dict[str, Any], *, as_json: bool) -> None:
    """Print one result."""
    if as_json:
        typer.echo(orjson.dumps(content).decode())
    else:
        typer.echo("  ".join(f"{name} {value}" for name, value in content.items() if value not in ({}, None)))


def table(rows: list[dict[str, Any]], *, as_json: bool, empty: str, columns: tuple[str, ...] = ()) -> None:
    """Print rows, or the words for none."""
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    if not rows:
        typer.echo(empty)
        return
    shown = Table(*(columns or rows[0]), box=None)
    for row in rows:
        shown.add_row(*(str(row[name]) for name in columns or row))
    Console().print(shown)
