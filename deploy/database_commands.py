"""``tracker database``: PostgreSQL, its roles and the log's schema."""

from typing import Annotated

import typer

from deploy.settings import Settings

database_app = typer.Typer(no_args_is_help=True, help="PostgreSQL: its roles and the log's schema.")
Owner = Annotated[str, typer.Option(help="The role that owns the log's schema; nothing runs as this one.")]
Runtime = Annotated[str, typer.Option(help="The role that the tracker runs as.")]


@database_app.command("roles")
def database_roles(
    *,
    owner: Owner = "tracker_owner",
    runtime: Runtime = "tracker_runtime",
    name: Annotated[str, typer.Option(help="The database to make.")] = "tracker",
) -> None:
    """Print the SQL that makes both roles and the database, for an administrator to look at and run; passwords are his.

    Example: tracker database roles | psql
    """
    from deploy.store.postgres_schema import roles

    for statement in roles(owner, runtime, name):
        typer.echo(f"{statement};")


@database_app.command("prepare")
def database_prepare(*, runtime: Runtime = "tracker_runtime") -> None:
    """Make the log's schema as its owner, who DATABASE_URL is for once, and let the runtime role use it and no more.

    Example: tracker database prepare --runtime tracker_runtime
    """
    from deploy import databases

    typer.echo(databases.prepare(Settings(), runtime))
