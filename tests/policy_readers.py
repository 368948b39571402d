"""Finds out which keys of the policy anything reads, so that docs/settings.md can say which change nothing."""

import ast
from collections.abc import Iterator
from functools import cache
from typing import Final

import msgspec

from domain.policies.policy import Policy
from tests.members import ROOT, dotted, paths, table_of, trees

_THRESHOLDS: Final = ROOT / "domain/policies/thresholds.py"
DECLARING: Final = frozenset(
    {
        ROOT / "domain/policies/policy.py",
        ROOT / "domain/policies/check.py",
        _THRESHOLDS,
        ROOT / "domain/policies/staffing.py",
        ROOT / "domain/calendars/calendar.py",
    }
)
"""The modules that declare keys and check them, which is no reading."""


def is_read(key: str) -> bool:
    """Say whether anything reads this policy key: by its whole name, or from its table that was handed on."""
    path = key.split(".<name>", maxsplit=1)[0].split("[]", maxsplit=1)[0]
    table, _, name = path.rpartition(".")
    kind = _tables().get(table)
    if table == "calendars" or table.startswith("calendars."):
        return path.split(".")[1] in _calendars()
    return path in _ends() or ((kind, name) in _handed_on() and table in _ends())


@cache
def _chains() -> frozenset[str]:
    """List every dotted name of what reads a policy, as in ``policy.late_shipment.approval``."""
    return frozenset(chain for tree in _readers() for chain in _dotted(tree))


@cache
def _ends() -> frozenset[str]:
    """List what these names end with, as in ``late_shipment.approval`` and ``approval``."""
    parts = [chain.split(".") for chain in _chains()]
    return frozenset(".".join(names[begin:]) for names in parts for begin in range(len(names)))


@cache
def _handed_on() -> frozenset[tuple[str, str]]:
    """List (table, key) of what is read from a table under a name of its own, as in ``rule.minimum``."""
    found = set()
    for tree in _readers():
        known = {
            one.asname or one.name: one.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("domain.policies.")
            for one in node.names
        }
        for name, annotation in _annotated(tree):
            kind = known.get(annotation)
            parts = [chain.split(".") for chain in _dotted(tree)] if kind else []
            found |= {(kind, one[-1]) for one in parts if kind and one[-2] == name}
    return frozenset(found)


@cache
def _calendars() -> frozenset[str]:
    """List whose calendars anybody asks for."""
    asked = {one.args[0] for tree in _readers() for one in _calls(tree, {"calendar", "of"}) if one.args}
    named = {one.value for one in asked if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    parts = [chain.split(".") for chain in _chains()]
    return frozenset(named | {names[-1] for names in parts if names[-2] == "calendars"})


@cache
def _tables() -> dict[str, str]:
    """Give the class of every table of the policy by its key, of those within tables as well."""
    return dict(_within(Policy, ""))


def _within(kind: type[msgspec.Struct], prefix: str) -> Iterator[tuple[str, str]]:
    for one in msgspec.structs.fields(kind):
        table = table_of(one.type)
        if table is not None:
            yield prefix + one.name, table.__name__
            yield from _within(table, f"{prefix}{one.name}.")


@cache
def _readers() -> list[ast.AST]:
    """Parse what may read a policy: all but its own modules, and of these what the others call."""
    others = [tree for tree, path in zip(trees(), paths(), strict=True) if path not in DECLARING]
    called = {_last(one.func) for tree in others for one in _calls(tree, None)}
    own = ast.parse(_THRESHOLDS.read_text(encoding="utf-8"))
    return [*others, *(one for one in ast.walk(own) if isinstance(one, ast.FunctionDef) and one.name in called)]


@cache
def _dotted(tree: ast.AST) -> list[str]:
    """List the dotted names of a tree; one that begins with a table's local name is also given in full."""
    return list(_in_full(tree))


def _in_full(tree: ast.AST) -> Iterator[str]:
    alias = {
        target.id: dotted(value)
        for target, value in _assigned(tree)
        if isinstance(target, ast.Name) and isinstance(value, ast.Attribute) and value.attr in _tables()
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            chain = dotted(node)
            first, _, rest = chain.partition(".")
            yield chain
            if first in alias:
                yield f"{alias[first]}.{rest}"


def _assigned(tree: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                yield from zip(target.elts, value.elts, strict=True)
            else:
                yield target, value


def _annotated(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target), ast.unparse(node.annotation)
        elif isinstance(node, ast.arg) and node.annotation is not None:
            yield node.arg, ast.unparse(node.annotation)


def _calls(tree: ast.AST, names: set[str] | None) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (names is None or _last(node.func) in names):
            yield node


def _last(name: ast.expr) -> str:
    return dotted(name).rpartition(".")[2]
