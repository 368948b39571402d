"""Reads the detectors for docs/detectors.md: what is registered, and what each module says of itself."""

import sys
from types import ModuleType
from typing import Any, Final

from domain import detectors
from domain.detection import Detector
from domain.policies.policy import KINDS
from tests.members import default_text, policy_keys, sentence

_TABLES: Final = {
    "feed_silent": "feed_silence",
    "mis_shipment_cluster": "cluster",
    "product_defect": "cluster",
    "price_difference": "price_protection",
}
"""Where a kind's table in the policy is not called like the kind."""


def registered() -> list[tuple[str, Detector[Any]]]:
    """List (kind of stream, detector) of every rule that is run."""
    return [(stream, one) for stream, several in detectors.DETECTORS.items() for one in several]


def modules() -> list[tuple[str, ModuleType, list[Detector[Any]]]]:
    """List (kind, module, its detectors) in the order of the contract's kinds."""
    found: dict[tuple[str, str], list[Detector[Any]]] = {}
    for _, detector in registered():
        found.setdefault((detector.kind, type(detector).__module__), []).append(detector)
    rows = [(kind, sys.modules[name], several) for (kind, name), several in found.items()]
    return sorted(rows, key=lambda row: KINDS.index(row[0]) if row[0] in KINDS else len(KINDS))


def row(kind: str, module: ModuleType, several: list[Detector[Any]]) -> tuple[str, ...]:
    """Tell what a module says of itself: what it is about, when it holds, when it is over, and what it waits for."""
    name = module.__name__.rpartition(".")[2]
    holds = sentence(module).split(" Definition:")[0]
    table = _TABLES.get(kind, kind)
    keys = [f"`{key}` = {default_text(one)}" for key, one in policy_keys() if key.startswith(f"{table}.")]
    return (
        f"`{kind}`",
        module.SUBJECT,
        holds,
        _by_rule(module.DUE_AT),
        _by_rule(module.CLEARED_BY),
        "<br>".join(_waits(one, len(several) > 1) for one in several),
        "<br>".join(keys) or "none",
        f"[{name}.py](../domain/detectors/{name}.py)",
    )


def _waits(detector: Detector[Any], by_rule: bool) -> str:  # noqa: FBT001  # one of several in its module
    sources = getattr(detector, "sources", getattr(detector, "told_by", None))
    told = "nothing" if sources is None else sentence(sources).removeprefix("Wait for ").rstrip(".")
    return f"`{', '.join(sorted(getattr(detector, 'rules', ())))}`: {told}" if by_rule else told


def _by_rule(told: str | dict[str, str]) -> str:
    return told if isinstance(told, str) else "<br>".join(f"`{rule}`: {text}" for rule, text in told.items())
