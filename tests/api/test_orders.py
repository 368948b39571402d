from domain.instant import iso
from tests.story import at, cancelled, labelled, line, packed, piece, placed, requested, scanned


def test_what_is_at_risk_is_listed_as_of_what_is_known(shop):
    shop.told.hear(placed(0), requested(0, ship_by=20))
    assert shop.read("/v1/orders", at_risk=True)["at_risk"] == []
    shop.known(17)
    (one,) = shop.read("/v1/orders", at_risk=True)["at_risk"]
    assert (one["order_id"], one["fulfillment_id"], one["deadline"]) == ("O", "F", iso(at(20)))
    assert shop.read("/v1/orders/O")["fulfillments"][0]["at_risk"]
    shop.known(20.5)
    assert shop.read("/v1/orders", at_risk=True)["at_risk"] == []


def test_the_list_of_what_is_at_risk_has_pages(shop):
    for n in range(5):
        shop.told.hear(placed(0, of=f"O{n}", key=f"p{n}"), requested(0, f"F{n}", of=f"O{n}", ship_by=20))
    shop.known(17)
    found, cursor = [], None
    while True:
        page = shop.read("/v1/orders", at_risk=True, limit=2, **({} if cursor is None else {"cursor": cursor}))
        found += [one["fulfillment_id"] for one in page["at_risk"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert found == ["F0", "F1", "F2", "F3", "F4"]


def test_what_is_to_be_delivered_soon_is_listed_beside_what_is_to_be_shipped(shop):
    shop.told.hear(placed(0, deliver_by=30), requested(0, ship_by=20))
    shop.known(17)
    shipment, delivery = shop.read("/v1/orders", at_risk=True)["at_risk"]
    assert (shipment["kind"], shipment["because"]) == ("late_shipment", ["warn_before"])
    assert delivery == {
        "kind": "late_delivery",
        "order_id": "O",
        "fulfillment_id": None,
        "warehouse_id": None,
        "deadline": iso(at(30)),
        "warn_at": iso(at(6)),
        "because": ["warn_before"],
    }
    assert shop.read("/v1/orders", at_risk=True, kind="late_delivery")["at_risk"] == [delivery]
    order = shop.read("/v1/orders/O")
    assert order["delivery"] == {"deadline": iso(at(30)), "warn_at": iso(at(6)), "at_risk": True}
    assert order["fulfillments"][0]["because"] == ["warn_before"]
    shop.told.hear(scanned(18), scanned(19, status="delivered"))
    assert shop.read("/v1/orders/O")["delivery"] is None


def test_orders_are_only_listed_by_risk(shop):
    assert shop.get("/v1/orders").status_code == 422
    assert shop.get("/v1/orders", at_risk=False).status_code == 404


def test_an_order_shows_everything_that_is_known_of_it(shop):
    shop.told.hear(
        placed(0, line("1", "A", 2), line("2", "B"), customer_tier="vip", destination="CN-BJ", sales_channel="own"),
        requested(1, ship_by=20),
        cancelled(2, "2"),
        until=30,
    )
    shop.told.hear(packed(31, "P", piece("A", 2)), labelled(32), scanned(33), scanned(40, status="delivered"), until=45)
    order = shop.read("/v1/orders/O")
    assert (order["customer_tier"], order["destination"], order["partial"], order["stale"]) == (
        "vip",
        "CN-BJ",
        False,
        False,
    )
    assert [one["cancelled"] for one in order["lines"]] == [False, True]
    (fulfillment,) = order["fulfillments"]
    assert (fulfillment["state"], fulfillment["completed_at"]) == ("handed_over", iso(at(33)))
    (parcel,) = order["parcels"]
    assert (parcel["status"], parcel["tracking_number"], parcel["scans"]) == ("delivered", "N", 2)
    assert [one["state"] for one in order["incidents"]] == ["ended"]
    types = [one["type"] for one in order["timeline"]]
    assert types[0] == "order.placed.v1"
    assert {"finding.opened.v1", "finding.ended.v1", "parcel.scanned.v1"} <= set(types)
    assert all(one["topic"] for one in order["timeline"] if not one["type"].startswith("finding."))
    known = shop.read("/v1/orders/O/history")["timeline"]
    assert sorted(known, key=str) == sorted(order["timeline"], key=str)
    assert [one["at"] for one in order["timeline"]] == sorted(one["at"] for one in known)


def test_search_leads_from_order_parcel_and_tracking_number_to_the_order(shop):
    shop.told.hear(placed(0), packed(1, "P", piece()), labelled(2, number="T9"))
    for wanted in ("O", "P", "T9"):
        assert shop.read("/v1/search", q=wanted)["order_ids"] == ["O"]
    assert shop.read("/v1/search", q="?")["order_ids"] == []


def test_an_unknown_order_is_a_problem(shop):
    for path in ("/v1/orders/nobody", "/v1/orders/nobody/history"):
        answer = shop.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "No order has this id."
