"""Validation of files and topics, for ``tracker validate``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consumers import validate
from consumers.cluster import read_topic
from consumers.validate import Validator
from deploy import clock
from deploy.settings import Settings
from deploy.wiring import CannotStart, read_policy, translator
from domain.judging.adoption import in_force, planned


def validator(file: Path | None) -> Validator:
    """Build a validator that knows this policy's time zones and carrier codes.

    Raises:
        PolicyInvalid: the file cannot be used.
    """
    now = clock.wall()
    policies = planned("" if file is None else read_policy(file))
    return Validator(translator(in_force(policies, now), file), now)


def of_file(file: Path, judge: Validator) -> Iterator[dict[str, Any]]:
    """Judge each line of a file."""
    with file.open("rb") as lines:
        yield from validate.validate(lines, judge)


def of_topic(settings: Settings, topic: str, judge: Validator) -> Iterator[dict[str, Any]]:
    """Judge each record that a topic holds now.

    Raises:
        CannotStart: no broker is configured.
        SourceFailed: it does not answer, or the topic does not exist.
    """
    if settings.bootstrap_servers is None:
        raise CannotStart("--topic needs KAFKA_BOOTSTRAP_SERVERS")
    for offset, raw in read_topic(settings.kafka.connection(settings.bootstrap_servers), topic):
        yield {"partition": raw.partition, **judge.verdict(offset, raw)}
