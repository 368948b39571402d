"""Causes: what each cluster is, how many are in which case, and its members page by page."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec

from domain.groups.cluster import STAGES, ClusterScopeChanged
from domain.groups.price_cut import PriceCutChanged
from domain.instant import Instant
from projections.clusters import COUNTS, MEMBER, Member
from projections.view import Rows

_SCOPE = msgspec.json.Decoder(ClusterScopeChanged).decode
_CHANGE = msgspec.json.Decoder(PriceCutChanged).decode
_PRICE_CUT: Final = "price_cut-"
_DESCRIBED: Final = f"SELECT body, {', '.join(COUNTS)} FROM clusters WHERE stream = ?"  # noqa: S608  # our own names


class Cause(NamedTuple):
    """What one cause is, and how many are in which case."""

    stream: str
    scope: ClusterScopeChanged | None
    change: PriceCutChanged | None
    counts: dict[str, int]
    """``members``, ``proven``, ``settled`` and ``silent``, and by stage those that are not settled."""

    @property
    def stages(self) -> dict[str, int]:
        """Say where the goods are, of what is not settled."""
        return {stage: self.counts[stage] for stage in STAGES if self.counts[stage]}


class Ranked(NamedTuple):
    """The last member of the page before."""

    rank: int
    since: Instant
    member: str


class Asked(NamedTuple):
    """Which members are asked for; an empty part asks for nothing."""

    proven: bool | None = None
    settled: bool | None = None
    stage: tuple[str, ...] = ()


def one(rows: Rows, stream: str) -> Cause:
    """Give what a cluster's stream is about; nobody where nothing is known of it."""
    row: Any = rows.execute(_DESCRIBED, (stream,)).fetchone()
    body: Any = None if row is None else row[0]
    counts: tuple[int, ...] = (0,) * len(COUNTS) if row is None else tuple(row)[1:]
    of_price = stream.startswith(_PRICE_CUT)
    return Cause(
        stream,
        _SCOPE(body) if body is not None and not of_price else None,
        _CHANGE(body) if body is not None and of_price else None,
        dict(zip(COUNTS, counts, strict=True)),
    )


def of_sku(sku: str) -> tuple[str, Sequence[Any]]:
    """Make it a condition over incidents that they are about a SKU."""
    return "stream IN (SELECT stream FROM clusters WHERE sku = ?)", (sku,)


def owed(rows: Rows, stream: str) -> list[tuple[str, str]]:
    """List (currency, amount) of everybody who is still to be paid."""
    found = rows.execute(
        "SELECT currency, amount FROM cluster_members WHERE stream = ? AND settled_at IS NULL AND amount IS NOT NULL",
        (stream,),
    )
    return [(row[0], row[1]) for row in found]


def contacted(rows: Rows, stream: str, incident: str) -> int:
    """Count the members whose customers were reached in the incident's contacts."""
    found = rows.execute(
        "SELECT COUNT(*) FROM (SELECT member FROM cluster_contacts JOIN cluster_members "
        "ON stream = ?1 AND order_id = SUBSTR(who, 7) WHERE incident = ?2 AND who LIKE 'order %' "
        "UNION SELECT member FROM cluster_contacts JOIN cluster_members "
        "ON stream = ?1 AND customer = SUBSTR(who, 10) WHERE incident = ?2 AND who LIKE 'customer %') AS reached",
        (stream, incident),
    )
    return int(found.fetchone()[0])


def members(rows: Rows, stream: str, asked: Asked, limit: int, after: Ranked | None = None) -> list[Member]:
    """List the members: what is not settled first, of that what can still be saved, the earliest first."""
    conditions: list[tuple[str, Sequence[Any]]] = [("stream = ?", (stream,))]
    for column, wanted in (("proven_at", asked.proven), ("settled_at", asked.settled)):
        if wanted is not None:
            conditions.append((f"{column} IS {'NOT ' if wanted else ''}NULL", ()))
    if asked.stage:
        conditions.append((f"stage IN ({','.join('?' * len(asked.stage))})", asked.stage))
    if after is not None:
        conditions.append(("(rank, since, member) > (?, ?, ?)", after))
    found = rows.execute(
        f"SELECT {MEMBER} FROM cluster_members WHERE {' AND '.join(text for text, _ in conditions)} "  # noqa: S608  # ours
        "ORDER BY rank, since, member LIMIT ?",
        (*(value for _, values in conditions for value in values), limit),
    )
    return [Member(*row) for row in found]


def contacted_at(rows: Rows, incident: str, member: Member) -> Instant | None:
    """Say when a member's customer was first reached."""
    found = rows.execute(
        "SELECT MIN(at) FROM cluster_contacts WHERE incident = ? AND who IN (?, ?)",
        (incident, f"order {member.order_id}", f"customer {member.customer}"),
    ).fetchone()
    at: Instant | None = found[0]
    return at
