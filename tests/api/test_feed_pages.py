from api import feed
from api.tokens import Token
from domain.instant import iso
from projections import rebuild
from tests.story import at, scanned


def ids(page):
    return [one["id"] for one in page["changes"]]


def whole(shop, **params):
    found, after = [], None
    while True:
        page = shop.read("/v1/feed", **params, **({} if after is None else {"after": after}))
        found += page["changes"]
        after = page["next"]
        if not page["more"]:
            return found, after


def test_the_feed_begins_with_the_first_change_there_ever_was(shop):
    shop.late("1", "2")
    shop.told.hear(scanned(33, fulfillment_ids=("F1",)), until=34)
    page = shop.read("/v1/feed")
    assert [(one["change"], one["incident"]["subject"]) for one in page["changes"]] == [
        ("opened", "F1"),
        ("opened", "F2"),
        ("ended", "F1"),
    ]
    assert page["changes"][-1]["incident"]["ended_at"] == iso(at(33))
    assert ids(shop.read("/v1/feed", after="first")) == ids(page)


def test_any_entry_is_a_place_to_go_on_from(shop):
    shop.late(*map(str, range(6)))
    everything = ids(shop.read("/v1/feed"))
    for place, token in enumerate(everything):
        assert ids(shop.read("/v1/feed", after=token)) == everything[place + 1 :]


def test_pages_of_any_size_give_the_same_changes(shop):
    shop.late(*map(str, range(7)))
    everything, _ = whole(shop)
    for limit in (1, 2, 3, 100):
        assert whole(shop, limit=limit)[0] == everything


def test_the_end_of_the_feed_is_a_place_to_wait_at(shop):
    shop.late("1")
    _, end = whole(shop)
    assert shop.read("/v1/feed", after=end)["changes"] == []
    shop.late("2")
    assert [one["incident"]["subject"] for one in shop.read("/v1/feed", after=end)["changes"]] == ["F2"]


def test_the_feed_takes_the_filters_of_the_list(shop, monkeypatch):
    monkeypatch.setattr(feed, "_SCAN", 2)
    for name in range(9):
        shop.late(str(name), warehouse="E" if name % 4 == 0 else "W")
    found, _ = whole(shop, warehouse="E", limit=2)
    assert [one["incident"]["subject"] for one in found] == ["F0", "F4", "F8"]
    assert whole(shop, order="O3")[0][0]["incident"]["subject"] == "F3"
    assert whole(shop, kind="stock_out")[0] == []


def test_a_search_through_a_long_feed_says_how_far_it_came(shop, monkeypatch):
    monkeypatch.setattr(feed, "_SCAN", 1)
    monkeypatch.setattr(feed, "_SCAN_SECONDS", -1)
    shop.late("1", "2", "3")
    page = shop.read("/v1/feed", kind="stock_out")
    assert (page["changes"], page["more"]) == ([], True)
    assert whole(shop, order="O3")[0][0]["incident"]["subject"] == "F3"


def test_a_place_beyond_this_log_or_in_another_one_is_gone(shop):
    shop.late("1")
    token = Token.read(shop.read("/v1/feed")["next"])
    for wrong in (
        token._replace(epoch="0"),
        token._replace(position=token.position + 1000),
        token._replace(revision=token.revision + 1),
    ):
        answer = shop.get("/v1/feed", after=str(wrong))
        assert answer.status_code == 410
        assert answer.json()["type"] == "/problems/unknown_position"


def test_ids_stay_when_the_feed_is_rebuilt(shop):
    shop.late("1", "2")
    before = shop.read("/v1/feed")
    rebuild.rebuild(shop.told.store, shop.told.log.store, ["feed"])
    assert shop.read("/v1/feed")["changes"] == before["changes"]
