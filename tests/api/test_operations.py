import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api import health
from api.app import create_app
from api.contract.operations import Check
from api.metrics import METRICS
from domain.detection import incident_id
from domain.errors import Unreadable
from domain.feeds.frontier import SKEW
from domain.incidents.commands import Escalate
from domain.instant import iso
from domain.staff.desk import Case, Desk
from projections import VIEWS
from tests.projections.test_escalation_view import come
from tests.story import at, heartbeat, placed, requested

CANARY = "Li Lei 13912345678 lilei@example.com"


def test_feeds_show_sources_partitions_and_what_was_odd(shop):
    shop.told.hear(placed(0), heartbeat(7, "/w"), Unreadable("not_json", "?"))
    shop.known(9)
    feeds = shop.read("/v1/feeds")
    assert [(one["source"], one["last_event_at"], one["events"]) for one in feeds["sources"]] == [
        ("/s", iso(at(0)), 1),
        ("/w", iso(at(7)), 1),
    ]
    (partition,) = feeds["partitions"]
    assert (partition["topic"], partition["position"], partition["taken_up_to"]) == (
        "orders.events.v1",
        3,
        iso(at(9)),
    )
    assert feeds["quarantined"] == [{"name": "not_json", "source": None, "count": 1}]
    assert feeds["as_of"]["known_up_to"] == iso(at(9))


def test_projections_say_how_far_they_have_come(shop):
    shop.told.desk.take(placed(0))
    behind = {one["name"]: one["behind"] for one in shop.read("/v1/projections")["projections"]}
    assert set(behind) == {view.name for view in VIEWS}
    assert set(behind.values()) == {shop.told.log.store.last_position()}
    shop.told.follow()
    assert {one["behind"] for one in shop.read("/v1/projections")["projections"]} == {0}


def test_a_parked_stream_is_seen_by_everybody_without_what_it_says(shop):
    shop.late("1")
    with shop.told.store.writing() as rows:
        rows.execute("INSERT INTO parked VALUES ('incidents', 'order-O1', 3, 5, ?)", (f"ValueError('{CANARY}')",))
    (view,) = [one for one in shop.read("/v1/projections")["projections"] if one["parked"]]
    assert view["parked"][0]["stream"] == "order-O1"
    assert CANARY not in str(view)
    assert [one["stale"] for one in shop.read("/v1/incidents")["incidents"]] == [True]


def test_quarantine_shows_why_and_where_but_no_value(shop):
    message = (
        b'{"specversion":"1.0","id":"%s","source":"/shops/tmall","type":"order.placed.v9","time":"yesterday",'
        b'"data":{"customer":{"name":"%s"},"%s":[1,true,"%s"]}}'
    ) % ((CANARY.encode(),) * 4)
    shop.told.hear(message)
    (one,) = shop.read("/v1/quarantine")["messages"]
    assert (one["topic"], one["partition"], one["offset"], one["status"]) == ("orders.events.v1", 0, 0, "held")
    assert one["code"]
    assert one["shape"]["type"] == "order.placed.v9"
    assert one["shape"]["data"]["customer"] == {"name": "***"}
    for part in CANARY.split():
        assert part not in str(one)


@pytest.mark.parametrize("value", [b"\xff\xfe", b"[1]", b'"text"', b"", b"{" * 300])
def test_quarantine_shows_what_is_no_json_by_its_size_alone(shop, value):
    shop.told.hear(value)
    (one,) = shop.read("/v1/quarantine")["messages"]
    assert (one["shape"], one["size"]) == (None, len(value))


def test_a_silent_source_is_named_with_its_incident_until_it_speaks(shop):
    shop.told.hear(heartbeat(0, "/w"), heartbeat(4, "/s"))
    come(shop.told, 4.5)
    silence = {one["source"]: one["silence"] for one in shop.read("/v1/feeds")["sources"]}
    assert silence == {"/s": None, "/w": {"since": iso(at(2)), "incident": incident_id("feed_silent", "/w")}}
    shop.told.hear(heartbeat(5, "/w"))
    come(shop.told, 5.5)
    assert [one["silence"] for one in shop.read("/v1/feeds")["sources"]] == [None, None]


def test_quarantine_has_pages_and_states(shop):
    shop.told.hear(*[b"no json %d" % n for n in range(5)])
    first = shop.read("/v1/quarantine", limit=3)
    rest = shop.read("/v1/quarantine", limit=3, cursor=first["next"])
    assert [one["offset"] for one in first["messages"] + rest["messages"]] == [0, 1, 2, 3, 4]
    assert rest["next"] is None
    assert shop.read("/v1/quarantine", status="dropped")["messages"] == []


def test_ready_needs_views_that_keep_up_and_a_frontier_that_is_fresh(shop, monkeypatch):
    assert shop.get("/readyz").status_code == 503
    shop.told.hear(placed(0), requested(0, ship_by=20))
    shop.known(5)
    assert shop.read("/readyz")["ready"]
    assert shop.read("/readyz")["checks"][0]["detail"] == "0 positions behind the end of the log"
    shop.now = at(5) + (health.OLD + 5) * 1_000_000
    answer = shop.get("/readyz")
    assert answer.status_code == 503
    assert {one["name"]: one["ok"] for one in answer.json()["checks"]}["frontier"] is False
    shop.now = at(5)
    monkeypatch.setattr(health, "BEHIND", 0)
    shop.told.desk.take(heartbeat(6))
    assert shop.get("/readyz").status_code == 503


def test_a_frontier_that_lies_ahead_of_the_clock_is_none(shop):
    shop.told.hear(placed(0), requested(0, ship_by=20))
    shop.known(5)
    shop.now = at(5) - SKEW
    assert shop.read("/readyz")["ready"]
    assert shop.read("/v1/feeds")["as_of"]["known_up_to"] == shop.read("/v1/feeds")["as_of"]["now"]
    shop.now = at(5) - SKEW - 1
    [check] = [one for one in shop.get("/readyz").json()["checks"] if one["name"] == "frontier"]
    assert (check["ok"], check["detail"]) == (False, "not known yet")
    assert shop.read("/v1/feeds")["as_of"]["known_up_to"] is None


def test_what_else_this_process_does_is_shown_and_keeps_nobody_out(shop, told):
    shop.told.hear(placed(0), requested(0, ship_by=20))
    shop.known(5)
    broken = Check(name="delivery", ok=False, needed=False, detail="a topic is missing")
    app = create_app(told.store, told.log.store, clock=lambda: shop.now, beside=[lambda: broken])
    answer = TestClient(app).get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert broken.model_dump() in answer.json()["checks"]


def test_health_and_version_answer_at_once(shop):
    assert shop.read("/healthz") == {"status": "ok"}
    assert shop.read("/version") == {"name": "order-incident-tracker", "version": "1.2.3"}


def test_every_metric_that_is_told_is_in_the_list_and_every_listed_one_is_told(shop):
    shop.late("1")
    case = Case("incident-late_shipment-F1", "order-O1")
    Desk(shop.told.log).handle(case, Escalate(by="li", to="lead"), at=at(31))
    shop.told.follow()
    shop.known(31)
    shop.get("/v1/incidents")
    shop.app.state.meters.let_go("stalled")
    told = list(text_string_to_metric_families(shop.get("/metrics").text))
    samples = {
        sample.name.removesuffix("_bucket").removesuffix("_count").removesuffix("_sum")
        for f in told
        for sample in f.samples
    }
    samples = {name for name in samples if not name.endswith("_created")}
    assert samples == set(METRICS)
    values = {(s.name, *s.labels.values()): s.value for f in told for s in f.samples}
    assert values["tracker_incidents", "late_shipment", "open"] == 1
    assert values["tracker_projection_behind", "feed"] == 0
    assert values["tracker_policy_adoptions",] == 1
    assert [value for (name, *_), value in values.items() if name == "tracker_policy"] == [1]
    assert values["tracker_known_up_to_age_seconds",] == 0


def test_metrics_name_routes_without_what_is_in_their_path(shop):
    shop.get("/v1/orders/secret-id")
    shop.get("/v1/no/such/path")
    text = shop.get("/metrics").text
    assert 'route="/v1/orders/{order_id:path}"' in text or 'route="/v1/orders/{order_id}"' in text
    assert "secret-id" not in text
    assert "no/such" not in text
