import re
import time
from contextlib import contextmanager

import pytest

from domain.instant import iso
from tests.api.browser import CONTRAST, NAMES, Watched
from tests.api.serving import serving
from tests.projections.stage import stage
from tests.story import (
    approved,
    at,
    heartbeat,
    incoming_of,
    labelled,
    line,
    packed,
    piece,
    placed,
    requested,
    scanned,
    written,
)

# A page knows the API alone, which is tested on every store.
pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.only_on("sqlite")]
FACTS = [
    placed(0, line("1", "TEA", 2), of="O1", key="p1", customer_tier="vip", destination="CN-BJ", sales_channel="own"),
    approved(0.5, of="O1"),
    requested(1, "F1", of="O1", ship_by=20, warehouse_id="W-1"),
    placed(0, of="O2", key="p2"),
    requested(0, "F2", of="O2", ship_by=28, warehouse_id="W-2"),
    placed(0, of="O3", key="p3"),
    requested(0, "F3", of="O3", ship_by=33, warehouse_id="W-1"),
    placed(0, line("1", "A", 2), of="O4", key="p4"),
    requested(1, "F4", of="O4", ship_by=10, warehouse_id="W-2"),
    packed(12, "P4", piece("A", 2, of="O4")),
    labelled(12.5, "P4"),
    scanned(13, "P4", fulfillment_ids=("F4",)),
    heartbeat(29, "/carriers/sf"),
]


class Scene:
    def __init__(self, told):
        self.told = told
        self.now = 30.0
        told.desk.take(*FACTS)
        told.desk.take(b"no json")
        self.come(self.now)

    def clock(self):
        return at(self.now)

    def come(self, hours):
        self.now = hours
        self.told.desk.tick(hours)
        self.told.desk.tracker.hear({"test/orders/0": at(hours)})


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with stage(tmp_path_factory.mktemp("dashboard")) as told:
        made = Scene(told)
        with serving(told, clock=made.clock, wall=False, speed=1.0) as server:
            made.url = server.url
            yield made


@contextmanager
def opened(browser, url, path="/", **context):
    context = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "timezone_id": "UTC", **context}
    with browser.new_context(**context) as made:
        page = made.new_page()
        page.set_default_timeout(30_000)
        watched = Watched(page, url)
        page.goto(f"{url}{path}")
        page.wait_for_selector(".shell")
        yield watched
        assert watched.wrong == []


def until(page, expression):
    """Wait for something to be true; the page's own rules forbid waiting inside it by ``eval``."""
    deadline = time.monotonic() + 10
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        time.sleep(0.05)  # between two looks


def text(page, selector):
    return page.locator(selector).inner_text()


def test_the_page_says_what_is_late_since_when_and_how_fresh_this_is(browser, scene):
    with opened(browser, scene.url) as watched:
        page = watched.page
        page.wait_for_selector(".row")
        assert [one.get_attribute("data-id") for one in page.locator(".row").all()] == [
            "incident-late_shipment-F2",
            "incident-late_shipment-F1",
        ]
        first = page.locator(".row").last
        assert "Late shipment F1" in first.inner_text().replace("\n", " ")
        assert "10 h" in first.inner_text()
        assert "W-1" in first.inner_text()
        assert first.locator("time").get_attribute("datetime") == iso(at(20))
        until(page, "document.querySelector('#freshness').innerText.includes('Known up to')")
        assert "06:00" in text(page, "#freshness")
        assert "Demo clock" in text(page, ".badge.demo")
        assert text(page, ".tiles .open .value") == "2"


def test_from_an_incident_on_the_page_the_proof_leads_to_the_records_that_were_sent(browser, scene):
    sent = {offset: incoming_of(written(one), offset=offset).content for offset, one in enumerate(FACTS)}
    with opened(browser, scene.url) as watched:
        page = watched.page
        page.locator("a.row[data-id='incident-late_shipment-F1']").click()
        page.wait_for_selector(".proof")
        assert "possession scan" in text(page, ".clears")
        assert "Late for 10 h" in text(page, ".age-line")
        proofs = page.locator(".proof").all()
        assert len(proofs) == 3
        for proof in proofs:
            record = proof.locator(".record")
            assert record.get_attribute("data-topic") == "orders.events.v1"
            assert record.get_attribute("data-partition") == "0"
            fact = sent[int(record.get_attribute("data-offset"))]
            assert f"{fact.source}#{fact.id}" in proof.inner_text()
            assert fact.order_id == "O1"
        assert page.url.endswith("#/incidents/incident-late_shipment-F1")


def test_a_permalink_and_filters_in_the_address_show_the_same_again(browser, scene):
    with opened(browser, scene.url, "/#/incidents/incident-late_shipment-F1?warehouse=W-1") as watched:
        page = watched.page
        page.wait_for_selector(".incident")
        page.wait_for_selector(".row")
        assert page.locator(".row").count() == 1
        assert page.locator("select[name=warehouse]").input_value() == "W-1"
        page.locator("select[name=warehouse]").select_option("")
        until(page, "document.querySelectorAll('.row').length === 2")
        page.get_by_role("link", name="Ended").click()
        page.wait_for_selector("a.row[data-id='incident-late_shipment-F4']")
        assert "state=ended" in page.url
        page.locator("a.row[data-id='incident-late_shipment-F4']").click()
        page.wait_for_selector(".facts")
        assert "picked up" in page.locator(".incident").inner_text() or "Carrier scan" in text(page, ".facts")


def test_an_order_shows_its_fulfilments_parcels_and_everything_that_happened(browser, scene):
    with opened(browser, scene.url, "/#/orders/O4") as watched:
        page = watched.page
        page.wait_for_selector(".timeline li")
        whole = page.locator("article.order").inner_text()
        for expected in ("F4", "handed over", "P4", "Label printed", "Carrier scan", "Rule: found", "Late shipment"):
            assert expected in whole
        assert page.locator(".timeline .record").first.get_attribute("data-offset") == "7"
        page.goto(f"{scene.url}/#/orders/nobody")
        page.wait_for_selector(".empty")
        assert "No such order" in text(page, ".empty")
        watched.wrong = [one for one in watched.wrong if "404" not in one]


def test_what_is_at_risk_is_counted_down(browser, scene):
    with opened(browser, scene.url, "/#/at-risk") as watched:
        page = watched.page
        page.wait_for_selector("td.age")
        row = page.locator("tbody tr").first.inner_text()
        assert "O3" in row
        assert re.search(r"[23] h", row)


def test_feeds_show_watermarks_and_what_could_not_be_read(browser, scene):
    with opened(browser, scene.url, "/#/feeds") as watched:
        page = watched.page
        page.wait_for_selector("td:has-text('/carriers/sf')")
        whole = page.locator("main").inner_text()
        assert "orders.events.v1" in whole
        assert "not JSON" in whole


def test_keys_move_open_and_go_back(browser, scene):
    with opened(browser, scene.url) as watched:
        page = watched.page
        page.wait_for_selector(".row")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        assert page.evaluate("document.activeElement.dataset.id") == "incident-late_shipment-F2"
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
        page.keyboard.press("Enter")
        page.wait_for_selector(".incident")
        page.keyboard.press("Escape")
        page.wait_for_selector(".panel .empty")
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="detached")
        page.keyboard.press("/")
        page.keyboard.type("P4")
        page.keyboard.press("Enter")
        page.wait_for_selector("article.order[data-id='O4']")
        page.keyboard.press("2")
        until(page, "location.hash === '#/at-risk'")


def test_it_speaks_chinese_and_remembers(browser, scene):
    with opened(browser, scene.url, locale="zh-CN") as watched:
        page = watched.page
        page.wait_for_selector(".row")
        assert "发货超时" in page.locator(".rows").inner_text()
        assert page.evaluate("document.documentElement.lang") == "zh-CN"
        page.locator("#language").select_option("en")
        until(page, "document.querySelector('.rows').innerText.includes('Late shipment')")
        page.reload()
        page.wait_for_selector(".row")
        assert "Late shipment" in page.locator(".rows").inner_text()


PAGES = (
    "/",
    "/#/incidents/incident-late_shipment-F1",
    "/#/orders/O4",
    "/#/at-risk",
    "/#/feeds",
    "/#/incidents?kind=stock_out",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_can_be_read_by_everybody(browser, scene, scheme):
    with opened(browser, scene.url, color_scheme=scheme, reduced_motion="reduce") as watched:
        page = watched.page
        for path in PAGES:
            page.goto(f"{scene.url}{path}")
            page.wait_for_selector(".row, .empty, .card, td")
            time.sleep(0.3)  # whatever else the page does would be done by then
            assert page.evaluate(CONTRAST) == [], path
            assert page.evaluate(NAMES) == [], path
        moving = "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).animationName !== 'none').length"
        assert page.evaluate(moving) == 0
        assert page.locator("[aria-live=polite]").count() >= 1


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_nothing_is_wider_than_a_narrow_screen(browser, scene, locale):
    with opened(browser, scene.url, viewport={"width": 360, "height": 740}, locale=locale) as watched:
        for path in PAGES:
            watched.page.goto(f"{scene.url}{path}")
            watched.page.wait_for_selector(".row, .empty, .card, td", state="attached")
            time.sleep(0.3)  # whatever else the page does would be done by then
            assert watched.overflow() <= 0, path


def test_changes_appear_by_themselves_and_can_be_paused(browser, tmp_path):
    with stage(tmp_path) as told:
        scene = Scene(told)
        with serving(told, clock=scene.clock, wall=False) as server, opened(browser, server.url) as watched:
            page = watched.page
            page.wait_for_selector(".row")
            page.evaluate("window.kept = true")
            scene.come(34)
            page.wait_for_selector("a.row[data-id='incident-late_shipment-F3']", timeout=5000)
            page.get_by_role("button", name="Pause").click()
            told.desk.take(scanned(35, "P3", fulfillment_ids=("F3",)), until=36)
            page.wait_for_selector("button:has-text('1 waiting')")
            assert page.locator("a.row[data-id='incident-late_shipment-F3'].open").count() == 1
            page.get_by_role("button", name="Resume").click()
            page.wait_for_selector("a.row[data-id='incident-late_shipment-F3'].leaving", timeout=5000)
            page.wait_for_selector("a.row[data-id='incident-late_shipment-F3']", state="detached", timeout=9000)
            assert page.evaluate("window.kept"), "nothing was loaded again"


def test_a_feed_that_drops_is_told_at_once(browser, tmp_path):
    with stage(tmp_path) as told:
        scene = Scene(told)
        with serving(told, clock=scene.clock) as server, opened(browser, server.url) as watched:
            page = watched.page
            page.wait_for_selector(".row")
            server.stop.set()
            page.wait_for_selector(".banner[role=alert]", timeout=8000)
            assert "stopped" in text(page, ".banner")
            assert page.locator(".row").count() == 2, "what is known stays to be read"
            watched.wrong.clear()


def test_an_empty_tracker_says_what_to_do(browser, tmp_path):
    with stage(tmp_path) as told, serving(told) as server, opened(browser, server.url) as watched:
        page = watched.page
        page.wait_for_selector(".list .empty")
        assert "Nothing is late" in text(page, ".list .empty")
        page.goto(f"{server.url}/#/feeds")
        page.wait_for_selector(".card .empty")
        assert "tracker validate" in text(page, ".card .empty")
