"""The page while the store is away: it says what is wrong, keeps trying, and fills by itself."""

from contextlib import contextmanager

import pytest

from projections.views import ViewsAway
from tests.api.serving import serving
from tests.api.test_dashboard import Scene, opened
from tests.projections.stage import stage

# A page knows the API alone, which is tested on every store.
pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.only_on("sqlite")]
AGAIN = 15_000
"""Milliseconds, with plenty to spare, in which the page has tried again."""


@pytest.fixture
def scene(tmp_path):
    with stage(tmp_path) as told:
        made = Scene(told)
        with serving(told, clock=made.clock, wall=False, speed=1.0, follow=False) as server:
            told.follow()
            made.url = server.url
            yield made


def go_away(told):
    """Let the views not be readable, until the attribute is deleted."""

    @contextmanager
    def reading(*_):
        raise ViewsAway("connection refused")
        yield

    told.store.reading = reading


def answered_503(watched):
    assert all("503" in one for one in watched.wrong), watched.wrong
    watched.wrong.clear()


@pytest.mark.parametrize("path", ["/", "/#/worklist", "/#/backlogs", "/#/feeds", "/#/at-risk", "/#/orders/O4"])
def test_a_page_opened_meanwhile_says_so_and_fills_by_itself(browser, scene, path):
    go_away(scene.told)
    with opened(browser, scene.url, path) as watched:
        page = watched.page
        page.wait_for_selector(".banner[role=alert]")
        assert "cannot read its database just now" in page.inner_text(".banner")
        assert "Nothing can be read" in page.inner_text("#freshness")
        page.wait_for_selector(".failure")
        del scene.told.store.reading
        page.wait_for_selector(".failure", state="detached", timeout=AGAIN)
        page.wait_for_selector(".banner", state="detached", timeout=AGAIN)
        assert "Known up to" in page.inner_text("#freshness")
        answered_503(watched)


def test_a_server_that_is_gone_is_told_in_the_readers_language(browser, scene):
    with opened(browser, scene.url, locale="zh-CN") as watched:
        page = watched.page
        page.wait_for_selector("#freshness.fresh")
        page.route("**/v1/**", lambda route: route.abort())
        page.evaluate("location.hash = '#/backlogs'")
        page.wait_for_selector(".failure")
        assert "无法连接服务器" in page.inner_text(".failure")
        page.unroute("**/v1/**")
        page.wait_for_selector(".failure", state="detached", timeout=AGAIN)
        watched.wrong.clear()
