"""Hand-computed cases for parcels that a carrier damaged."""

from typing import Any

import pytest

from tests.oracle.sentences import found, scan, voided


def damaged(*events: dict[str, Any], **more: Any) -> list[tuple[str, float | None, float | None]]:
    return found("damaged_parcel", *events, **more)


def test_the_first_damage_opens_it() -> None:
    assert damaged(scan(5, "damaged"), scan(9, "damaged")) == [("P", 5, None)]
    assert damaged(scan(5, "damaged"), now=5) == []


@pytest.mark.parametrize("status", ["returned", "lost"])
def test_return_and_loss_end_it_and_none_is_found_after_them(status: str) -> None:
    assert damaged(scan(5, "damaged"), scan(9, status)) == [("P", 5, 9)]
    assert damaged(scan(5, "damaged"), scan(5, status)) == []


@pytest.mark.parametrize("status", ["delivered", "refused", "return_to_sender", "in_transit"])
def test_nothing_else_ends_it(status: str) -> None:
    assert damaged(scan(5, "damaged"), scan(9, status)) == [("P", 5, None)]
    assert damaged(scan(5, "damaged"), scan(3, status)) == [("P", 5, None)]


def test_a_void_ends_it() -> None:
    assert damaged(scan(5, "damaged"), voided(7)) == [("P", 5, 7)]
    assert damaged(scan(5, "damaged"), voided(5)) == []
