"""The page where something is odd: a damaged link, a clock that has come to its end, a sheet of paper."""

import pytest

from tests.api.serving import serving
from tests.api.test_dashboard import opened, scene
from tests.story import at

__all__ = ["scene"]
# A page knows the API alone, which is tested on every store.
pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.only_on("sqlite")]
A_MOMENT = 1500
"""Milliseconds in which the page has counted on once."""


def test_a_link_that_was_damaged_on_its_way_says_that_nobody_knows_it(browser, scene):
    with opened(browser, scene.url, "/#/incidents/%E0%A4%A") as watched:
        watched.page.wait_for_selector(".failure")
        assert all("404" in one for one in watched.wrong)
        watched.wrong.clear()


def test_ages_stand_still_where_the_clock_has_come_to_its_end(browser, scene):
    with (
        serving(scene.told, clock=scene.clock, wall=False, speed=36_000.0, end=scene.clock()) as server,
        opened(browser, server.url) as watched,
    ):
        page = watched.page
        page.wait_for_selector(".badge.demo")
        shown = page.inner_text(".badge.demo")
        page.wait_for_timeout(A_MOMENT)
        assert page.inner_text(".badge.demo") == shown
        assert "ended" in shown


def test_what_has_passed_but_has_not_been_read_up_to_is_told_as_past(browser, scene):
    with (
        serving(scene.told, clock=lambda: at(34.5), wall=False, speed=1.0) as server,
        opened(browser, server.url, "/#/at-risk") as watched,
    ):
        watched.page.wait_for_selector("td.age")
        assert "1 h 30 min ago" in watched.page.locator("td.age").all_inner_texts()


def test_the_end_of_a_span_has_its_day_where_the_beginning_has_one(browser, scene):
    with opened(browser, scene.url, "/#/metrics?days=7") as watched:
        watched.page.wait_for_selector(".page > p.minor time")
        since, until = watched.page.locator(".page > p.minor time").all_inner_texts()
        assert since == "23 Feb, 06:00"
        assert until == "2 Mar, 06:00"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_paper_an_incident_is_whole_and_dark_on_white(browser, scene, theme):
    with opened(browser, scene.url, "/#/incidents/incident-late_shipment-F1", color_scheme=theme) as watched:
        page = watched.page
        page.evaluate(f"localStorage.setItem('tracker.theme', '{theme}')")
        page.reload()
        page.wait_for_selector(".proof")
        page.emulate_media(media="print", color_scheme="light")
        assert page.evaluate("getComputedStyle(document.querySelector('.panel')).maxHeight") == "none"
        assert page.locator("article.incident").is_visible()
        for pressed in ("nav", ".rows", ".filters", ".buttons"):
            assert not page.locator(pressed).first.is_visible(), pressed
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(24, 32, 43)"


def test_a_number_of_an_order_is_not_broken_letter_by_letter_on_a_narrow_screen(browser, scene):
    with opened(browser, scene.url, "/#/at-risk", viewport={"width": 390, "height": 844}) as watched:
        watched.page.wait_for_selector("td a.mono")
        assert watched.page.locator("td a.mono").first.bounding_box()["width"] > 100
        assert watched.overflow() <= 0
