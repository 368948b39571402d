"""Every page of the desk can be read by everybody: contrast, names, narrow screens, and a word for everything."""

import pytest

from tests.api.at_desk import BARE, at_desk, settled
from tests.api.browser import CONTRAST, NAMES
from tests.api.desk_scene import BACKLOG, late

# A page knows the API alone, which is tested on every store.
pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.only_on("sqlite")]

PAGES = (
    f"/incidents/{BACKLOG}",
    f"/incidents/{late('4')}",
    "/worklist",
    "/worklist/customer-C5",
    "/backlogs",
    "/metrics",
)
NARROW = {"width": 400, "height": 800}
WIDE = {"width": 1400, "height": 900}


def opened(page, path):
    """Open a page, and on that of an incident the form for a call."""
    page.goto(page.url.split("#")[0] + "#" + path)
    page.wait_for_selector(".desk, .task, .task-page, .backlog, .numbers")
    settled(page)
    if path.startswith("/incidents/"):
        page.locator("button[data-step=contact]").click()
        page.locator("form.contact [name=promise]").check()


def unfolded(page, size):
    """Give the window a size, and unfold all that can be unfolded then."""
    page.set_viewport_size(size)
    # From the last: what is open is no longer counted, so that those before it keep their number.
    for one in reversed(page.locator("main details:not([open]) > summary").all()):
        if one.is_visible():
            one.click()
    settled(page)


@pytest.mark.parametrize(("locale", "scheme"), [("en-GB", "light"), ("zh-CN", "dark")])
def test_every_page_of_the_desk_can_be_read_by_everybody_on_a_narrow_screen_and_a_wide_one(
    browser, seen, locale, scheme
):
    with at_desk(browser, seen, viewport=NARROW, locale=locale, color_scheme=scheme, reduced_motion="reduce") as page:
        for path in PAGES:
            page.set_viewport_size(NARROW)
            opened(page, path)
            unfolded(page, NARROW)
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, (
                path
            )
            assert page.evaluate(BARE) == [], path
            unfolded(page, WIDE)
            assert page.evaluate(CONTRAST) == [], path
            assert page.evaluate(NAMES) == [], path
