"""The worklist in a browser: whom to call first, with true words, once, and again where we were wrong."""

import pytest

from domain.incidents.events import IncidentContacted
from tests.api.at_desk import at_desk, counts, fill, shows, words
from tests.api.desk_scene import late
from tests.story import labelled, scanned, voided

# A page knows the API alone, which is tested on every store.
pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.only_on("sqlite")]


def test_the_worklist_says_whom_to_call_first_and_why(browser, seen):
    with at_desk(browser, seen, "/worklist") as page:
        page.wait_for_selector(".task")
        tasks = [one.get_attribute("data-id") for one in page.locator(".task").all()]
        answer = page.request.get(f"{seen.url}/v1/worklist?to_contact=true").json()
        assert tasks == [one["id"] for one in answer["tasks"]]
        assert len(tasks) == len(set(tasks)) == 6
        card = words(page, ".task[data-id='customer-C5']")
        for expected in ("not handed over yet", "600.00 CNY", "F5", "F6", "phone", "to be called"):
            assert expected in card
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_selector(f".task-page[data-id='{tasks[0]}']")
        page.keyboard.press("Escape")
        page.wait_for_selector(".tasks")


def test_a_call_is_made_with_true_words_and_recorded_once_for_all_it_was_about(browser, desk):
    desk.told.desk.take(labelled(29, "P5", "SF1", fulfillment_ids=("F5",)))
    desk.come(31)
    with at_desk(browser, desk, "/worklist/customer-C5") as page:
        page.wait_for_function("() => document.querySelector('#draft-text')?.value.includes('O5')", polling=50)
        shows(page, ".may-say[data-order='O5']", "仓库已发货")
        page.locator("#draft-text").fill("Your order has been shipped.")
        assert page.locator("#draft-copy").is_disabled(), "what was not checked is not copied"
        page.locator("#draft-check").click()
        shows(page, ".failure .claim", "已发货")
        page.locator("#draft-language").select_option("zh")
        page.wait_for_function("() => document.querySelector('#draft-text').value.includes('您的订单 O5')", polling=50)
        form = page.locator("form.contact")
        fill(form, "outcome", "agreed")
        form.locator("[name=promise]").check()
        fill(form, "what", "shipped")
        fill(form, "until", "2026-03-05T12:00")
        form.locator("button[type=submit]").click()
        shows(page, ".done", "Recorded.")
        page.goto(f"{desk.url}/#/worklist")
        page.wait_for_selector(".task[data-id='customer-C4']")
        counts(page, ".task[data-id='customer-C5']", 0)
    first, second = ([one for one in desk.written(late(name)) if isinstance(one, IncidentContacted)] for name in "56")
    [five], [six] = first, second
    assert five.contact_id == six.contact_id
    assert (five.by, five.customer_id, five.outcome) == ("li", "C5", "agreed")
    assert five.promise.what == "shipped"
    assert [(one.order_id, one.claim) for one in five.statements] == [("O5", "warehouse_shipped")]


def test_what_cleared_since_the_list_was_read_is_not_called_about(browser, desk):
    desk.told.desk.take(scanned(30.2, "P5", fulfillment_ids=("F5",)))
    desk.come(30.4)
    with at_desk(browser, desk, "/worklist") as page:
        links = {}
        for customer in ("C4", "C5"):
            card = page.locator(f".task[data-id='customer-{customer}'] a.open-task")
            links[customer] = card.get_attribute("href")
        desk.told.desk.take(scanned(30.5, "P4", fulfillment_ids=("F4",)))
        desk.come(31)
        page.goto(f"{desk.url}/{links['C4']}")
        shows(page, ".cleared", "F4")
        shows(page, ".empty", "Nothing left to call about")
        page.goto(f"{desk.url}/{links['C5']}")
        shows(page, ".task-page[data-id='customer-C5'] .worked", "F6")
        assert page.locator(".cleared").count() == 0, "what had ended before is no news"


def test_whom_we_told_something_untrue_is_called_again_and_put_right(browser, desk):
    desk.told.desk.take(labelled(29, "P4", "SF1", fulfillment_ids=("F4",)))
    desk.come(31)
    said = [{"order_id": "O4", "claim": "warehouse_shipped"}]
    desk.post(late("4"), "contact", {"channel": "sms", "outcome": "sent", "statements": said, "customer_id": "C4"})
    desk.told.desk.take(voided(31.5, "P4"))
    desk.come(32)
    with at_desk(browser, desk, "/worklist") as page:
        shows(page, ".wrong", "C4")
        page.locator(".wrong a", has_text="C4").click()
        page.locator(".wrong button").click()
        page.locator("form.contact button[type=submit]").click()
        shows(page, ".done", "Recorded.")
        page.wait_for_selector(".wrong", state="detached")
    last = desk.written(late("4"))[-1]
    assert last.corrects == desk.written(late("4"))[0].contact_id
