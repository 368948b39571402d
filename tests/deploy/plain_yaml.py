"""Plain YAML: the part of it that the examples keep to; whatever else stands in one is an error, not a guess."""

import json
import re
from typing import Any

_PAIR = re.compile(r"([\w.-]+):(?: (.+))?")


def read(text: str) -> Any:
    """Read mappings, lists, plain or quoted words, and JSON in one line."""
    lines = [(len(one) - len(one.lstrip()), one.strip()) for one in text.splitlines() if one.strip()]
    lines = [(indent, one) for indent, one in lines if not one.startswith("#")]
    found, left = _block(lines, 0)
    assert not left, f"read as far as {left[0]}"
    return found


def _block(lines: list[tuple[int, str]], indent: int) -> tuple[Any, list[tuple[int, str]]]:
    found: Any = [] if lines[0][1].startswith("- ") else {}
    while lines and lines[0][0] == indent:
        (_, line), *lines = lines
        if isinstance(found, list):
            found.append(_word(line.removeprefix("- ")))
            continue
        pair = _PAIR.fullmatch(line)
        assert pair is not None, f"no pair: {line}"
        assert pair[1] not in found, f"twice: {pair[1]}"
        if pair[2] is not None:
            found[pair[1]] = _word(pair[2])
        else:
            assert lines, f"{pair[1]} has nothing below it"
            assert lines[0][0] > indent, f"{pair[1]} has nothing below it"
            found[pair[1]], lines = _block(lines, lines[0][0])
    return found, lines


def _word(text: str) -> Any:
    assert text[0] not in "&*|>!%@`", f"not read here: {text}"
    return json.loads(text) if text[0] in '["{' or text in {"true", "false"} or text.isdigit() else text
