"""How many statements a page takes does not depend on how much stands on it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from domain.instant import iso
from projections.view import Rows
from tests.api.conftest import Shop
from tests.projections.stage import stage
from tests.projections.test_statements import Counting
from tests.story import at, placed, requested, scanned

ORDERS = 50
FEEDS = 'feeds = {SF = ["/sf"], YT = ["/yt"], W = ["/wms"]}'


@pytest.fixture(scope="module")
def shop(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:  # noqa: ARG001  # made anew on each store
    """Customers who each have an order late on its way, with two carriers in turn, and one late to be shipped."""
    with stage(tmp_path_factory.mktemp("pages"), FEEDS) as told:
        for n in range(ORDERS):
            name, (carrier, source) = f"O{n:02}", (("SF", "/sf"), ("YT", "/yt"))[n % 2]
            told.desk.take(
                placed(0, of=name, deliver_by=50, customer_id=f"K{n:02}"),
                requested(0, f"F{n:02}", of=name, ship_by=45),
                scanned(5 + n % 2, f"P{n:02}", carrier=carrier, source=source, fulfillment_ids=(f"F{n:02}",)),
                placed(0, of=f"L{n:02}", customer_id=f"K{n:02}"),
                requested(0, f"G{n:02}", of=f"L{n:02}", ship_by=20),
            )
        told.come(60)
        made = Shop(told)
        made.now = at(60)
        yield made


def counted(shop: Shop, monkeypatch: pytest.MonkeyPatch, path: str, **params: Any) -> tuple[int, Any]:
    """Ask for a page; gives how many statements the views were asked for it, and the page."""
    counter: Counter[str] = Counter()
    reading = shop.told.store.reading

    @contextmanager
    def counting(seconds: float | None = None) -> Iterator[Rows]:
        with reading(seconds) as rows:
            yield Counting(rows, counter, "")

    with monkeypatch.context() as patch:
        patch.setattr(shop.told.store, "reading", counting)
        page = shop.read(path, **params)
    return counter[""], page


@pytest.mark.parametrize("kind", ["late_delivery", "late_shipment"])
def test_fifty_incidents_take_as_many_statements_as_two(shop: Shop, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    two, short = counted(shop, monkeypatch, "/v1/incidents", kind=kind, limit=2)
    fifty, long = counted(shop, monkeypatch, "/v1/incidents", kind=kind, limit=ORDERS)
    assert (len(short["incidents"]), len(long["incidents"])) == (2, ORDERS)
    assert fifty == two > 0


def test_fifty_tasks_take_as_many_statements_as_two(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    two, short = counted(shop, monkeypatch, "/v1/worklist", limit=2)
    fifty, long = counted(shop, monkeypatch, "/v1/worklist", limit=ORDERS)
    assert (len(short["tasks"]), len(long["tasks"])) == (2, ORDERS)
    assert {one["kind"] for task in long["tasks"] for one in task["incidents"]} == {"late_shipment", "late_delivery"}
    assert fifty == two > 0


def test_each_incident_of_a_page_is_doubted_for_its_own_places(shop: Shop) -> None:
    page = shop.read("/v1/incidents", limit=2 * ORDERS)["incidents"]
    said = {(one["kind"], one["subject"]): one["evidence"] for one in page}
    silent = [f"feed silent since {iso(at(5 + n))}" for n in (0, 1)]
    assert {said["late_delivery", f"O{n:02}"] for n in range(0, ORDERS, 2)} == {silent[0]}
    assert {said["late_delivery", f"O{n:02}"] for n in range(1, ORDERS, 2)} == {silent[1]}
    assert {said["late_shipment", f"G{n:02}"] for n in range(ORDERS)} == {"feed never heard"}


def test_an_incident_says_by_itself_what_it_says_on_a_page(shop: Shop) -> None:
    page = shop.read("/v1/incidents", limit=2 * ORDERS)["incidents"]
    tasks = shop.read("/v1/worklist", limit=2 * ORDERS)["tasks"]
    alone = {one["id"]: shop.read(f"/v1/incidents/{one['id']}")["incident"] for one in page[::10]}
    assert alone == {one["id"]: one for one in page[::10]}
    listed = {one["id"]: one for one in page}
    assert [one for task in tasks for one in task["incidents"] if one != listed[one["id"]]] == []
