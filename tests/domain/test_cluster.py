"""Clusters: when troubles of one cause are no chance, whom they reach, and who can still be saved."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.detection import Finding, FindingOpened, Look
from domain.detectors import mis_shipment_cluster, product_defect
from domain.events import Stamp
from domain.groups.chance import MEASURED, Usual, likelihood
from domain.groups.cluster import (
    Cluster,
    ClusterChange,
    ClusterClosed,
    ClusterMemberChanged,
    ClusterReachCounted,
    ClusterScopeChanged,
    decide,
    evolve,
    subject,
)
from domain.instant import FOREVER, HOUR
from domain.policies.policy import DEFAULT, load
from domain.severity import Stake
from tests.draws import draws

NEVER_BEFORE = ClusterScopeChanged(sku="TEA", usual_orders=10_000, usual_troubles=9)


def stamp(hour: float, name: str = "x") -> Stamp:
    return Stamp(int(hour * HOUR), "/shop", name)


def exposed(name: str, since: float = 0, **said: Any) -> ClusterMemberChanged:
    return ClusterMemberChanged(member=f"P{name}", order_id=f"O{name}", since=int(since * HOUR), **said)


def proven(name: str, hour: float, since: float = 0, **said: Any) -> ClusterMemberChanged:
    told = {"proven": stamp(hour, name), "proof": (f"/shop#{name}",), **said}
    return exposed(name, since, **told)


def cluster(*events: ClusterChange, identity: str = "binding-TEA:W:3") -> Cluster:
    state = Cluster(identity)
    for event in events:
        for new in decide(state, event):
            evolve(state, new)
    return state


def found(*events: ClusterChange, until: float = 999, identity: str = "binding-TEA:W:3") -> tuple[Finding, ...]:
    detector = mis_shipment_cluster if identity.startswith("binding") else product_defect
    return detector.findings(cluster(*events, identity=identity), int(until * HOUR), DEFAULT)


def spells(*events: ClusterChange, until: float = 999) -> list[tuple[float, float | None]]:
    ends = [(one.due_at / HOUR, one.ended_at) for one in found(*events, until=until)]
    return [(due, None if end is None else end / HOUR) for due, end in ends]


THREE = (proven("a", 10), proven("b", 11), proven("c", 20))


def test_the_first_trouble_dates_it_and_the_one_that_completes_it_makes_it_known() -> None:
    [one] = found(*THREE)
    assert (one.due_at, one.since, one.knowable_at) == (10 * HOUR, 10 * HOUR, 20 * HOUR)
    assert spells(*THREE, until=20) == []
    assert spells(*THREE, until=20.001) == [(10, None)]


def test_troubles_further_apart_than_the_window_are_not_counted_together() -> None:
    assert spells(proven("a", 0), proven("b", 50), proven("c", 72)) == [(0, None)]
    assert spells(proven("a", 0), proven("b", 50), proven("c", 72.001)) == []
    assert spells(proven("a", 0), proven("b", 50), proven("c", 80), proven("d", 90)) == [(50, None)]


def test_one_customer_with_many_complaints_is_no_cluster() -> None:
    several = [proven(str(n), n, customer_id="C") for n in range(9)]
    assert spells(*several) == []
    assert spells(*several, proven("x", 9, customer_id="D"), proven("y", 10)) == [(0, None)]


def test_one_order_in_many_parcels_is_no_cluster() -> None:
    parcels = [msgspec.structs.replace(proven(str(n), n), order_id="O") for n in range(9)]
    assert spells(*parcels) == []


def test_a_customer_who_left_the_window_is_forgotten_only_when_all_of_theirs_have() -> None:
    first = [proven("a", 0, customer_id="C"), proven("b", 50, customer_id="C")]
    assert spells(*first, proven("c", 80), proven("d", 100)) == [(50, None)]


def test_a_best_seller_with_its_share_of_complaints_is_no_cluster() -> None:
    troubles = [proven(str(n), n, since=n) for n in range(5)]
    usual = ClusterScopeChanged(sku="TEA", usual_orders=10_000, usual_troubles=100)
    sold = ClusterReachCounted(up_to=HOUR, orders=1000)
    assert found(usual, sold, *troubles, identity="defect-TEA") == ()
    [one] = found(usual, ClusterReachCounted(up_to=HOUR, orders=20), *troubles, identity="defect-TEA")
    # At 101 in 10,002, three of 23 orders may well be chance; four of 24 are not.
    assert (one.knowable_at, one.detail["likelihood"]) == (3 * HOUR, "9.4e-05")


def test_silent_orders_of_a_binding_are_weighed_too() -> None:
    usual = ClusterScopeChanged(sku="TEA", usual_orders=10_000, usual_troubles=100)
    silent = [exposed(f"s{n}") for n in range(1000)]
    assert found(usual, *THREE, *silent) == ()
    assert len(found(usual, *THREE, *silent[:10])) == 1


def test_orders_reached_only_later_or_long_before_are_not_weighed() -> None:
    usual = ClusterScopeChanged(sku="TEA", usual_orders=10_000, usual_troubles=100)
    elsewhere = [exposed(f"s{n}", since=-1 if n % 2 else 20.5) for n in range(2000)]
    other_days = [ClusterReachCounted(up_to=day, orders=1000) for day in (-1, 20 * HOUR + 1)]
    assert len(found(usual, *THREE, *elsewhere, *other_days)) == 1


@pytest.mark.parametrize("orders", [0, MEASURED - 1])
def test_where_nobody_knows_what_is_usual_the_minimum_decides(orders: int) -> None:
    usual = ClusterScopeChanged(sku="TEA", usual_orders=orders, usual_troubles=orders)
    [one] = found(usual, *THREE)
    assert "likelihood" not in one.detail


def test_significance_is_policy() -> None:
    state = cluster(NEVER_BEFORE, *THREE)
    strict = load("[cluster]\nsignificance = 1e-12")
    assert mis_shipment_cluster.findings(state, FOREVER, strict) == ()
    assert len(mis_shipment_cluster.findings(state, FOREVER, DEFAULT)) == 1


def test_likelihood_is_the_exact_upper_tail() -> None:
    usual = Usual(998, 249)
    assert usual.rate == 0.25
    assert likelihood(2, 3, usual) == pytest.approx(3 * 0.25**2 * 0.75 + 0.25**3)
    assert likelihood(0, 3, usual) == 1.0
    assert likelihood(5, 3, usual) == pytest.approx(0.25**5)


def test_everybody_is_named_and_those_who_can_be_saved_come_first() -> None:
    began = ClusterScopeChanged(sku="TEA", warehouse_id="W", began=stamp(-1, "binding"))
    members = (
        exposed("home", 1, shipped_at=2, delivered_at=3),
        exposed("way", 2, shipped_at=2, parcel_id="Pway"),
        exposed("shelf", 3),
        exposed("early", 2),
        exposed("cancelled", 2, settled=stamp(5)),
    )
    [one] = found(began, *THREE, *members)
    assert one.detail["ranked"] == ["Oa", "Ob", "Oc", "Oearly", "Oshelf", "Oway", "Ohome"]
    assert one.detail["stages"] == {"not_shipped": 5, "in_transit": 1, "delivered": 1}
    assert (one.detail["proven"], one.detail["silent"]) == (["Oa", "Ob", "Oc"], 5)
    assert one.order_ids == tuple(sorted(["Oa", "Ob", "Oc", "Ohome", "Oway", "Oshelf", "Oearly", "Ocancelled"]))
    assert (one.subject, one.sku, one.warehouse_id) == ("TEA:W:3", "TEA", "W")
    assert one.proof == ("/shop#binding", "/shop#a", "/shop#b", "/shop#c")
    assert one.detail["onset"] == {"at": "1969-12-31T23:00:00Z", "event": "/shop#binding"}


def test_a_defect_names_the_silent_ones_from_the_first_spoilt_order_on() -> None:
    silent = (exposed("before", since=-1), exposed("since", since=0))
    [one] = found(*THREE, *silent, identity="defect-TEA:LOT-1")
    assert (one.kind, one.subject, one.order_ids) == ("product_defect", "TEA:LOT-1", ("Oa", "Ob", "Oc", "Osince"))
    assert one.detail["silent"] == 1


def test_it_weighs_by_its_members() -> None:
    [one] = found(*THREE, *(exposed(f"s{n}", stake=Stake("2000", None)) for n in range(27)))
    assert one.detail["severity"] == {"members": 2, "money": 1}


def test_staff_end_it_and_what_comes_later_is_another() -> None:
    closed = ClusterClosed(closed=stamp(30, "closed"))
    [one] = found(*THREE, closed)
    assert (one.ended_at, one.detail["ended_by"]) == (30 * HOUR, "/shop#closed")
    assert spells(*THREE, closed, proven("d", 31), proven("e", 32)) == [(10, 30)]
    assert spells(*THREE, closed, *(proven(name, 40) for name in "def")) == [(10, 30), (40, None)]


def test_a_closing_before_it_was_known_ends_nothing() -> None:
    assert spells(*THREE, ClusterClosed(closed=stamp(15, "closed"))) == []


def test_what_ended_at_the_instant_it_began_was_never_one() -> None:
    at_once = [proven(name, 10) for name in "abc"]
    replaced = ClusterScopeChanged(sku="TEA", replaced=stamp(5, "next"))
    assert spells(replaced, *at_once) == []
    assert spells(*at_once, ClusterClosed(closed=stamp(10, "zzz"))) == []


def test_a_replaced_binding_ends_it_once_no_exposed_order_is_left() -> None:
    replaced = ClusterScopeChanged(sku="TEA", replaced=stamp(40, "next"))
    silent, settled = exposed("s"), exposed("t", settled=stamp(50, "cancelled"))
    assert spells(replaced, *THREE) == [(10, 40)]
    assert spells(replaced, *THREE, silent) == [(10, None)]
    assert spells(replaced, *THREE, settled) == [(10, 50)]
    assert spells(ClusterScopeChanged(sku="TEA"), *THREE, settled) == [(10, None)]
    early = ClusterScopeChanged(sku="TEA", replaced=stamp(5, "next"))
    assert spells(early, *THREE) == [(10, 20)]


def test_each_rule_looks_at_its_own_causes() -> None:
    binding, defect = cluster(*THREE), cluster(*THREE, identity="defect-TEA")
    assert product_defect.DETECTOR.look(binding, FOREVER, DEFAULT) == Look((), None)
    assert mis_shipment_cluster.DETECTOR.look(defect, FOREVER, DEFAULT) == Look((), None)


def test_what_is_known_is_recorded_once() -> None:
    events: Sequence[ClusterChange] = (
        *THREE,
        NEVER_BEFORE,
        ClusterReachCounted(up_to=0, orders=3),
        ClusterClosed(closed=stamp(3)),
    )
    state = cluster(*events)
    assert [decide(state, event) for event in events] == [()] * len(events)
    gone = msgspec.structs.replace(THREE[0], gone=True)
    assert decide(state, gone) == (gone,)
    assert decide(evolve(state, gone), gone) == ()


def test_it_is_worked_out_once_and_findings_disturb_nothing() -> None:
    state = cluster(*THREE)
    [one] = mis_shipment_cluster.findings(state, FOREVER, DEFAULT)
    evolve(state, FindingOpened(finding=one, known_up_to=0))
    assert mis_shipment_cluster.findings(state, FOREVER, DEFAULT)[0] is one
    evolve(state, proven("d", 21))
    assert mis_shipment_cluster.findings(state, FOREVER, DEFAULT)[0].order_ids == ("Oa", "Ob", "Oc", "Od")


def test_members_proven_by_one_event_are_in_a_fixed_order() -> None:
    same = [msgspec.structs.replace(proven(name, 10), proven=stamp(10)) for name in "abc"]
    assert found(*same) == found(*reversed(same))


@pytest.mark.parametrize("parts", [("A:B", "C"), ("A", "B:C"), ("A%3AB", "C")])
def test_no_two_subjects_are_named_alike(parts: tuple[str, ...]) -> None:
    others = {("A:B", "C"), ("A", "B:C"), ("A%3AB", "C"), ("A", "B", "C")} - {parts}
    assert subject(*parts) not in {subject(*other) for other in others}


@st.composite
def histories(draw: st.DrawFn) -> list[ClusterChange]:
    hours = st.integers(0, 200)
    events: list[ClusterChange] = []
    for n in range(draw(st.integers(0, 12))):
        customer = draw(st.sampled_from((None, "C", "D", "E")))
        settled = draw(st.none() | hours.map(lambda hour: stamp(hour, "settled")))
        kind = draw(st.sampled_from((proven, proven, exposed)))
        told = {"customer_id": customer, "settled": settled}
        events.append(kind(str(n), draw(hours), **({"since": 0} | told if kind is proven else told)))
    events += [ClusterClosed(closed=stamp(draw(hours), f"closed{n}")) for n in range(draw(st.integers(0, 2)))]
    if draw(st.booleans()):
        replaced = draw(st.none() | hours.map(lambda hour: stamp(hour, "next")))
        orders, troubles = draw(st.sampled_from(((0, 0), (200, 2), (1000, 300))))
        events.append(ClusterScopeChanged(sku="TEA", replaced=replaced, usual_orders=orders, usual_troubles=troubles))
    return events


@settings(max_examples=draws(200), deadline=None)
@given(histories(), st.data(), st.integers(0, 210))
def test_arrival_order_repeats_and_the_time_of_looking_change_nothing(
    events: list[ClusterChange], data: st.DataObject, hour: int
) -> None:
    whole, until = cluster(*events), hour * HOUR
    other = cluster(*data.draw(st.permutations([*events, *events])))
    look = mis_shipment_cluster.DETECTOR.look(other, until, DEFAULT)
    assert look == mis_shipment_cluster.DETECTOR.look(whole, until, DEFAULT)
    then = FOREVER if look.again is None else look.again
    assert mis_shipment_cluster.findings(whole, then, DEFAULT) == look.findings
    if look.again is not None:
        assert len(mis_shipment_cluster.findings(whole, look.again + 1, DEFAULT)) > len(look.findings)


@settings(max_examples=draws(200), deadline=None)
@given(histories())
def test_the_opening_agrees_with_asking_every_pair_of_instants(events: list[ClusterChange]) -> None:
    """Where nothing was closed and nobody knows what is usual: any window with enough customers opens it."""
    plain = [one for one in events if isinstance(one, ClusterMemberChanged)]
    troubles = sorted((one.proven, one.customer_id or one.order_id) for one in plain if one.proven is not None)
    windows = (
        (last.at, first.at)
        for last, _ in troubles
        for first, _ in troubles
        if first <= last and last.at - first.at <= DEFAULT.cluster.window
        if len({who for at, who in troubles if first <= at <= last}) >= DEFAULT.cluster.minimum
    )
    expected = min(windows, default=None)
    outcome = [(one.knowable_at or one.due_at, one.due_at) for one in found(*plain)]
    assert outcome == ([] if expected is None else [expected])
