"""Clusters: whom one cause reached, or may have reached, those first for whom most can still be saved."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
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
from projections.view import Rows, Streams, among, among_pairs
from projections.workflow import REACHED

KINDS: Final = ("mis_shipment_cluster", "product_defect", "price_difference")
"""The kinds of finding that are about what one cause did to many orders."""
SETTLED: Final = len(STAGES)
"""The rank of members with nothing left to put right."""
_ENCODE = msgspec.json.Encoder().encode
_CHANGE = msgspec.json.Decoder(PriceCutChanged).decode
_BUYER = msgspec.json.Decoder(PriceCutBuyerChanged).decode
COUNTS: Final = ("members", "proven", "settled", "silent", *STAGES)
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
        _note_contacts(rows, streams)
        told = [(stream, entry.event) for stream, entries in streams.items() for entry in entries]
        _describe(rows, told)
        _note_members(rows, told)
        _note_prices(rows, told, subjects)
        if "policy" in streams:
            for (name,) in rows.execute("SELECT stream FROM clusters WHERE stream LIKE 'price_cut-%'").fetchall():
                _owe(rows, {name: None}, subjects)


VIEW = Clusters()


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
_BOUGHT: Final = "SELECT stream, body FROM {among} CROSS JOIN price_buyers WHERE stream = column1 AND buyer = column2"
_SELECT: Final = (
    f"SELECT stream, {MEMBER} FROM {{among}} CROSS JOIN cluster_members "  # noqa: S608  # our own names
    "WHERE stream = column1 AND member = column2"
)
_INSERT: Final = f"INSERT INTO cluster_members (stream, {MEMBER}) VALUES (?{',?' * len(Member._fields)})"  # noqa: S608
_ADD: Final = (
    f"INSERT INTO clusters (stream, {', '.join(COUNTS)}) VALUES (?{',?' * len(COUNTS)}) "  # noqa: S608  # ours
    f"ON CONFLICT (stream) DO UPDATE SET {', '.join(f'{one} = clusters.{one} + excluded.{one}' for one in COUNTS)}"
)
_Key = tuple[str, str]
"""A cause's stream and one of its members or buyers."""
_Told = Iterable[tuple[str, Any]]
"""Events with their streams."""


def _describe(rows: Rows, told: _Told) -> None:
    """Keep what each cause was last said to be."""
    last = {stream: event for stream, event in told if isinstance(event, ClusterScopeChanged | PriceCutChanged)}
    rows.executemany(
        "INSERT INTO clusters (stream, sku, body) VALUES (?,?,?) "
        "ON CONFLICT (stream) DO UPDATE SET sku = excluded.sku, body = excluded.body",
        [(stream, event.sku, _ENCODE(event)) for stream, event in last.items()],
    )


def _note_members(rows: Rows, told: _Told) -> None:
    """Keep the last word on each member of clusters."""
    last = {(stream, event.member): event for stream, event in told if isinstance(event, ClusterMemberChanged)}
    _replace(rows, {key: None if event.gone else _member(event) for key, event in last.items()})


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


def _note_prices(rows: Rows, told: _Told, subjects: Subjects) -> None:
    """Keep the last word on each buyer, and what those are owed of whom something was heard, or all of a price."""
    last = {(stream, event.buyer): event for stream, event in told if isinstance(event, PriceCutBuyerChanged)}
    rows.executemany(
        "DELETE FROM price_buyers WHERE stream = ? AND buyer = ?", [key for key, event in last.items() if event.gone]
    )
    rows.executemany(_BUY, [(*key, _ENCODE(event)) for key, event in last.items() if not event.gone])
    touched: dict[str, set[str] | None] = {}
    for stream, buyer in last:
        touched.setdefault(stream, set()).add(buyer)  # type: ignore[union-attr]  # a set until all are concerned
    touched |= {stream: None for stream, event in told if isinstance(event, PriceCutChanged)}
    _owe(rows, touched, subjects)


def _owe(rows: Rows, touched: Mapping[str, set[str] | None], subjects: Subjects) -> None:
    """Find out anew which of these buyers, or of all, are owed what for price changes."""
    described = among(rows, "SELECT stream, body FROM clusters WHERE stream IN ({among})", [*touched])
    changes = {stream: _CHANGE(body) for stream, body in described if body is not None}
    some = {stream: buyers for stream in changes if (buyers := touched[stream]) is not None}
    every = [stream for stream in changes if stream not in some]
    keys = [(stream, buyer) for stream, buyers in some.items() for buyer in sorted(buyers)]
    now: dict[_Key, Member | None] = dict.fromkeys(keys)
    known = among(rows, "SELECT stream, member FROM cluster_members WHERE stream IN ({among})", every)
    now |= dict.fromkeys((row[0], row[1]) for row in known)
    bought = _bought(rows, every, keys)
    policies = subjects.policies()
    for stream, change in changes.items():
        cut = PriceCut(stream)
        cut.buyers = {one.buyer: one for one in bought[stream]}
        policy = in_force(policies, change.changed.at) if policies else DEFAULT
        for one in owed(cut, change, policy.price_protection.window):
            amount = None if one.amount is None else f"{one.amount:f}"
            now[stream, one.buyer.buyer] = _buyer(one.buyer, amount, change.changed.at)
    _replace(rows, now)


def _bought(rows: Rows, every: Sequence[str], some: Sequence[_Key]) -> dict[str, list[PriceCutBuyerChanged]]:
    """Give all the buyers of some prices, and these of others."""
    found: dict[str, list[PriceCutBuyerChanged]] = defaultdict(list)
    for stream, body in chain(
        among(rows, "SELECT stream, body FROM price_buyers WHERE stream IN ({among})", every),
        among_pairs(rows, _BOUGHT, some),
    ):
        found[stream].append(_BUYER(body))
    return found


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


def _replace(rows: Rows, now: Mapping[_Key, Member | None]) -> None:
    """Put members in the place of what was known of them, and count both."""
    known = among_pairs(rows, _SELECT, sorted(now))
    before = {(stream, one[0]): Member(*one) for stream, *one in known}
    changed = [key for key in now if now[key] != before.get(key)]
    rows.executemany(
        "DELETE FROM cluster_members WHERE stream = ? AND member = ?", [one for one in changed if one in before]
    )
    rows.executemany(_INSERT, [(stream, *one) for stream, name in changed if (one := now[stream, name]) is not None])
    counts: dict[str, list[int]] = {}
    for key in changed:
        total = counts.setdefault(key[0], [0] * len(COUNTS))
        total[:] = (
            had + new - old for had, new, old in zip(total, _counts(now[key]), _counts(before.get(key)), strict=True)
        )
    rows.executemany(_ADD, [(stream, *total) for stream, total in sorted(counts.items())])
    rows.executemany(
        "DELETE FROM clusters WHERE stream = ? AND body IS NULL AND members = 0", [(stream,) for stream in counts]
    )


def _counts(one: Member | None) -> tuple[int, ...]:
    """Say in which cases a member is, in the order of ``COUNTS``."""
    if one is None:
        return (0,) * len(COUNTS)
    proven, settled = one.proven_at is not None, one.settled_at is not None
    cases = (True, proven, settled, not proven and not settled)
    return (*map(int, cases), *(int(not settled and one.stage == stage) for stage in STAGES))


def _note_contacts(rows: Rows, streams: Streams) -> None:
    """Keep whom the contacts of incidents reached first: their customers, and the orders that were spoken of."""
    first: dict[_Key, Instant] = {}
    for stream in (name for name in streams if name.startswith(_INCIDENTS)):
        for entry in streams[stream]:
            event = entry.event
            assert isinstance(event, IncidentContacted)
            if event.outcome in REACHED:
                who = {f"order {one.order_id}" for one in event.statements}
                who |= set() if event.customer_id is None else {f"customer {event.customer_id}"}
                first |= {(stream, one): min(event.at, first.get((stream, one), event.at)) for one in who}
    rows.executemany(
        "INSERT INTO cluster_contacts AS known VALUES (?,?,?) ON CONFLICT (incident, who) "
        "DO UPDATE SET at = CASE WHEN known.at < excluded.at THEN known.at ELSE excluded.at END",
        [(*key, at) for key, at in sorted(first.items())],
    )
