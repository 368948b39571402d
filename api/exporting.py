"""Exporting: rows as a file for a spreadsheet, or as lines for a program."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson

CSV: Final = "text/csv; charset=utf-8"
JSON_LINES: Final = "application/x-ndjson"
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With these a spreadsheet begins a formula."""


def as_csv(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> bytes:
    r"""Write rows below a header, in UTF-8; no cell is a formula, whoever wrote it.

    >>> as_csv(["member", "evidence"], [{"member": "=1+1", "evidence": ["a", "b"]}])
    b"member,evidence\r\n'=1+1,a b\r\n"
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)
    return text.getvalue().encode()


def as_json_lines(rows: Iterable[dict[str, Any]]) -> bytes:
    r"""Write each row as a JSON object on a line of its own.

    >>> as_json_lines([{"member": "O"}, {"member": "P"}])
    b'{"member":"O"}\n{"member":"P"}\n'
    """
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)


def _cell(value: Any) -> str:
    text = " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_RISKY) else text
