"""Writes the generated pages of docs/ from the code.

``python -m tests.documentation`` writes them; with ``--check`` it writes nothing, says what is stale and exits 1.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from pydantic import BaseModel
from typer.main import get_command

from consumers import lengths, rules, translate
from consumers.topics import place
from consumers.translate import TOPICS, TYPES
from deploy.cli import app
from deploy.settings import FORBIDDEN, Settings
from domain.events import Event, Fact
from domain.history.log import EVENTS
from domain.parcels.events import STATUSES
from domain.policies.policy import KINDS
from tests.detector_rows import modules, row
from tests.members import Member, default_text, members, metrics, policy_keys, sentence, words
from tests.policy_readers import is_read

DOCS: Final = Path(__file__).parents[1] / "docs"
_NOT_DATA: Final = translate.WRITTEN | {"at", "source", "id", "via"}
_SHOWN_LINES: Final = 20
_RULES: Final = {
    "identifier": "id",
    "_identifiers": "list of ids",
    "_sku": "SKU",
    "_quantity": f"integer from 1 to {rules.MAX_QUANTITY:,}",
    "_amount": "decimal number in text",
    "_currency": "ISO 4217 code",
    "_status": ", ".join(f"`{status}`" for status in STATUSES),
}
"""What the edge's rules on single values ask for, in words."""


def detector_page() -> str:
    """Make a row for every registered kind."""
    known = modules()
    rows = [row(*one) for one in known if one[0] in KINDS]
    inner = [row(*one) for one in known if one[0] not in KINDS]
    missing = [kind for kind in KINDS if kind not in {kind for kind, *_ in known}]
    head = ("kind", "subject", "holds when", "due_at", "ended_at", "waits for", "policy", "module")
    return _page(
        "Detectors",
        "What each kind of finding is about, and when it holds. Each is judged whenever its subject changes and "
        "whenever its deadline comes; how to add one is in [CONTRIBUTING.md](../CONTRIBUTING.md). Thresholds are "
        "explained in [settings.md](settings.md). A kind that waits for feeds opens only once these have been heard "
        "past its `due_at`: unknown is not late; `feed_silence.waits` says which kinds do.",
        _table(head, rows),
        "## Computed only" if inner else "",
        "Findings of these are in the log because another kind counts them; nobody is shown them." if inner else "",
        _table(head, inner) if inner else "",
        "## Not found yet" if missing else "",
        "A policy may name these kinds of the contract already; no rule of this version looks for them: "
        + ", ".join(f"`{kind}`" for kind in missing)
        + "."
        if missing
        else "",
    )


def event_page() -> str:
    """Describe every type that is read from Kafka and every event that may stand in the log."""
    parts: dict[str, type] = {}
    contract = [
        line
        for topic in TOPICS
        for line in (f"## From `{topic}`", *_events([t for n, t in TYPES.items() if _topic(n) == topic], parts))
    ]
    own = list(_events([one for one in EVENTS if one.TOPIC not in TYPES], parts))
    described: list[str] = []
    while pending := [part for name, part in sorted(parts.items()) if f"### {name}" not in described]:
        for part in pending:
            described += [f"### {part.__name__}", sentence(part), _members(part, parts)]
    return _page(
        "Events",
        "What is read from Kafka, and what stands in the log. A name never changes its meaning; another meaning gets "
        "another version at the end of the name.",
        "Types that are read are CloudEvents: `id`, `source`, `type`, `time` (with an offset) and `subject` stand in "
        "the envelope, the members below in `data`. A member without a default must be there; null counts as absent. "
        "In the log each keeps the envelope as `at` (microseconds since 1970, UTC), `source` and `id`, and in `via` "
        "the record that brought it: topic/partition/offset. Times are RFC 3339 on the way in and microseconds in the "
        f"log. An id has 1 to {rules.MAX_ID} characters, a SKU 1 to {rules.MAX_SKU}, without control characters or "
        f"outer blanks; a source, a price's `sku` and id, a binding's SKU, warehouse and version {lengths.LONGEST} "
        "when percent-encoded. [mapping.md](mapping.md) maps a shop's own events onto these.",
        "Amounts count in the `currency` beside them: decimal numbers in text, in an ISO 4217 code, whose letters "
        "may be small. Without a currency (none, null or empty) an amount is unknown money and never a reason to "
        "refuse the event: a decimal number in text is kept as it came, any other form as none. A byte order mark "
        "before a record or in front of a file is left out, and a binary event without data needs no value. A "
        "promised date may be a day alone, which is its first midnight, where `[zones]` gives the source a zone. A "
        "carrier's own code is read by the table of the policy; on a scan that does not name its carrier, by the "
        "carrier of the parcel's label, or of another scan of it, whichever comes first. The log keeps the code, "
        "and in `code_means` what it meant at each carrier when it came. A tracking number that nobody labelled is "
        "a parcel of its own, `carrier:number`, once a scan of it names its orders or fulfilments ([ADR "
        "25](adr/0025-scans-without-a-carrier-or-a-label.md)).",
        *contract,
        "## Written by the tracker",
        "Decided, not heard: these stand in the log only.",
        *own,
        "## Parts",
        *described,
    )


def command_page() -> str:
    """Describe every command with its options and its example."""
    return _page(
        "Commands",
        "The command is `tracker` (`.venv/bin/tracker` in a checkout). Exit codes: 0 success, 1 a failure that is "
        "explained, 2 bad usage or bad input. Settings come from the environment: [settings.md](settings.md). "
        "`tracker --install-completion` teaches your shell the names.",
        *(block for path, command in commands() for block in _command(path, command)),
    )


def setting_page() -> str:
    """Describe every setting and every policy key."""
    rows = [
        (f"`{variable}`", f"`{name}`", _default(field), field.description or "")
        for name, variable, field in settings(Settings, "", "TRACKER_")
    ]
    forbidden = [(f"`{name}`", why) for name, why in FORBIDDEN.items()]
    policy = [
        (f"`{key}`", words(one.annotation, one.module, {}), default_text(one), _unread(key) + one.about)
        for key, one in policy_keys()
    ]
    return _page(
        "Settings",
        "Every setting is an environment variable or a key of `tracker.toml` in the working directory "
        "(`kafka.group` is `group` below `[kafka]`; the name in the file for `KAFKA_BOOTSTRAP_SERVERS` is "
        "`bootstrap_servers`). Environment wins over files of `TRACKER_SECRETS_DIR`, these over `tracker.toml`, and "
        "that over defaults. `tracker config show` prints what is in force and where it comes from.",
        _table(("variable", "key", "default", "what it does"), rows),
        "`TRACKER_SECRETS_DIR` names a folder with one file a secret, called like the variable in lower case, such as "
        "`tracker_kafka__sasl_password`.",
        "## Refused",
        "These settings of the event-sourcing library would break the log; the tracker does not start with them, under "
        "any prefix.",
        _table(("variable", "why"), forbidden),
        "## Policy",
        "Thresholds stand in a TOML file named by `TRACKER_POLICY`. Every table and key may be absent and then has the "
        "default shown here; an unknown one is refused with the nearest known name. Durations are a number and one of "
        "`s`, `m`, `h`, `d`, `w`. A policy is kept in the log under its hash, and findings name the hash that judged "
        "them. A key marked *not read* is accepted and changes nothing in this version.",
        _table(("key", "value", "default", "what it does"), policy),
    )


def metric_page() -> str:
    """Describe every metric."""
    return _page(
        "Metrics",
        "In the text form of Prometheus at `/metrics`. What to do when one of them moves: [runbook.md](runbook.md).",
        _table(("metric", "what it says"), [(f"`{name}`", told) for name, told in metrics().items()]),
    )


def commands() -> Iterator[tuple[str, Any]]:
    """Walk the command line: the words to type, and the command."""
    yield from _below(get_command(app), "tracker")


def settings(model: type[BaseModel], prefix: str, variable: str) -> Iterator[tuple[str, str, Any]]:
    """Walk the settings: key in the file, environment variable, field."""
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from settings(type(field.default), f"{prefix}{name}.", f"{variable}{name.upper()}__")
        else:
            yield prefix + name, str(field.validation_alias or variable + name.upper()), field


PAGES: Final[dict[str, Callable[[], str]]] = {
    "detectors.md": detector_page,
    "events.md": event_page,
    "cli.md": command_page,
    "settings.md": setting_page,
    "metrics.md": metric_page,
}
"""Every generated page, by its file below docs/."""


def stale() -> dict[str, str]:
    """Give a summary of the difference of every page that is not what the code says."""
    found = {}
    for name, make in PAGES.items():
        path = DOCS / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        lines = list(difflib.unified_diff(old.splitlines(), make().splitlines(), f"docs/{name}", "the code", n=0))
        if lines:
            rest = len(lines) - _SHOWN_LINES
            found[name] = "\n".join(lines[:_SHOWN_LINES] + ([f"… and {rest} lines more"] if rest > 0 else []))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Write the pages, or check them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.documentation", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    differences = stale()
    if parser.parse_args(arguments).check:
        for name, difference in differences.items():
            print(f"docs/{name} is stale; run `make docs`\n{difference}")
        return 1 if differences else 0
    for name in differences:
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name} written")
    return 0


def _events(events: list[type[Event]], parts: dict[str, type]) -> Iterator[str]:
    for one in events:
        yield f"### {one.TOPIC}"
        yield sentence(one)
        yield _members(one, parts)


def _members(record: type[msgspec.Struct], parts: dict[str, type]) -> str:
    hidden = _NOT_DATA if getattr(record, "TOPIC", None) in TYPES else frozenset()
    rows = [
        (f"`{one.name}`", _value(record, one, parts), default_text(one), one.about or _not_empty(record, one.name))
        for one in members(record)
        if one.name not in hidden
    ]
    return _table(("member", "value", "default", "meaning"), rows) if rows else "No members."


def _value(record: type[msgspec.Struct], member: Member, parts: dict[str, type]) -> str:
    """Say what may stand there: what the edge checks where it checks more than the type."""
    rule = None if issubclass(record, Event) and not issubclass(record, Fact) else rules.RULES.get(member.name)
    return _RULES.get(getattr(rule, "__name__", ""), "") or words(member.annotation, member.module, parts)


def _not_empty(record: type[msgspec.Struct], name: str) -> str:
    return "At least one." if translate._NOT_EMPTY.get(record) == name else ""


def _unread(key: str) -> str:
    return "" if is_read(key) else "*Not read.* "


def _topic(name: str) -> str:
    return place({"type": name})[0]


def _below(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _below(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _command(path: str, command: Any) -> Iterator[str]:
    yield f"## {path}"
    paragraphs = (command.help or "").split("\n\n")
    yield from (one for one in paragraphs if not one.startswith("Example:"))
    rows = [_parameter_row(one) for one in command.params]
    if rows:
        yield _table(("argument or option", "default", "what it does"), rows)
    for one in paragraphs:
        if one.startswith("Example:"):
            yield f"```sh\n{one.removeprefix('Example:').strip()}\n```"


def _parameter_row(one: Any) -> tuple[str, ...]:
    is_option = one.param_type_name == "option"
    name = ", ".join(one.opts) if is_option else one.name.upper() + (" …" if one.nargs == -1 else "")
    default = "off" if getattr(one, "is_flag", False) else "none" if one.default is None else f"`{one.default}`"
    return f"`{name}`", "required" if one.required else default, one.help or ""


def _default(field: Any) -> str:
    if field.default is None:
        return "none"
    shown = str(field.default)
    return f"`{shown.lower() if isinstance(field.default, bool) else shown}`"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    cells = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


def _page(title: str, *blocks: str) -> str:
    note = "<!-- Written by `make docs` from the code. Change the code, not this page. -->"
    return "\n\n".join(block for block in (f"# {title}", note, *blocks) if block) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
