"""The ``tracker`` command. Exit codes: 0 success, 1 a failure that is explained, 2 bad usage or bad input."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from deploy import memory
from deploy.database_commands import database_app
from deploy.printing import Json, line, say, table, told
from deploy.projection_commands import projections_app
from deploy.quarantine_commands import quarantine_app
from deploy.settings import Settings, refused
from domain.errors import Explained
from domain.policies.policy import PolicyInvalid

app = typer.Typer(no_args_is_help=True, add_completion=True, rich_markup_mode=None, pretty_exceptions_enable=False)
config_app = typer.Typer(no_args_is_help=True, help="Settings.")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(projections_app, name="projections")
app.add_typer(database_app, name="database")
app.add_typer(config_app, name="config")

PolicyFile = Annotated[Path, typer.Option("--policy", help="TOML file of thresholds.", exists=True, dir_okay=False)]


def main() -> None:
    """Run the command line and turn what went wrong into words and an exit code."""
    memory.look_rarely()
    try:
        app()
    except ValidationError as error:
        for one in refused(error):
            say(one)
        sys.exit(2)
    except PolicyInvalid as error:
        say(f"policy: {error}")
        sys.exit(2)
    except Explained as error:
        say(str(error))
        sys.exit(1)
    except Exception as error:
        # The log's library and the views' driver each have an error of this name, and --help loads neither.
        if type(error).__name__ != "OperationalError":
            raise
        say(str(error))
        sys.exit(1)


@app.command()
def backtest(
    events: Annotated[Path | None, typer.Argument(help="CloudEvents, one JSON a line, in arrival order.")] = None,
    *,
    policy: PolicyFile,
    findings: Annotated[Path, typer.Option(help="Where to write the findings, one JSON a line.")],
    through_kafka: Annotated[bool, typer.Option("--through-kafka", help="Send them through the broker.")] = False,
    from_kafka: Annotated[bool, typer.Option("--from-kafka", help="Read the configured topics instead.")] = False,
    partitions: Annotated[int, typer.Option(help="Partitions per topic with --through-kafka.", min=1)] = 3,
    poll_records: Annotated[int, typer.Option(help="Most records of one poll.", min=1)] = 200,
    retracted: Annotated[
        bool, typer.Option("--retracted", help="Also write findings that later facts showed never to have held.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Push events through the tracker with event time as its clock and write the final findings.

    Example: tracker backtest events.jsonl --policy policy.toml --findings out.jsonl

    Exits 2 when none of the messages could be read.
    """
    from deploy import backtests

    if from_kafka == (events is not None):
        raise typer.BadParameter("name either a file of events or --from-kafka")
    if events is not None and not events.is_file():
        raise typer.BadParameter(f"there is no file {events}")
    settings = Settings()
    if from_kafka or events is None:
        if settings.bootstrap_servers is None:
            raise typer.BadParameter("--from-kafka needs KAFKA_BOOTSTRAP_SERVERS")
        done = backtests.from_kafka(settings, policy, findings, poll=poll_records, retracted=retracted)
    elif through_kafka:
        done = backtests.through_kafka(
            settings, events, policy, findings, partitions=partitions, poll=poll_records, retracted=retracted
        )
    else:
        done = backtests.of_file(events, policy, findings, retracted=retracted)
    told(backtests.told(*done), as_json=as_json)
    if done[0].unreadable:
        say("none of these messages could be read as an event; `tracker validate` says why of each")
        raise typer.Exit(2)


@app.command()
def validate(
    file: Annotated[Path | None, typer.Argument(help="CloudEvents, one JSON a line.")] = None,
    *,
    topic: Annotated[str | None, typer.Option(help="Read this topic from its start to its present end.")] = None,
    policy: Annotated[Path | None, typer.Option(help="For sources whose times carry no offset.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Show taken messages too, not only the others.")] = False,
    as_json: Json = False,
) -> None:
    """Say for each message whether it would be taken in, skipped or refused, and why; changes nothing.

    Example: tracker validate my-events.jsonl --all

    Exits 2 when a message would be refused.
    """
    from deploy import validation

    if (file is None) == (topic is None):
        raise typer.BadParameter("name either a file or --topic")
    if file is not None and not file.is_file():
        raise typer.BadParameter(f"there is no file {file}")
    validator = validation.validator(policy)
    verdicts = validation.of_file(file, validator) if file else validation.of_topic(Settings(), str(topic), validator)
    for verdict in verdicts:
        if every or verdict["verdict"] != "taken":
            line(verdict, as_json=as_json)
    told(dict(validator.totals), as_json=as_json)
    if validator.totals["refused"]:
        raise typer.Exit(2)


Begin = Annotated[
    str | None,
    typer.Option(
        "--from", help="Where to begin at the first start: earliest, latest or a time such as 2026-03-01T00:00:00Z."
    ),
]
NewTopics = Annotated[
    bool, typer.Option("--accept-new-topics", help="The topics were made anew: read them from their start.")
]
Gaps = Annotated[
    bool, typer.Option("--accept-gaps", help="Go on where the broker dropped unread records; written down.")
]


MetricsPort = Annotated[
    int | None, typer.Option("--metrics-port", help="Serve /metrics of this process on this port; 0 takes a free one.")
]


@app.command()
def run(
    *,
    demo: Annotated[
        bool, typer.Option("--demo", help="Also play a sample season into Kafka, on its own clock.")
    ] = False,
    seed: Annotated[int, typer.Option(help="With --demo: which season.")] = 7,
    speed: Annotated[float, typer.Option(help="With --demo: seconds of the season in one second.", min=1)] = 3600.0,
    days: Annotated[int, typer.Option(help="With --demo: length of the season.", min=1, max=366)] = 28,
    begin: Begin = None,
    accept_new_topics: NewTopics = False,
    accept_gaps: Gaps = False,
) -> None:
    """Run everything on this machine: broker (your Kafka, if one is set), ingest, ticker, views, pages.

    Example: KAFKA_BOOTSTRAP_SERVERS=localhost:9092 tracker run --from earliest
    """
    from deploy import running

    settings = _ready()
    if demo:
        code = running.demo(settings, seed=seed, speed=speed, days=days)
    else:
        code = running.run(settings, begin=_begin(begin), accept_new_topics=accept_new_topics, accept_gaps=accept_gaps)
    _exit(code)


@app.command()
def ingest(
    *,
    begin: Begin = None,
    accept_new_topics: NewTopics = False,
    accept_gaps: Gaps = False,
    metrics_port: MetricsPort = None,
) -> None:
    """Run one ingest process: from Kafka into the log.

    Example: KAFKA_BOOTSTRAP_SERVERS=kafka:9092 tracker ingest --from latest
    """
    from deploy import roles

    settings = _ready(**_given(metrics_port=metrics_port))
    _exit(roles.ingest(settings, begin=_begin(begin), accept_new_topics=accept_new_topics, accept_gaps=accept_gaps))


@app.command()
def tick(metrics_port: MetricsPort = None) -> None:
    """Run the ticker: looks at what came due; of several one does, and the others stand by.

    Example: tracker tick
    """
    from deploy import roles

    _exit(roles.tick(_ready(**_given(metrics_port=metrics_port))))


@app.command()
def project(metrics_port: MetricsPort = None) -> None:
    """Run the follower: keeps the views up with the log; of several one does, and the others stand by.

    Example: tracker project
    """
    from deploy import serving

    _exit(serving.project(_ready(**_given(metrics_port=metrics_port))))


@app.command()
def deliver(metrics_port: MetricsPort = None) -> None:
    """Tell Kafka of changed incidents, their latest state and dead letters; of several one does, the others stand by.

    Example: KAFKA_BOOTSTRAP_SERVERS=kafka:9092 tracker deliver
    """
    from deploy import delivering

    _exit(delivering.deliver(_ready(**_given(metrics_port=metrics_port))))


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to serve on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to serve on.")] = None,
) -> None:
    """Serve the pages, the feed and the API.

    Example: tracker serve --port 8080
    """
    from deploy import serving

    _exit(serving.serve(_ready(**_given(host=host, port=port))))


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Check configuration, broker, topics, store and permissions; every failure says how to mend it.

    Example: tracker doctor
    """
    from deploy import doctoring

    checks = doctoring.examine()
    rows = [check._asdict() for check in checks]
    table(rows, as_json=as_json, empty="")
    if any(not check.ok for check in checks):
        raise typer.Exit(1)


@config_app.command("show")
def config_show(*, as_json: Json = False) -> None:
    """Show effective settings and where each comes from, and each version of the policy; secrets stay hidden.

    Example: tracker config show
    """
    from deploy import policies
    from deploy.settings import explain

    settings = Settings()
    rows = [*(one.model_dump() for one in explain(settings)), *policies.explain(settings)]
    table(rows, as_json=as_json, empty="", columns=("name", "value", "origin", "variable"))


def _ready(**chosen: Any) -> Settings:
    """Read the settings and set up logging for a process that stays."""
    from deploy.telemetry import configure

    settings = Settings(**chosen)
    configure(settings.log_level)
    return settings


def _given(**options: Any) -> dict[str, Any]:
    """Leave out what the command line does not say."""
    return {name: value for name, value in options.items() if value is not None}


def _begin(text: str | None) -> str | int | None:
    from consumers.cloudevents import point

    if text is None or text in {"earliest", "latest"}:
        return text
    try:
        return point(text)
    except ValueError as error:
        raise typer.BadParameter(f"--from takes earliest, latest or a time with an offset: {error}") from error


def _exit(code: int) -> None:
    if code:
        raise typer.Exit(code)
