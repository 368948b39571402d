"""Policies that worlds are judged by: thresholds on the same few hours as the events, so that they meet on the dot."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from hypothesis import strategies as st

Policy = dict[str, Any]
KINDS: Final = (
    *("late_shipment", "late_delivery", "stalled_parcel", "delivery_failed", "unconfirmed_handover"),
    *("presumed_lost", "mis_shipment", "stock_out", "complaint_overdue", "warehouse_backlog", "carrier_backlog"),
    "damaged_parcel",
)
"""The kinds that an oracle works out by brute force."""
WAITING: Final = (
    *("stalled_parcel", "unconfirmed_handover", "presumed_lost", "warehouse_backlog", "carrier_backlog"),
    *("late_shipment", "late_delivery"),
)
"""The kinds that may wait for feeds."""
ZONES: Final = ("UTC", "America/New_York")
"""Beside the default; New York puts its clocks forward a week after the seasons begin."""
BACKLOG: Final = st.fixed_dictionaries(
    {"minimum": st.sampled_from([1, 1, 1, 1, 2, 3])}, optional={"factor": st.sampled_from([1.0, 0.5, 1.5, 3.0])}
)


def spans(*texts: str) -> st.SearchStrategy[str]:
    """Draw one of a few durations."""
    return st.sampled_from(texts)


TABLES: Final[dict[str, st.SearchStrategy[Any]]] = {
    "late_shipment": st.fixed_dictionaries(
        {"promise": spans("agreed", "latest", "original"), "approval": spans("implied", "required")}
    ),
    "unconfirmed_handover": st.fixed_dictionaries({"after": spans("4h", "2h", "6h", "1h")}),
    "stalled_parcel": st.fixed_dictionaries(
        {"after": spans("6h", "4h", "2h", "24h")},
        optional={
            "lanes": st.dictionaries(
                spans("sf:E-N", "sf:E-S", "yto:N-S", "yto:E-N"), st.fixed_dictionaries({"after": spans("10h", "2h")})
            )
        },
    ),
    "late_delivery": st.fixed_dictionaries(
        {"date_promises": spans("end_of_day", "instant")}, optional={"promise": spans("agreed", "latest", "original")}
    ),
    "delivery_failed": st.fixed_dictionaries({"pickup_wait": spans("4h", "2h", "6h")}),
    "presumed_lost": st.fixed_dictionaries({"after": spans("8h", "12h", "4h", "5d")}),
    "mis_shipment": st.fixed_dictionaries({"missing_after": spans("4h", "2h", "24h")}),
    "complaint_overdue": st.fixed_dictionaries(
        {"first_response": spans("2h", "4h", "6h"), "general": spans("6h", "12h"), "complex": spans("10h", "4h")},
        optional={"merge_within": spans("4h", "8h")},
    ),
    "feed_silence": st.fixed_dictionaries({"waits": st.lists(st.sampled_from(WAITING), unique=True)}),
    "calendars": st.fixed_dictionaries(
        {
            "carriers": st.dictionaries(
                spans("sf", "yto", "*"),
                st.fixed_dictionaries({"hours": st.sampled_from((["mon-sat 08:00-20:00"], ["mon-fri 09:00-17:00"]))}),
                min_size=1,
            )
        }
    ),
    "warehouse_backlog": BACKLOG,
    "carrier_backlog": BACKLOG,
    "feeds": st.dictionaries(
        spans("sf", "yto", "W"),
        st.lists(
            spans("/carriers/sf", "/carriers/yto", "/warehouses/w1", "/carriers/mute"),
            min_size=1,
            max_size=2,
            unique=True,
        ),
    ),
}


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Draw a policy: the default one, or some tables that say otherwise."""
    policy: Policy = {}
    if draw(st.integers(0, 3)) == 0:
        return policy
    for name, table in TABLES.items():
        if table is BACKLOG or draw(st.booleans()):  # by default no season is large enough for a backlog
            policy[name] = draw(table)
    if draw(st.integers(0, 2)) == 2:  # one in three
        policy["timezone"] = draw(st.sampled_from(ZONES))
    if draw(st.integers(0, 3)) == 0:
        return policy
    if draw(st.integers(0, 3)) == 3:  # one in four
        policy["kinds"] = {"enabled": draw(st.lists(st.sampled_from(KINDS), min_size=4, unique=True))}
    else:
        policy["kinds"] = {"enabled": list(KINDS)}
    return policy


def toml(policy: Mapping[str, Any]) -> str:
    """Write a policy as its file."""
    return "\n".join(_lines(policy, ""))


def _lines(table: Mapping[str, Any], name: str) -> Iterator[str]:
    if name:
        yield f"[{name}]"
    for key, value in table.items():
        if not isinstance(value, Mapping):
            yield f"{orjson.dumps(key).decode()} = {orjson.dumps(value).decode()}"
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _lines(value, f"{name}.{orjson.dumps(key).decode()}" if name else orjson.dumps(key).decode())
