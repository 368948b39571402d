"""Clusters: whom one cause reached, or may have reached, those first for whom most can still be saved."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from domain.groups.cluster import STAGES, ClusterMemberChanged, ClusterScopeChanged
from domain.groups.price_cut import PriceCut, PriceCutBuyerChanged, PriceCutChanged, owed
from domain.history.batch import PolicyAdopted
from domain.incidents.events import IncidentContacted
from domain.instant import Instant
from domain.judging.adoption import in_force
from domain.policies.policy import DEFAULT
from projections.subjects import Subjects
from projections.view import Entry, Rows, Streams
from projections.workflow import REACHED

KINDS: Final = ("mis_shipment_cluster", "product_defect", "price_difference")
"""The kinds of finding that are about what one cause did to many orders."""
SETTLED: Final = len(STAGES)
"""The rank of members with nothing left to put right."""
_ENCODE = msgspec.json.Encoder().encode
_CHANGE = msgspec.json.Decoder(PriceCutChanged).decode
_BUYER = msgspec.json.Decoder(PriceCutBuyerChanged).decode
COUNTS: Final = ("members", "proven", "settled", "silent", *STAGES)
_ALL: Final = ""
"""Stands for every buyer; no buyer has this name."""
_INCIDENTS: Final = tuple(f"incident-{kind}-" for kind in KINDS)


class Clusters:
    """Keeps a row for every member, and for every cause what it is and how many are in which case."""

    name = "clusters"
    version = 1
    tables = ("clusters", "cluster_members", "price_buyers", "cluster_contacts")
    schema = (
        f"""CREATE TABLE IF NOT EXISTS clusters (
            stream TEXT PRIMARY KEY, sku TEXT, body BLOB,
            {", ".join(f"{name} INTEGER NOT NULL DEFAULT 0" for name in COUNTS)}) WITHOUT ROWID""",
        # A page of one article's clusters.
        "CREATE INDEX IF NOT EXISTS clusters_sku ON clusters (sku)",
        """CREATE TABLE IF NOT EXISTS cluster_members (
            stream TEXT NOT NULL, member TEXT NOT NULL, rank INTEGER NOT NULL, since INTEGER NOT NULL,
            order_id TEXT NOT NULL, customer TEXT, parcel_id TEXT, stage TEXT, proven_at INTEGER, settled_at INTEGER,
            amount TEXT, currency TEXT, quantity INTEGER, PRIMARY KEY (stream, member)) WITHOUT ROWID""",
        # Pages of members, those first who can still be spared.
        "CREATE INDEX IF NOT EXISTS cluster_members_rank ON cluster_members (stream, rank, since, member)",
        # Whether an order, or a customer, is a member: asked for every task of the worklist.
        "CREATE INDEX IF NOT EXISTS cluster_members_order ON cluster_members (stream, order_id)",
        """CREATE INDEX IF NOT EXISTS cluster_members_customer ON cluster_members (stream, customer)
            WHERE customer IS NOT NULL""",
        # Everybody who bought what became cheaper, also those who are owed nothing for it.
        """CREATE TABLE IF NOT EXISTS price_buyers (
            stream TEXT NOT NULL, buyer TEXT NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (stream, buyer)) WITHOUT ROWID""",
        """CREATE TABLE IF NOT EXISTS cluster_contacts (
            incident TEXT NOT NULL, who TEXT NOT NULL, at INTEGER NOT NULL,
            PRIMARY KEY (incident, who)) WITHOUT ROWID""",
    )
    topics = frozenset(
        event.TOPIC
        for event in (
            ClusterScopeChanged, ClusterMemberChanged, PriceCutChanged, PriceCutBuyerChanged, IncidentContacted,
            PolicyAdopted,
        )
    )  # fmt: skip

    def apply(self, streams: Streams, rows: Rows, subjects: Subjects) -> None:
        """Keep the last word on each member; another policy may make others of the buyers members."""
        for stream, entries in streams.items():
            _apply(stream, entries, rows, subjects)


VIEW = Clusters()


def _apply(stream: str, entries: Sequence[Entry], rows: Rows, subjects: Subjects) -> None:
    kind, _, _ = stream.partition("-")
    if kind == "policy":
        for (name,) in rows.execute("SELECT stream FROM clusters WHERE stream LIKE 'price_cut-%'").fetchall():
            _owe(rows, name, subjects, None)
    elif kind == "incident":
        _note_contacts(rows, stream, entries)
    elif kind == "price_cut":
        _owe(rows, stream, subjects, _note_prices(rows, stream, entries))
    else:
        for entry in entries:
            _note(rows, stream, entry.event)


class Member(NamedTuple):
    """One order that a cause reached, or may have reached."""

    member: str
    rank: int
    since: Instant
    order_id: str
    customer: str | None
    parcel_id: str | None
    stage: str | None
    proven_at: Instant | None
    settled_at: Instant | None
    amount: str | None
    currency: str | None
    quantity: int | None


MEMBER: Final = ", ".join(Member._fields)
_BUY: Final = "INSERT INTO price_buyers VALUES (?,?,?) ON CONFLICT (stream, buyer) DO UPDATE SET body = excluded.body"
_INSERT: Final = f"INSERT INTO cluster_members ({MEMBER}, stream) VALUES ({'?, ' * len(Member._fields)}?)"  # noqa: S608  # ours
_SELECT: Final = f"SELECT {MEMBER} FROM cluster_members"  # noqa: S608  # our own names


def _note(rows: Rows, stream: str, event: Any) -> None:
    if isinstance(event, ClusterScopeChanged):
        _describe(rows, stream, event.sku, event)
    elif isinstance(event, ClusterMemberChanged):
        _replace(rows, stream, event.member, None if event.gone else _member(event))


def _member(event: ClusterMemberChanged) -> Member:
    return Member(
        member=event.member,
        rank=SETTLED if event.settled is not None else STAGES.index(event.stage),
        since=event.since,
        order_id=event.order_id,
        customer=event.customer_id,
        parcel_id=event.parcel_id,
        stage=event.stage,
        proven_at=None if event.proven is None else event.proven.at,
        settled_at=None if event.settled is None else event.settled.at,
        amount=None,
        currency=None,
        quantity=None,
    )


def _note_prices(rows: Rows, stream: str, entries: Iterable[Entry]) -> set[str] | None:
    """Keep the price and its buyers; names those of whom something was heard, none where all are concerned."""
    touched: set[str] = set()
    for entry in entries:
        event = entry.event
        if isinstance(event, PriceCutChanged):
            _describe(rows, stream, event.sku, event)
            touched.add(_ALL)
        elif isinstance(event, PriceCutBuyerChanged):
            touched.add(event.buyer)
            if event.gone:
                rows.execute("DELETE FROM price_buyers WHERE stream = ? AND buyer = ?", (stream, event.buyer))
            else:
                body = _ENCODE(event)
                rows.execute(_BUY, (stream, event.buyer, body))
    return None if _ALL in touched else touched


def _owe(rows: Rows, stream: str, subjects: Subjects, buyers: set[str] | None) -> None:
    """Find out anew who of these buyers, or of all, is owed what for a price change."""
    row = rows.execute("SELECT body FROM clusters WHERE stream = ?", (stream,)).fetchone()
    if row is None or row[0] is None:
        return
    change, cut = _CHANGE(row[0]), PriceCut(stream)
    cut.buyers = {one.buyer: one for one in _bought(rows, stream, buyers)}
    policies = subjects.policies()
    policy = in_force(policies, change.changed.at) if policies else DEFAULT
    wanted = {
        one.buyer.buyer: _buyer(one.buyer, None if one.amount is None else f"{one.amount:f}", change.changed.at)
        for one in owed(cut, change, policy.price_protection.window)
    }
    known = rows.execute("SELECT member FROM cluster_members WHERE stream = ?", (stream,)) if buyers is None else ()
    for name in sorted({each[0] for each in known}.union(wanted, buyers or ())):
        _replace(rows, stream, name, wanted.get(name))


def _bought(rows: Rows, stream: str, buyers: set[str] | None) -> Iterator[PriceCutBuyerChanged]:
    if buyers is None:
        found = rows.execute("SELECT body FROM price_buyers WHERE stream = ?", (stream,)).fetchall()
    else:
        one = "SELECT body FROM price_buyers WHERE stream = ? AND buyer = ?"
        found = [row for name in sorted(buyers) for row in rows.execute(one, (stream, name))]
    return (_BUYER(row[0]) for row in found)


def _buyer(event: PriceCutBuyerChanged, amount: str | None, changed_at: Instant) -> Member:
    return Member(
        member=event.buyer,
        rank=0 if event.settled is None else SETTLED,
        since=event.bought.at,
        order_id=event.order_id,
        customer=None,
        parcel_id=None,
        stage=None,
        proven_at=None if amount is None else changed_at,
        settled_at=None if event.settled is None else event.settled.at,
        amount=amount,
        currency=event.currency,
        quantity=event.quantity,
    )


def _describe(rows: Rows, stream: str, sku: str, event: ClusterScopeChanged | PriceCutChanged) -> None:
    rows.execute(
        "INSERT INTO clusters (stream, sku, body) VALUES (?,?,?) "
        "ON CONFLICT (stream) DO UPDATE SET sku = excluded.sku, body = excluded.body",
        (stream, sku, _ENCODE(event)),
    )


def _replace(rows: Rows, stream: str, name: str, now: Member | None) -> None:
    """Put a member in the place of what was known of it, and count both."""
    row = rows.execute(f"{_SELECT} WHERE stream = ? AND member = ?", (stream, name)).fetchone()
    before = None if row is None else Member(*row)
    if before == now:
        return
    rows.execute("DELETE FROM cluster_members WHERE stream = ? AND member = ?", (stream, name))
    if now is not None:
        rows.execute(_INSERT, (*now, stream))
    changes = [new - old for new, old in zip(_counts(now), _counts(before), strict=True)]
    rows.execute("INSERT INTO clusters (stream) VALUES (?) ON CONFLICT DO NOTHING", (stream,))
    rows.execute(
        f"UPDATE clusters SET {', '.join(f'{one} = {one} + ?' for one in COUNTS)} WHERE stream = ?",  # noqa: S608  # ours
        (*changes, stream),
    )
    rows.execute("DELETE FROM clusters WHERE stream = ? AND body IS NULL AND members = 0", (stream,))


def _counts(one: Member | None) -> tuple[int, ...]:
    """Say in which cases a member is, in the order of ``COUNTS``."""
    if one is None:
        return (0,) * len(COUNTS)
    proven, settled = one.proven_at is not None, one.settled_at is not None
    cases = (True, proven, settled, not proven and not settled)
    return (*map(int, cases), *(int(not settled and one.stage == stage) for stage in STAGES))


def _note_contacts(rows: Rows, stream: str, entries: Iterable[Entry]) -> None:
    """Keep whom a contact of the incident reached: its customer, and the orders that were spoken of."""
    if not stream.startswith(_INCIDENTS):
        return
    for entry in entries:
        event = entry.event
        assert isinstance(event, IncidentContacted)
        if event.outcome in REACHED:
            who = {f"order {one.order_id}" for one in event.statements}
            who |= set() if event.customer_id is None else {f"customer {event.customer_id}"}
            rows.executemany(
                "INSERT INTO cluster_contacts AS known VALUES (?,?,?) ON CONFLICT (incident, who) "
                "DO UPDATE SET at = CASE WHEN known.at < excluded.at THEN known.at ELSE excluded.at END",
                [(stream, one, event.at) for one in sorted(who)],
            )
