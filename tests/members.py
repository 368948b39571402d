"""Reads the members of records from their source: names, types in words, defaults, and the sentence below each."""

from __future__ import annotations

import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin

import msgspec

from domain.events import Event, Fact
from domain.instant import Duration
from domain.policies.policy import Policy

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ("domain", "projections", "consumers", "api", "deploy")

_WORDS = {
    "str": "text",
    "int": "integer",
    "float": "number",
    "bool": "true or false",
    "Any": "anything",
    "Instant": "time",
    "Duration": "duration",
    "Stamp": "[time, source, id]",
    "date": "date",
}


class Required(Enum):
    """Stands where a member has no default."""

    YES = "required"


class Member(NamedTuple):
    """One member of a record, as its source declares it."""

    name: str
    annotation: ast.expr
    module: str
    """Where the names in the annotation are known."""
    default: Any
    written: str
    """The default as the source writes it where it is a duration."""
    about: str


def members(record: type) -> list[Member]:
    """List a record's members in their order, inherited ones included; a record is a struct or a named tuple."""
    declared: dict[str, tuple[ast.AnnAssign, str, str]] = {}
    lineage: list[Any] = [*reversed(record.__mro__)]
    for one in lineage:
        if one is not msgspec.Struct and (issubclass(one, msgspec.Struct) or hasattr(one, "_field_defaults")):
            declared.update(
                {ast.unparse(node.target): (node, about, one.__module__) for node, about in _declarations(one)}
            )
    return [_member(name, default, *declared[name]) for name, default in _fields(record)]


def words(annotation: ast.expr, module: str, parts: dict[str, type]) -> str:
    """Say what may stand there; records are linked and collected in ``parts``."""
    if isinstance(annotation, ast.BinOp):
        sides = (annotation.left, annotation.right)
        return " or ".join(words(side, module, parts) for side in sides if not _is_none(side))
    if isinstance(annotation, ast.Subscript):
        return _container(annotation, module, parts)
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return words(ast.parse(annotation.value, mode="eval").body, module, parts)  # a record that holds its like
    if isinstance(annotation, ast.Name) and annotation.id in _WORDS:
        return _WORDS[annotation.id]
    return _named(eval(ast.unparse(annotation), vars(sys.modules[module])), parts)


def default_text(member: Member) -> str:
    """Write a default as it would be written in TOML or JSON."""
    if member.written:
        return f'`"{member.written}"`'
    value = member.default
    if value is Required.YES:
        return "required"
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, Duration):
        raise TypeError(f"{member.name}: a duration that the source does not write out")
    return f"`{json.dumps(value, default=list)}`"


def policy_keys(table: type[msgspec.Struct] = Policy, prefix: str = "") -> Iterator[tuple[str, Member]]:
    """Walk the policy: each key as a file would write it, and its member; a table's sentence serves its keys."""
    for field, one in zip(msgspec.structs.fields(table), members(table), strict=True):
        inner, key = table_of(field.type), prefix + field.name
        if inner is not None:
            below = f"{key}[]." if get_origin(field.type) is tuple else f"{key}.<name>."
            below = f"{key}." if inner is field.type else below
            for path, member in policy_keys(inner, below):
                yield path, member._replace(about=member.about or sentence(inner))
        elif key != "hash":
            yield key, one


def metrics() -> dict[str, str]:
    """Give the sentence of every metric, from every ``METRICS`` list of the product."""
    nodes = [node for tree in trees() for node in tree.body if isinstance(node, ast.AnnAssign)]
    lists = [node.value for node in nodes if ast.unparse(node.target) == "METRICS" and node.value is not None]
    return {name: told for found in lists for name, told in ast.literal_eval(found).items()}


def noted() -> set[str]:
    """List the names under which the product notes a value: ``note("name", 1)``."""
    return constants("note")


def constants(called: str) -> set[str]:
    """List the texts that the product hands to a function of this name as the first argument."""
    calls = [node for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    first = [call.args[0] for call in calls if dotted(call.func).rpartition(".")[2].strip("_") == called]
    return {one.value for one in first if isinstance(one, ast.Constant) and isinstance(one.value, str)}


def dotted(name: ast.expr) -> str:
    """Write a dotted name; what is no name, such as a call that it begins with, is a question mark."""
    if isinstance(name, ast.Attribute):
        return f"{dotted(name.value)}.{name.attr}"
    return name.id if isinstance(name, ast.Name) else "?"


def anchor(heading: str) -> str:
    """Give the fragment under which a heading is linked."""
    kept = "".join(char for char in heading.lower() if char.isalnum() or char in "-_ ")
    return kept.replace(" ", "-")


def sentence(record: type | object) -> str:
    """Give a docstring as one line."""
    return " ".join((inspect.getdoc(record) or "").replace("``", "`").split())


@cache
def paths() -> list[Path]:
    """List the modules of the product."""
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@cache
def trees() -> list[ast.Module]:
    """Parse the product."""
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths()]


def table_of(kind: Any) -> type[msgspec.Struct] | None:
    """Give the table that stands under a key, directly, under names, or several times."""
    inner = get_args(kind)[-1] if get_origin(kind) is dict else kind
    inner = get_args(kind)[0] if get_origin(kind) is tuple else inner
    return inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None


@cache
def _declarations(record: type) -> list[tuple[ast.AnnAssign, str]]:
    body = ast.parse(textwrap.dedent(inspect.getsource(record))).body[0].body  # type: ignore[attr-defined]  # a class has a body
    found = []
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign) and not ast.unparse(node.annotation).startswith("ClassVar"):
            told = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            found.append((node, " ".join(following.value.value.replace("``", "`").split()) if told else ""))
    return found


def _fields(record: type) -> Iterator[tuple[str, Any]]:
    """List (name, default) of every member."""
    if not issubclass(record, msgspec.Struct):
        named: Any = record
        yield from ((name, named._field_defaults.get(name, Required.YES)) for name in named._fields)
        return
    for field in msgspec.structs.fields(record):
        made = Required.YES if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        yield field.name, made if field.default is msgspec.NODEFAULT else field.default


def _member(name: str, default: Any, node: ast.AnnAssign, about: str, module: str) -> Member:
    written = ""
    if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "_span":
        written = ast.literal_eval(node.value.args[0])
    return Member(name, node.annotation, module, default, written, about)


def _container(annotation: ast.Subscript, module: str, parts: dict[str, type]) -> str:
    kind = ast.unparse(annotation.value)
    inner = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    if kind == "Literal":
        return _choices(get_args(Literal[tuple(ast.literal_eval(one) for one in inner)]))
    if kind == "dict":
        return f"{words(inner[1], module, parts)} by {words(inner[0], module, parts)}"
    return f"list of {words(inner[0], module, parts)}"


def _named(known: Any, parts: dict[str, type]) -> str:
    if get_origin(known) is Literal:
        return _choices(get_args(known))
    if issubclass(known, Fact | Event):
        return f"[`{known.TOPIC}`](#{anchor(known.TOPIC)})"
    parts[known.__name__] = known
    return f"[{known.__name__}](#{anchor(known.__name__)})"


def _choices(values: tuple[Any, ...]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
