"""The figures above the list say no more than the page has read."""

import pytest

from tests.api.test_dashboard import opened, scene, text, until

__all__ = ["scene"]
# A page knows the API alone, which is tested on every store.
pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.only_on("sqlite")]
LIST = "**/v1/incidents?*"


def value(page, tile):
    return text(page, f".tiles .{tile} .value")


def more(route):
    """Answer as the server does, but say that there is more than this page of the list."""
    answer = route.fetch()
    route.fulfill(response=answer, json={**answer.json(), "next": "more"})


def test_a_list_that_could_not_be_read_is_not_counted_as_empty(browser, scene):
    with opened(browser, scene.url) as watched:
        page = watched.page
        page.route(LIST, lambda route: route.fulfill(status=503, json={"title": "The store is away.", "status": 503}))
        page.reload()
        page.wait_for_selector(".failure")
        assert [value(page, tile) for tile in ("open", "grave", "oldest")] == ["…"] * 3
        watched.wrong.clear()


def test_of_a_part_of_the_list_the_oldest_is_told_as_at_least_so_old(browser, scene):
    with opened(browser, scene.url) as watched:
        page = watched.page
        page.wait_for_selector(".row")
        assert value(page, "oldest") == "10 h 0 min"
        page.route(LIST, more)
        page.reload()
        until(page, "document.querySelector('.tiles .open .value')?.innerText === '2+'")
        assert value(page, "oldest") == "10 h 0 min+"
        page.locator(".tiles .oldest a").click()
        until(page, "document.querySelector('.tiles .oldest .value')?.innerText === '10 h 0 min'")
        assert value(page, "open") == "2+"
