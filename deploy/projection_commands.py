"""``tracker projections``: read models, where they stand, rebuild, verify."""

from typing import Annotated

import typer

from deploy.printing import Json, table, told
from deploy.settings import Settings

projections_app = typer.Typer(no_args_is_help=True, help="Read models: where they stand, rebuild, verify.")


@projections_app.command("list")
def projections_list(*, as_json: Json = False) -> None:
    """List the read models: position, lag, state.

    Example: tracker projections list --json
    """
    from deploy import projecting

    table(projecting.listed(Settings()), as_json=as_json, empty=projecting.NOT_MADE)


@projections_app.command("rebuild")
def projections_rebuild(
    names: Annotated[list[str] | None, typer.Argument(help="Which; none means all.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Build views again beside the live ones, then switch.

    Example: tracker projections rebuild incidents
    """
    from deploy import projecting

    told(projecting.rebuild(Settings(), names or [])._asdict(), as_json=as_json)


@projections_app.command("verify")
def projections_verify(*, as_json: Json = False) -> None:
    """Compare every view with one made from scratch; exits 1 when they differ.

    Example: tracker projections verify
    """
    from deploy import projecting

    rows = projecting.differences(Settings())
    table(rows, as_json=as_json, empty="Every view equals its replay.")
    if rows:
        raise typer.Exit(1)
