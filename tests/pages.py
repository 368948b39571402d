"""Reads our pages: blocks of code, links and headings, and every command that is shown."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.members import ROOT, anchor

PAGES: Final = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
)
_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE: Final = re.compile(r"`([^`\n]+)`")
_LINK: Final = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SET: Final = re.compile(r"[A-Z][A-Z_0-9]*=.*")


def text(page: Path) -> str:
    """Read a page."""
    return page.read_text(encoding="utf-8")


def blocks(page: Path, *languages: str) -> list[str]:
    """Give the contents of the fenced blocks in these languages, in order."""
    return [body for language, body in _FENCE.findall(text(page)) if language in languages]


def shown(page: Path) -> list[str]:
    """Give every command of a page's shell blocks, one a line, continued lines joined."""
    lines = "".join(blocks(page, "console", "sh", "shell", "bash")).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").strip() for line in lines if line.strip() and not line.startswith("#")]


def mentioned(page: Path) -> Iterator[list[str]]:
    """Give the words of every ``tracker …`` and ``make …`` on a page, in blocks and in the text."""
    for command in [*shown(page), *_INLINE.findall(_FENCE.sub("", text(page)))]:
        try:
            words = shlex.split(command)
        except ValueError:  # an apostrophe in what is no command
            continue
        while words and _SET.fullmatch(words[0]):
            words = words[1:]
        if words and words[0].removeprefix(".venv/bin/") in {"tracker", "make"}:
            yield [words[0].removeprefix(".venv/bin/"), *words[1:]]


def links(page: Path) -> list[str]:
    """Give the targets of a page's links and pictures."""
    return _LINK.findall(_INLINE.sub("", _FENCE.sub("", text(page))))


def anchors(page: Path) -> set[str]:
    """Give the fragments that may be linked on a page."""
    return {anchor(heading.replace("`", "")) for heading in _HEADING.findall(_FENCE.sub("", text(page)))}
