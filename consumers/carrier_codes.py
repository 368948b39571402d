"""Carrier codes: what a carrier's own status code means, from a table that the policy names.

The same code means different things at different carriers, so the key is (carrier, code).
"""

import csv
from collections.abc import Iterable, Mapping

from domain.parcels.events import STATUSES
from domain.policies.policy import PolicyInvalid

CarrierCodes = Mapping[tuple[str, str], str]
"""(carrier, code) to a status of the contract."""

_COLUMNS = ("carrier", "code", "status")


def read(lines: Iterable[str], name: str) -> dict[tuple[str, str], str]:
    """Read a CSV with the columns carrier, code, status; later rows may not contradict earlier ones.

    Raises:
        PolicyInvalid: a column is missing, a status is unknown, or a code has two meanings; names the line.
    """
    rows = csv.DictReader(lines)
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise PolicyInvalid(f"{name}: the first line must name the columns {', '.join(_COLUMNS)}")
    table: dict[tuple[str, str], str] = {}
    for row in rows:
        carrier, code, status = ((row[column] or "").strip() for column in _COLUMNS)
        if status not in STATUSES:
            raise PolicyInvalid(f"{name}, line {rows.line_num}: unknown status {status!r}")
        if table.setdefault((carrier, code), status) != status:
            raise PolicyInvalid(f"{name}, line {rows.line_num}: {carrier} {code} already means {table[carrier, code]}")
    return table


def by_code(codes: CarrierCodes) -> dict[str, tuple[tuple[str, str], ...]]:
    """Say of each code what it means at every carrier that has it, as pairs of carrier and status.

    >>> by_code({("YTO", "30"): "delivered", ("SF", "30"): "in_transit"})
    {'30': (('SF', 'in_transit'), ('YTO', 'delivered'))}
    """
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for (carrier, code), status in sorted(codes.items()):
        found[code] = (*found.get(code, ()), (carrier, status))
    return found
