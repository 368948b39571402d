"""Numbers of the service team's work, and what no rule saw coming."""

import pytest

from domain.history.log import decode
from domain.incidents.commands import Acknowledge, Contact, Dismiss, Resolve
from domain.instant import HOUR
from projections import summary
from projections.summary import FalseAlarms, Foreseen, Span
from tests.projections.staffed import do, rebuilt
from tests.projections.test_worklist import late, late_order
from tests.story import at, complained, packed, piece, placed, scanned

ALL = Span(at(0), at(999))


@pytest.fixture
def desk(told):
    for name in "1234":
        late_order(told, name, f"C{name}", sales_channel="app" if name == "1" else "web")
    told.come(30)
    return told


def told_by(desk, span=ALL):
    with desk.store.reading() as rows:
        return summary.summary(rows, span, "UTC")


def test_nothing_is_nothing(told):
    found = told_by(told).whole
    assert (found.incidents, found.first_response, found.contacted_or_complained) == (0, None, 0)


def test_times_are_medians_from_detection_on(desk):
    for name, when in (("1", 31), ("2", 33), ("3", 38)):
        do(desk, late(name), Acknowledge(by="li"), when)
    do(desk, late("1"), Resolve(by="li"), 40)
    do(desk, late("4"), Dismiss(by="li", why="by hand"), 40)
    whole = told_by(desk).whole
    assert (whole.incidents, whole.resolved, whole.dismissed) == (4, 1, 1)
    assert whole.first_response == 5.5 * HOUR, "known at 30: after 1, 3, 8 and 10 hours"
    assert whole.handling == 10 * HOUR
    rebuilt(desk)


def test_what_the_world_ended_counts_as_settled_and_numbers_are_split(desk):
    desk.hear(scanned(36, "P1", fulfillment_ids=("F1",)), until=40)
    found = told_by(desk)
    assert (found.whole.resolved, found.whole.handling) == (1, 6 * HOUR)
    assert {key: one.incidents for key, one in found.by["channel"].items()} == {"app": 1, "web": 3}
    assert {key: one.resolved for key, one in found.by["kind"].items()} == {"late_shipment": 1}
    assert list(found.by["day"]) == ["2026-03-01"]
    assert list(found.by["warehouse"]) == ["W"]
    assert found.by["carrier"] == {}


def test_only_what_came_due_in_the_span_counts(desk):
    assert told_by(desk, Span(at(20), at(21))).whole.incidents == 4
    assert told_by(desk, Span(at(20.1), at(99))).whole.incidents == 0


def test_who_heard_first_and_how_long_before_the_complaint_it_was_known(desk):
    do(desk, late("1"), Contact(by="li", channel="phone", outcome="reached"), 31)
    do(desk, late("2"), Contact(by="li", channel="phone", outcome="no_answer"), 31)
    do(desk, late("2"), Contact(by="li", channel="phone", outcome="reached"), 37)
    desk.hear(
        complained(34, "K1", key="k1", order_id="O1", category="late"),
        complained(36, "K2", key="k2", order_id="O2", category="late"),
        until=36.5,
    )
    found = told_by(desk)
    late_ones = found.by["kind"]["late_shipment"]
    assert (late_ones.contacted_first, late_ones.contacted_or_complained) == (1, 2)
    assert late_ones.lead == 5 * HOUR
    assert found.foreseen == Foreseen(2, 2, 5 * HOUR)
    assert found.blind == []
    rebuilt(desk)


def test_a_rules_false_alarms_are_those_that_staff_called_wrong(desk):
    do(desk, late("1"), Dismiss(by="li", why="by hand"), 40)
    rule = desk.query("SELECT DISTINCT rule FROM incidents")[0][0]
    assert told_by(desk).false_alarms == [FalseAlarms("late_shipment", rule, 4, 1)]


def blind(told):
    return {one.complaint_id: one for one in summary.blind_spots(told.log.store, told_by(told).blind)}


def topic_at(told, position):
    [row] = told.log.store.select_rows(position - 1, 1)
    return row.topic, decode(row.topic, row.state)


def test_a_complaint_that_nothing_foresaw_names_the_first_fact_that_could_have(told):
    told.hear(placed(0), until=1)
    told.hear(packed(2, "P", piece()), scanned(3, order_ids=("O",)), until=4)
    told.hear(
        complained(5, "K1", key="k1", order_id="O", category="missing_item"),
        complained(5, "K2", key="k2", order_id="O", category="not_received"),
        complained(5, "K3", key="k3", order_id="O", category="late"),
        complained(5, "K4", key="k4", category="late"),
        until=5.5,
    )
    found = blind(told)
    assert set(found) == {"K1", "K2", "K3", "K4"}
    topic, event = topic_at(told, found["K1"].could_have_at)
    assert (topic, event.packed is not None) == ("order.parcel_changed.v1", True)
    topic, event = topic_at(told, found["K2"].could_have_at)
    assert (topic, event.possessed is not None) == ("order.parcel_changed.v1", True)
    assert (found["K3"].could_have_at, found["K4"].could_have_at) == (None, None), "no date was ever promised"
    assert topic_at(told, found["K1"].position)[0] == "complaint.opened.v1"


def test_a_finding_of_another_trouble_or_a_later_one_foresees_nothing(desk):
    desk.hear(complained(25, "K1", key="k1", order_id="O1", category="late"), until=31)
    desk.hear(complained(32, "K2", key="k2", order_id="O2", category="damaged"), until=33)
    assert set(blind(desk)) == {"K1", "K2"}
    assert topic_at(desk, blind(desk)["K1"].could_have_at)[0] == "fulfillment.requested.v1"
