"""Carriers' own codes on scans that do not say whose they are: the parcel's carrier says what they mean."""

from itertools import permutations
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.backtest import run
from consumers.translate import Translator
from domain.judging.adoption import adopt
from domain.judging.report import final
from domain.parcels.events import ParcelScanMoved, ParcelScanned
from domain.tracker import Tracker
from tests.oracle.codes import understood
from tests.oracle.sentences import found as oracle_found
from tests.oracle.story import event, placed, requested
from tests.story import LATER, Given, at, hours, labelled, late, memory_log, packed, piece, scanned
from tests.story import placed as an_order
from tests.story import requested as asked

MEANS = (("SF", "picked_up"), ("YTO", "label_created"))
ORDER = (an_order(0), asked(0, ship_by=10))


def coded(when: float, **more: Any) -> ParcelScanned:
    """Scan parcel P with a code that is a pick-up at SF, and only a label at YTO."""
    return scanned(when, status=None, raw_code="50", code_means=MEANS, **more)


def statuses(*facts: Any) -> list[str | None]:
    """Say what the scans of parcel P come to mean."""
    return [scan.status for scan in Given(*facts).parcel().facts.of(ParcelScanned)]


# given a code that means something at its carrier, when a label names that carrier, then it means that


@pytest.mark.parametrize("told", [*permutations((coded(5), labelled(3)))], ids=["scan first", "label first"])
def test_a_code_is_read_by_the_carrier_of_the_parcel_s_label_whichever_is_heard_first(told: tuple[Any, ...]) -> None:
    assert statuses(*told) == ["picked_up"]
    assert late(*ORDER, *told) == []


@pytest.mark.parametrize("told", [*permutations((coded(5), labelled(30)))], ids=["scan first", "label first"])
def test_the_label_may_be_later_in_the_world_as_well(told: tuple[Any, ...]) -> None:
    assert late(*ORDER, *told) == []


def test_another_carrier_s_label_gives_the_code_another_meaning() -> None:
    assert statuses(coded(5), labelled(3, carrier="YTO")) == ["label_created"]
    assert late(*ORDER, coded(5), labelled(3, carrier="YTO")) == [("F", 10, None)]


def test_a_carrier_that_the_table_does_not_have_gives_it_none() -> None:
    assert statuses(coded(5), labelled(3, carrier="ZTO")) == [None]


def test_a_code_of_a_parcel_of_no_known_carrier_changes_nothing() -> None:
    parcel = Given(*ORDER, coded(5)).parcel()
    assert (parcel.meaning.possessed, parcel.meaning.order_ids) == (None, ())


# without labels, another scan may name the carrier


@pytest.mark.parametrize("told", [*permutations((coded(5), scanned(20, status="in_transit", carrier="SF")))])
def test_a_code_is_read_by_the_carrier_that_another_scan_names(told: tuple[Any, ...]) -> None:
    assert statuses(*told) == ["picked_up", "in_transit"]
    assert Given(*told).parcel().meaning.possessed == coded(5).stamp


def test_a_scan_that_says_nothing_names_no_carrier() -> None:
    assert statuses(coded(5), scanned(6, status=None, carrier="SF", raw_code="99")) == [None, None]


def test_a_label_goes_before_what_scans_name() -> None:
    told = (coded(5), scanned(4, status="label_created", carrier="SF"), labelled(6, carrier="YTO"))
    assert {tuple(statuses(*order)) for order in permutations(told)} == {("label_created", "label_created")}


# a parcel that changes hands


def test_a_code_is_read_by_the_label_that_counted_then() -> None:
    told = (labelled(1), coded(5, key="a"), labelled(8, carrier="YTO", number="N2"), coded(9, key="b"))
    assert {tuple(statuses(*order)) for order in permutations(told)} == {("picked_up", "label_created")}


def test_a_code_that_loses_its_meaning_takes_back_what_it_named() -> None:
    known = Given(*ORDER, labelled(9), coded(5))
    assert known.parcel().meaning.fulfillment_ids == ("F",)
    known.hear(labelled(1, carrier="ZTO", number="N0"))
    assert known.parcel().meaning.fulfillment_ids == ()
    assert known.parcel().meaning.possessed is None


def test_a_scan_that_moves_away_takes_the_carrier_that_it_named_with_it() -> None:
    known = Given(coded(5), scanned(6, carrier="SF", key="moves"))
    assert [one.status for one in known.parcel().facts.of(ParcelScanned)] == ["picked_up", "picked_up"]
    known.intake._parcel("P", (ParcelScanMoved(source="/s", id="moves"),))
    assert [one.status for one in known.parcel().facts.of(ParcelScanned)] == [None]


def test_what_is_in_the_box_stays_known_when_a_code_is_read_again() -> None:
    told = (packed(1, "P", piece()), coded(5, order_ids=("Q",)), labelled(7))
    assert {Given(*order).parcel().meaning.order_ids for order in permutations(told)} == {("O", "Q")}


# the law: by a table, in any order of arrival, the findings of the oracle


TABLE = {("sf", "50"): "picked_up", ("yto", "50"): "label_created", ("sf", "80"): "delivered", ("yto", "80"): "lost"}
_CODES = st.sampled_from(("50", "80", "99"))
_HOURS = st.integers(1, 40)
_CARRIERS = st.sampled_from(("sf", "yto", "zto"))
_SAID = st.one_of(
    st.tuples(st.just("code"), _HOURS, _CODES),
    st.tuples(st.just("own"), _HOURS, _CODES, _CARRIERS),
    st.tuples(st.just("scan"), _HOURS, st.sampled_from(("in_transit", "unknown")), _CARRIERS),
    st.tuples(st.just("label"), _HOURS, _CARRIERS),
)


def _told(number: int, kind: str, hour: int, *words: str) -> dict[str, Any]:
    """Tell of parcel P, which holds fulfilment F."""
    data: dict[str, Any] = {"parcel_id": "P", "fulfillment_ids": ["F"]}
    if kind == "label":
        return event("parcel.labelled", hour, key=f"{number}", carrier=words[0], tracking_number=f"N{number}", **data)
    data |= {"status": words[0]} if kind == "scan" else {"raw_code": words[0]}
    return event("parcel.scanned", hour, key=f"{number}", **data, **({"carrier": words[1]} if words[1:] else {}))


@given(st.lists(_SAID, min_size=1, max_size=6), st.data())
def test_in_any_order_of_arrival_codes_give_the_findings_of_the_oracle(said: list[Any], data: st.DataObject) -> None:
    world = [placed(0), requested(0, ship_by=20), *(_told(n, *one) for n, one in enumerate(said))]
    world.append(event("feed.heartbeat", 999))
    arrival = data.draw(st.permutations(world))
    with memory_log() as log:
        tracker = Tracker(log, adopt(log, 'allowed_lateness = "90d"\n[kinds]\nenabled = ["late_shipment"]', at(0)))
        run(map(_written, arrival), tracker, Translator({}, TABLE), LATER, data.draw(st.integers(1, 4)))
        kept = [one.finding for one in final(log) if one.state != "retracted"]
    wanted = oracle_found("late_shipment", *understood(world, TABLE))
    assert [(one.subject, hours(one.due_at), hours(one.ended_at)) for one in kept] == wanted


def _written(one: dict[str, Any]) -> bytes:
    return orjson.dumps(one)
