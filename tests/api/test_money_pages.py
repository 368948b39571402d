"""Money and goods in a browser: a batch is drafted and released, goods are asked for and proven, refusals are said."""

import pytest

from tests.api.at_desk import at_desk, counts, fill, shows, step
from tests.api.browser import CONTRAST, NAMES
from tests.api.desk_scene import BACKLOG, late

# A page knows the API alone, which is tested on every store.
pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.only_on("sqlite")]
BARE = r"() => (document.body.innerText.match(/\b(?:batch|goods|step|field|form|no|error)[.][a-z_.-]+/g) ?? [])"
"""Keys that stand where a word should be."""


def unfold(page, part):
    page.locator(f"details[data-part='{part}'] summary").click()


def send(page, name, **fields):
    page.locator(f"button[data-step='{name}']").click()
    form = page.locator(f"form.step[data-step='{name}']")
    for field, value in fields.items():
        fill(form, field, value)
    form.locator("button[type=submit]").click()


def follow(desk, page, selector, expected):
    desk.told.follow()
    shows(page, selector, expected)


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_a_batch_is_drafted_released_and_can_be_fetched(browser, desk, locale):
    with at_desk(browser, desk, f"/incidents/{BACKLOG}", locale=locale) as page:
        unfold(page, "batches")
        send(page, "batch", form="coupon", currency="CNY", members="O1\nO2 7.50", amount="5", evidence="mail-1")
        follow(desk, page, "li[data-batch]", "12.50 CNY")
        page.locator("li[data-batch] button[data-step='approve']").click()
        desk.told.follow()
        page.locator("li[data-batch] .pill.batch-paid").wait_for()
        counts(page, "li[data-batch] button", 0)
        counts(page, ".desk li.between", 2)
        with page.expect_download() as fetched:
            page.locator("li[data-batch] a", has_text="CSV").click()
        text = fetched.value.path().read_text(encoding="utf-8")
        assert [line.split(",")[:3] for line in text.splitlines()[1:]] == [["O1", "O1", "5"], ["O2", "O2", "7.50"]]
        assert (page.evaluate(BARE), page.evaluate(NAMES), page.evaluate(CONTRAST)) == ([], [], [])


def test_a_batch_that_is_refused_says_why_and_who_was_paid_before_is_shown(browser, desk):
    with at_desk(browser, desk, f"/incidents/{BACKLOG}") as page:
        unfold(page, "batches")
        send(page, "batch", form="coupon", currency="CNY", members="O9", amount="5")
        shows(page, "form[data-step='batch'] .failure", "no member of this incident")
    desk.post(late("1"), "compensate", {"member": "O1", "amount": "5", "currency": "CNY", "form": "coupon"})
    desk.told.follow()
    with at_desk(browser, desk, f"/incidents/{BACKLOG}") as page:
        step(page, "compensate", member="O1", amount="6", form="coupon")
        shows(page, ".desk .failure", "5 CNY")
        shows(page, ".desk .failure a", "late_shipment-F1")


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_goods_are_asked_for_and_proven(browser, desk, locale):
    with at_desk(browser, desk, f"/incidents/{late('4')}", locale=locale) as page:
        unfold(page, "goods")
        send(page, "goods", sku="TEA S/1", action="return", why="wet")
        follow(desk, page, "li[data-goods]", "TEA S/1")
        page.locator("li[data-goods] .pill.goods-open").wait_for()
        send(page, "goods-prove", evidence="https://desk.example/photo")
        desk.told.follow()
        page.locator("li[data-goods] .pill.goods-proven").wait_for()
        shows(page, "li[data-goods]", "https://desk.example/photo")
        assert (page.evaluate(BARE), page.evaluate(NAMES), page.evaluate(CONTRAST)) == ([], [], [])


def test_what_is_shown_is_never_markup(browser, desk):
    script = "<img src=x onerror=\"document.title='taken'\">"
    with at_desk(browser, desk, f"/incidents/{late('4')}") as page:
        unfold(page, "goods")
        send(page, "goods", sku=script, action="destroy", why=script)
        follow(desk, page, "li[data-goods]", "onerror")
        assert page.title() != "taken"
