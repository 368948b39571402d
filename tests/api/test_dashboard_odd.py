"""The page where something is odd: a damaged link, a clock that has come to its end."""

import pytest

from tests.api.serving import serving
from tests.api.test_dashboard import opened, scene

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
