"""Carrier codes: a table of what a carrier's own codes mean, refused where it is not clear."""

import pytest

from consumers.carrier_codes import read
from domain.policies.policy import PolicyInvalid

TABLE = ["carrier,code,status\n", "SF,30,in_transit\n", "YTO,30,delivered\n", "SF,50, out_for_delivery \n"]


def test_a_code_means_something_at_its_carrier() -> None:
    assert read(TABLE, "codes.csv") == {
        ("SF", "30"): "in_transit",
        ("YTO", "30"): "delivered",
        ("SF", "50"): "out_for_delivery",
    }


def test_further_columns_and_their_order_do_not_matter() -> None:
    assert read(["note,status,code,carrier\n", "x,lost,9,SF\n"], "codes.csv") == {("SF", "9"): "lost"}


def test_saying_the_same_twice_is_no_contradiction() -> None:
    assert len(read([*TABLE, "SF,30,in_transit\n"], "codes.csv")) == 3


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "columns"),
        (["carrier,code\n", "SF,30\n"], "columns"),
        ([*TABLE, "SF,31,teleported\n"], "line 5: unknown status 'teleported'"),
        ([*TABLE, "SF,31\n"], "line 5"),
        ([*TABLE, "SF,30,delivered\n"], "SF 30 already means in_transit"),
    ],
)
def test_what_is_not_clear_is_refused_with_its_line(lines: list[str], why: str) -> None:
    with pytest.raises(PolicyInvalid, match=why):
        read(lines, "codes.csv")
