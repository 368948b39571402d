"""Properties: what must hold for any facts in any order, however odd."""

from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from consumers.rules import check
from consumers.translate import FACTS, WRITTEN
from domain.detection import Detector
from domain.detectors import DETECTORS
from domain.events import Event, Fact
from domain.history.log import EVENTS, Row, decode, encode
from domain.history.streams import Streams, Work
from domain.instant import FOREVER
from domain.intake.intake import Intake
from domain.judging.adoption import Adopted
from domain.judging.judgement import Judgement
from domain.judging.sight import Heard
from domain.naming import stream
from domain.orders import order
from domain.parcels import events as parcel_events
from domain.parcels import link, parcel
from domain.policies.policy import Policy, load
from tests.domain.drawn import LAST, facts, instants, of, untils, worlds
from tests.story import DAWN, Given, incoming_of, written

POLICIES = [
    load(f'[late_shipment]\npromise = "{promise}"\napproval = "{approval}"')
    for promise in ("agreed", "original", "latest")
    for approval in ("implied", "required")
]
UNTOLD = {"derived", "from_facts", "from_packing", "_meaning"}
"""What is worked out anew and not kept."""
policies = st.sampled_from(POLICIES)
_HEARD = Heard(lambda: dict.fromkeys(("/a", "/b", "/s"), FOREVER))
"""Every feed that is drawn speaks; which rules wait for which is for test_silent_feed."""
ODD = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def judged(known: Given) -> list[tuple[Detector[Any], Any]]:
    """Give every subject that was touched, with each rule over it."""
    subjects = [(name.partition("-")[0], known.work.state(name)) for name in known.work.used]
    return [(detector, state) for kind, state in subjects for detector in DETECTORS.get(kind, ())]


@ODD
@given(worlds, untils, policies)
def test_folding_and_judging_never_raise(world: list[Fact], until: int, policy: Policy) -> None:
    for detector, one in judged(Given(*world)):
        detector.look(one, until, policy)


@ODD
@given(worlds)
def test_hearing_everything_again_in_any_order_changes_nothing(world: list[Fact]) -> None:
    known = Given(*world)
    before = len(known.work.pending)
    known.hear(*reversed(world), *world)
    assert len(known.work.pending) == before


@ODD
@given(worlds)
def test_deciding_twice_is_deciding_once(world: list[Fact]) -> None:
    parcels, orders = parcel.Parcel("1"), order.Order("1")
    for one in world:
        if isinstance(one, parcel_events.FACTS):
            _decided_once(parcel, parcels, one)
        else:
            _decided_once(order, orders, one)


def _decided_once(aggregate: Any, state: Any, heard: Fact) -> None:
    for event in aggregate.decide(state, heard):
        aggregate.evolve(state, event)
    assert aggregate.decide(state, heard) == ()


@ODD
@given(worlds)
def test_reading_a_stream_back_gives_the_state_that_wrote_it(world: list[Fact]) -> None:
    known = Given(*world)
    stored: dict[str, list[Event]] = {}
    for one in known.work.pending:
        stored.setdefault(one.originator_id, []).append(decode(one.body.TOPIC, encode(one.body)))
    for name, events in stored.items():
        live = known.work.stream(name)
        again = Streams(_Rows(name, events), 9).get(name)  # type: ignore[arg-type]  # all that reading needs
        assert again.version == live.version
        assert _shown(again.state) == _shown(live.state)


class _Rows:
    def __init__(self, name: str, events: list[Event]) -> None:
        self.rows = [(name, number, event) for number, event in enumerate(events, 1)]

    def select_streams(self, _names: list[str]) -> list[Any]:
        return [Row(0, name, number, event.TOPIC, encode(event)) for name, number, event in self.rows]


def _shown(state: Any) -> dict[str, Any]:
    shown = {name: getattr(state, name) for name in type(state).__slots__ if name not in UNTOLD}
    shown["meaning"] = getattr(state, "meaning", None)
    facts_of = shown.pop("facts", None)
    if facts_of is not None:
        shown |= {kind.TOPIC: list(facts_of.of(kind)) for kind in (*order.FACTS, *parcel_events.FACTS)}
    return shown


# Rule and timer


@ODD
@given(worlds, untils, policies)
def test_a_rule_never_asks_to_be_looked_at_in_the_past(world: list[Fact], until: int, policy: Policy) -> None:
    for detector, one in judged(Given(*world)):
        again = detector.look(one, until, policy).again
        assert again is None or until <= again <= FOREVER


@ODD
@given(worlds, untils, untils, policies)
def test_a_finding_appears_exactly_when_time_passes_the_instant_that_was_asked_for(
    world: list[Fact], one_time: int, other: int, policy: Policy
) -> None:
    before, after = sorted((one_time, other))
    for detector, one in judged(Given(*world)):
        look, later = detector.look(one, before, policy), detector.look(one, after, policy)
        assert {finding.key for finding in look.findings} <= {finding.key for finding in later.findings}
        assert (look.findings != later.findings) == (look.again is not None and look.again < after)
        if look.again is not None:
            assert detector.look(one, look.again, policy).findings == look.findings
            assert detector.look(one, look.again + 1, policy).findings != look.findings


@ODD
@given(
    worlds, st.lists(untils, min_size=2, max_size=2), st.lists(st.tuples(policies, instants), min_size=1, max_size=3)
)
def test_under_several_policies_nothing_becomes_due_that_was_not_asked_for(
    world: list[Fact], times: list[int], adopted: list[tuple[Policy, int]]
) -> None:
    terms = [Adopted(since, policy) for policy, since in sorted(adopted, key=lambda pair: pair[1])]
    assume(len({term.since for term in terms}) == len(terms))
    terms[0] = Adopted(-FOREVER, terms[0].policy)
    before, after = sorted(times)
    known = Given(*world)
    for name in (name for name in known.work.used if name.partition("-")[0] in DETECTORS):
        verdict, later = (Judgement(terms).of(name, known.work.state(name), until, _HEARD) for until in (before, after))
        if len(later.events) > len(verdict.events):
            assert verdict.again is not None
            assert verdict.again < after


@ODD
@given(worlds, untils, policies)
def test_every_finding_is_whole(world: list[Fact], until: int, policy: Policy) -> None:
    refs = {one.stamp.ref for one in world}
    for detector, one in judged(Given(*world)):
        found = detector.look(one, until, policy).findings
        assert len({finding.key for finding in found}) == len(found)
        for finding in found:
            assert finding.kind == detector.kind
            assert finding.since <= finding.due_at < until
            assert finding.knowable_at is None or finding.due_at < finding.knowable_at
            assert finding.ended_at is None or finding.ended_at > finding.due_at
            assert finding.proof
            assert set(finding.proof) <= refs
            assert finding.order_ids
            assert list(finding.order_ids) == sorted(set(finding.order_ids))
            if detector.kind != "overdue_parcel":  # shown to nobody
                assert finding.detail["cleared_by"]
                assert finding.detail.get("ended_by", next(iter(refs))) in refs
                assert (finding.ended_at is None) == ("ended_by" not in finding.detail)


# Order of arrival


@ODD
@given(worlds, st.randoms(use_true_random=False))
def test_any_order_of_hearing_gives_the_same_findings(world: list[Fact], chance: Any) -> None:
    unique = list({(one.source, one.id): one for one in world}.values())
    shuffled = list(unique)
    chance.shuffle(shuffled)
    assert _found(Given(*unique)) == _found(Given(*shuffled))


def _found(known: Given) -> dict[Any, Any]:
    found = {(detector.kind, one.id): detector.look(one, LAST, POLICIES[0]).findings for detector, one in judged(known)}
    return {name: findings for name, findings in found.items() if findings}


# Bytes


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.TOPIC)
@settings(ODD, max_examples=10)
@given(st.data())
def test_an_event_s_bytes_give_the_event_back(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(of(kind) if issubclass(kind, Fact) else _any(kind))
    assert decode(kind.TOPIC, encode(event)) == event


def _any(kind: type[Event]) -> st.SearchStrategy[Any]:
    """Draw an event by the types of its members; instants in the calendar, text without lone surrogates."""
    whole = st.integers(-(2**62), 2**62)
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    detail = st.dictionaries(text, text | whole | st.none() | st.dictionaries(text, whole, max_size=2), max_size=3)
    return st.builds(kind, **_typed(kind, {int: whole, str: text, dict: detail}))


def _typed(kind: Any, by_type: dict[Any, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    names = getattr(kind, "__struct_fields__", None) or kind._fields
    return {name: _drawn(hints[name], by_type) for name in names}


def _drawn(hint: Any, by_type: dict[Any, Any]) -> st.SearchStrategy[Any]:
    origin, args = get_origin(hint), get_args(hint)
    if type(None) in args:
        return st.none() | _drawn(next(arg for arg in args if arg is not type(None)), by_type)
    if origin is tuple and args[-1] is not Ellipsis:
        return st.tuples(*(_drawn(arg, by_type) for arg in args))
    if origin is tuple:
        return st.lists(_drawn(args[0], by_type), max_size=3).map(tuple)
    if origin is dict and args != (str, Any):
        return st.dictionaries(_drawn(args[0], by_type), _drawn(args[1], by_type), max_size=3)
    if hasattr(hint, "__struct_fields__") or hasattr(hint, "_fields"):
        return of(hint) if issubclass(hint, Fact) else st.builds(hint, **_typed(hint, by_type))
    key = origin or hint
    return by_type[key] if key in by_type else st.from_type(hint)


@ODD
@given(facts())
def test_a_fact_goes_out_as_a_message_and_comes_in_as_itself(one: Fact) -> None:
    assume(one.at >= DAWN - 10**15)
    try:
        check(one)
    except ValueError:
        assume(condition=False)
    empty = {"OrderPlaced": "lines", "ParcelPacked": "contents"}.get(type(one).__name__)
    assume(empty is None or getattr(one, empty))
    assume(getattr(one, "price", "") is not None)  # as logs of before have it
    assume(b"\\u0000" not in written(one))  # text with NUL is refused, see test_bad_input
    incoming = incoming_of(written(one), now=LAST)
    ours: dict[str, Any] = dict.fromkeys(WRITTEN.intersection(one.__struct_fields__), ())
    assert msgspec.structs.replace(incoming.content, via="") == msgspec.structs.replace(one, **ours)  # type: ignore[type-var]  # a fact


# Every fact has its place


@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.TOPIC)
@settings(ODD, max_examples=5)
@given(st.data())
def test_every_fact_of_the_contract_is_taken_in_and_kept(kind: type[Fact], data: st.DataObject) -> None:
    one = data.draw(facts((kind,)))
    work = Work(Streams(_Rows("x", []), 99))  # type: ignore[arg-type]  # all that reading needs
    Intake(work).take(one)
    stored = [recorded.body for recorded in work.pending]
    held = [getattr(body, "scan", getattr(body, "label", body)) for body in stored]
    assert (one in held) == (kind.TOPIC != "feed.heartbeat.v1")


def test_the_link_streams_have_no_facts_of_their_own() -> None:
    assert not any(issubclass(event, Fact) for event in link.EVENTS)
    assert stream("tracking", "SF", "N") != stream("tracking", "S", "FN")
