"""What we knew at a time, and by which rule: two times on every entry, in the order in which it was learnt."""

import pytest

from api.tokens import Token
from domain.history.log import decode
from domain.instant import iso
from tests.api.staffed import Desked
from tests.projections.test_worklist import late
from tests.story import at, labelled, packed, piece, placed, requested, scanned

LATE = f"/v1/incidents/{late('')}/history"


@pytest.fixture
def shop(told):
    """Let F be due at 20, look at 21, acknowledge at 22, and hear at 23 of a scan that was at 19."""
    made = Desked(told)
    hear(told, 3, placed(0), requested(1, ship_by=20), packed(2, "P", piece()), labelled(2.5))
    told.desk.tracker.tick(at(20.5), at=at(21))
    told.follow()
    made.now = at(22)
    assert made.post(f"/v1/incidents/{late('')}/acknowledge", {}).status_code == 200
    hear(told, 23, scanned(19))
    return made


def hear(told, when, *said):
    """Take messages in at a time, and let the views follow."""
    batch = told.desk.batch(*said)._replace(received_at=at(when))
    told.desk.tracker.take(batch, at(min(when, 20.5)))
    told.follow()


def known(shop, path, **params):
    answer = shop.read(path, **params)
    return answer.get("timeline", answer.get("history"))


def test_an_order_s_history_gives_both_times_in_the_order_in_which_it_was_learnt(shop):
    told = known(shop, "/v1/orders/O/history")
    assert [(one["type"], one["at"], one["recorded_at"]) for one in told] == [
        ("order.placed.v1", iso(at(0)), iso(at(3))),
        ("fulfillment.requested.v1", iso(at(1)), iso(at(3))),
        ("parcel.packed.v1", iso(at(2)), iso(at(3))),
        ("parcel.labelled.v1", iso(at(2.5)), iso(at(3))),
        ("finding.opened.v1", iso(at(20)), iso(at(21))),
        ("parcel.scanned.v1", iso(at(19)), iso(at(23))),
        ("finding.retracted.v1", iso(at(20)), iso(at(23))),
    ]


def test_what_a_rule_said_names_the_rule_the_policy_and_its_proof_and_a_fact_none(shop):
    for one in known(shop, "/v1/orders/O/history"):
        if not one["type"].startswith("finding."):
            assert (one["rule"], one["policy"], one["proof"]) == (None, None, None)
            continue
        [policy] = shop.told.desk.tracker.policies
        assert one["rule"] == "ship_by"
        assert one["policy"] == policy.policy.hash
        assert one["proof"], "a finding rests on something"
        assert one["about"]["known_up_to"] == iso(at(20.5))


def test_the_order_s_own_page_tells_the_same_in_the_order_of_the_world(shop):
    told = shop.read("/v1/orders/O")["timeline"]
    assert [one["type"] for one in told][4:] == ["parcel.scanned.v1", "finding.opened.v1", "finding.retracted.v1"]


def test_an_incident_that_opened_and_was_retracted_says_so_with_the_steps_of_staff_among_it(shop):
    told = known(shop, LATE)
    assert [(one["step"], one["by"], one["at"], one["recorded_at"]) for one in told][:3] == [
        ("opened", "rule", iso(at(20)), iso(at(21))),
        ("acknowledged", "li", iso(at(22)), iso(at(22))),
        ("retracted", "rule", iso(at(20)), iso(at(23))),
    ]
    opened, acknowledged, retracted = told[:3]
    assert opened["rule"] == retracted["rule"] is not None
    assert opened["policy"] == retracted["policy"] is not None
    assert opened["proof"] == retracted["proof"] != []
    assert (acknowledged["rule"], acknowledged["policy"], acknowledged["proof"]) == (None, None, None)
    assert opened["detail"]["due_at"] == iso(at(20))


def test_an_incident_that_ended_says_when_and_when_we_knew(told):
    shop = Desked(told)
    hear(told, 3, placed(0), requested(1, ship_by=20))
    told.desk.tracker.tick(at(30), at=at(31))
    hear(told, 41, scanned(40))
    steps = [(one["step"], one["at"], one["recorded_at"], one["detail"]["ended_at"]) for one in known(shop, LATE)]
    assert steps[0] == ("opened", iso(at(20)), iso(at(31)), None)
    assert steps[-1] == ("ended", iso(at(40)), iso(at(41)), iso(at(40)))


@pytest.mark.parametrize(
    ("when", "types"),
    [
        (2.9, []),
        (3, ["order.placed.v1", "fulfillment.requested.v1", "parcel.packed.v1", "parcel.labelled.v1"]),
        (20.9, ["parcel.labelled.v1"]),
        (21, ["finding.opened.v1"]),
        (22.9, ["finding.opened.v1"]),
        (23, ["parcel.scanned.v1", "finding.retracted.v1"]),
    ],
)
def test_as_of_an_instant_a_history_tells_what_was_known_then(shop, when, types):
    told = [one["type"] for one in known(shop, "/v1/orders/O/history", as_of=iso(at(when)))]
    assert told[len(told) - len(types) :] == types
    assert (told == []) == (when < 3)


def test_as_of_an_instant_an_incident_s_history_ends_there(shop):
    steps = {when: [one["step"] for one in known(shop, LATE, as_of=iso(at(when)))] for when in (20.9, 21, 22, 23)}
    assert steps == {
        20.9: [],
        21: ["opened"],
        22: ["opened", "acknowledged"],
        23: ["opened", "acknowledged", "retracted"],
    }


def test_as_of_the_position_of_an_entry_it_and_what_came_with_it_is_the_last_that_is_told(shop):
    for path in ("/v1/orders/O/history", LATE):
        whole = known(shop, path)
        for one in whole:
            then = known(shop, path, as_of=one["position"])
            assert then == [each for each in whole if each["recorded_at"] <= one["recorded_at"]]


def test_a_parcel_that_was_not_yet_known_to_be_the_order_s_is_not_told_of(told):
    shop = Desked(told)
    hear(told, 3, placed(0), requested(1, ship_by=20))
    hear(told, 4, labelled(2))
    hear(told, 6, packed(1, "P", piece()))
    types = [[one["type"] for one in known(shop, "/v1/orders/O/history", as_of=iso(at(when)))] for when in (5, 6)]
    assert "parcel.labelled.v1" not in types[0]
    assert {"parcel.labelled.v1", "parcel.packed.v1"} <= set(types[1])


@pytest.mark.parametrize("as_of", ["yesterday", "2026-03-01T14:05:00", "", "2026-13-01T00:00:00Z"])
def test_what_is_neither_an_instant_nor_a_position_is_refused_by_name(shop, as_of):
    for path in ("/v1/orders/O/history", LATE):
        answer = shop.get(path, as_of=as_of)
        assert (answer.status_code, answer.json()["errors"][0]["where"]) == (422, "query.as_of")


def test_a_position_of_another_log_is_refused(shop):
    answer = shop.get(LATE, as_of=str(Token("0" * 12, 0, 1)))
    assert (answer.status_code, answer.json()["type"]) == (410, "/problems/unknown_position")


def test_a_look_of_the_ticker_says_how_much_had_been_read_and_when_it_was(shop):
    store = shop.told.log.store
    written = [decode(row.topic, row.state) for row in store.select_rows(0, 500, ("tick.fired.v1",))]
    assert [(one.until, one.at) for one in written] == [(at(20.5), at(21))]
