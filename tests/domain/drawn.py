"""Strategies for facts of any kind about few things at few instants, so that they meet."""

from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from consumers.translate import FACTS
from domain.events import Fact
from domain.instant import HOUR
from domain.orders.order import FACTS as ORDER_FACTS
from domain.parcels.events import FACTS as PARCEL_FACTS
from domain.parcels.events import STATUSES, ParcelScanned
from tests.story import at, held, line, moved, placed, released, requested, scanned

FIRST: Final = -62_135_596_800_000_000
LAST: Final = 253_402_300_799_999_999

instants = st.integers(0, 8).map(lambda n: at(n * 2)) | st.sampled_from((FIRST, LAST, at(6) + 1, at(6) - 1))
names = st.sampled_from(("1", "2", "3"))
quantities = st.sampled_from((1, 1, 2, 3, 1_000_000))

TEXT: Final = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
BY_NAME: Final[dict[str, st.SearchStrategy[Any]]] = {
    "at": instants,
    "source": st.sampled_from(("/a", "/b")),
    "id": st.text("abcdef", min_size=2, max_size=4),
    "via": st.just(""),
    "order_id": names,
    "line_id": names,
    "sku": st.sampled_from(("A", "B")),
    "fulfillment_id": names,
    "parcel_id": names,
    "quantity": quantities,
    "unit_price": st.none() | st.sampled_from(("0", "9.90", "123456789012345678.123456789")),
    "status": st.none() | st.sampled_from(STATUSES),
    "carrier": st.sampled_from(("SF", "YTO")),
    "tracking_number": st.sampled_from(("N1", "N2")),
    "code_means": st.sampled_from(((), (("SF", "picked_up"), ("YTO", "delivered")))),
    "reason": st.sampled_from(("payment", "stock")),
    "ship_by": st.none() | instants,
    "starts_at": st.none() | instants,
    "deliver_by": st.none() | instants,
    "estimated_delivery": st.none() | instants,
}


def of(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Draw one record, each member by its name where that says more than its type."""
    hints = get_type_hints(kind)
    members = {name: _member(name, hints[name]) for name in kind.__struct_fields__}
    return st.builds(kind, **members)


def _member(name: str, hint: Any) -> st.SearchStrategy[Any]:
    optional = type(None) in get_args(hint)
    if name in BY_NAME:
        return st.none() | BY_NAME[name] if optional else BY_NAME[name]
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        part = names if inner is str else of(inner)
        return st.lists(part, max_size=3).map(tuple)
    if float in (hint, *get_args(hint)):
        return st.none() | st.floats(allow_nan=False, allow_infinity=False)
    if str in (hint, *get_args(hint)):
        return st.none() | TEXT if optional else TEXT
    return st.from_type(hint)


def facts(kinds: tuple[type[Fact], ...] = FACTS) -> st.SearchStrategy[Fact]:
    """Draw a fact of one of these kinds."""
    return st.one_of([of(kind) for kind in kinds]).map(_as_read).filter(_whole)


def _as_read(one: Fact) -> Fact:
    """Leave what a code means to scans that have neither status nor carrier: the edge asks for it nowhere else."""
    if isinstance(one, ParcelScanned) and (one.status or one.carrier):
        return msgspec.structs.replace(one, code_means=())
    return one


def _whole(one: Fact) -> bool:
    scan = getattr(one, "tracking_number", "") is not None and getattr(one, "carrier", "") is not None
    return getattr(one, "parcel_id", "") is not None or scan


_HOURS: Final = st.integers(0, 16)
_IDS: Final = st.text("uvwxyz", min_size=2, max_size=4)
_ORDER: Final = st.tuples(
    st.builds(placed, _HOURS, st.builds(line, names, st.just("A")), of=st.just("1"), ship_by=_HOURS),
    st.builds(requested, _HOURS, names, of=st.just("1"), ship_by=st.none() | _HOURS),
).map(list)
_HAPPENS: Final = st.one_of(
    st.builds(scanned, _HOURS, names, order_ids=st.just(("1",)), key=_IDS),
    st.builds(scanned, _HOURS, names, fulfillment_ids=st.tuples(names), key=_IDS),
    st.builds(
        moved, _HOURS, _HOURS, agreed_by=st.sampled_from(("customer", "merchant")), order_id=st.just("1"), key=_IDS
    ),
    st.builds(held, _HOURS, BY_NAME["reason"], order_id=st.just("1"), key=_IDS),
    st.builds(released, _HOURS, BY_NAME["reason"], order_id=st.just("1"), key=_IDS),
)
_ABOUT_ONE: Final = (*(kind for kind in ORDER_FACTS if not kind.TOPIC.startswith("item.")), *PARCEL_FACTS)
worlds = st.builds(
    lambda order, happens, rest: [*order, *happens, *rest],
    st.just([]) | _ORDER | _ORDER.map(lambda pair: pair[:1]),
    st.lists(_HAPPENS, max_size=5),
    st.lists(facts(_ABOUT_ONE), max_size=7),
)
untils = st.integers(-1, 40).map(lambda n: at(n) + n % 3 - 1) | st.sampled_from((FIRST, LAST, LAST + 99 * HOUR))
