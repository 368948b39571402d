"""The desk in a browser: staff find, take on and settle; what is refused is said in their language."""

import pytest

from domain.incidents.events import IncidentDismissed
from tests.api.at_desk import at_desk, counts, fill, shows, step, words
from tests.api.desk_scene import BACKLOG, late

# A page knows the API alone, which is tested on every store.
pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.only_on("sqlite")]
SCRIPT = "<img src=x onerror=\"document.title='taken'\">"


def test_muted_incidents_are_folded_under_the_one_that_speaks_for_them(browser, seen):
    with at_desk(browser, seen, "/incidents") as page:
        page.wait_for_selector(f"a.row[data-id='{BACKLOG}']")
        shown = {one.get_attribute("data-id") for one in page.locator("a.row").all()}
        assert late("1") not in shown
        assert late("4") in shown
        folded = page.locator(".rows .members")
        assert "3 muted under this" in folded.inner_text()
        folded.locator("summary").click()
        page.wait_for_selector(".children li")
        counts(page, ".children li", 3)
        page.locator("select[name=muted]").select_option("only")
        page.wait_for_selector(f"a.row[data-id='{late('1')}']")
        counts(page, "a.row", 3)
        page.locator(f"a.row[data-id='{late('1')}']").click()
        page.wait_for_selector(".muted-by")
        assert "warehouse_backlog-W-1" in words(page, ".muted-by")


def test_who_takes_an_incident_on_is_shown_at_once_and_stands_in_the_log(browser, desk):
    with at_desk(browser, desk, f"/incidents/{late('4')}") as page:
        with page.expect_request(lambda one: late("4") in one.url and "min_position=" in one.url):
            step(page, "acknowledge")
        shows(page, ".desk > header", "Taken on")
        assert "li" in words(page, ".desk .standing")
        shows(page, ".rows", "Taken on")
        step(page, "assign", person="zhou", team="night")
        shows(page, ".desk .standing", "night")
        page.locator("select[name=status]").select_option("acknowledged")
        page.locator("input[name=assignee]").fill("zhou")
        page.keyboard.press("Enter")
        page.wait_for_function("() => location.hash.includes('assignee=zhou')", polling=50)
        page.wait_for_selector(f"a.row[data-id='{late('4')}']")
        counts(page, "a.row", 1)
    assert [(type(one).__name__, one.by) for one in desk.written(late("4"))] == [
        ("IncidentAcknowledged", "li"),
        ("IncidentAssigned", "li"),
    ]


def test_what_is_being_typed_outlives_what_comes_in_meanwhile(browser, desk):
    with at_desk(browser, desk) as page:
        typed = page.locator("input[name=assignee]")
        typed.press_sequentially("zh")
        desk.post(late("4"), "assign", {"person": "zhou"})
        shows(page, ".rows", "zhou")
        typed.press_sequentially("ou\n")
        page.wait_for_function("() => location.hash.includes('assignee=zhou')", polling=50)


def test_what_another_does_shows_by_itself_and_is_announced_as_nothing_new(browser, desk):
    with at_desk(browser, desk, "/incidents") as page:
        page.wait_for_selector(f"a.row[data-id='{late('4')}']")
        before = page.locator("a.row").count()
        page.keyboard.press("p")
        desk.post(late("5"), "note", {"text": "?"})
        desk.post(late("1"), "note", {"text": "on one that another speaks for"})
        desk.post(late("4"), "assign", {"person": "zhou"})
        page.wait_for_timeout(1000)  # many times what a change takes to come
        assert words(page, "button.pause") == "Resume (0 waiting)"
        page.keyboard.press("p")
        desk.post(late("4"), "assign", {"person": "wang"})
        shows(page, f"a.row[data-id='{late('4')}']", "wang")
        counts(page, "a.row", before)
        assert page.locator("a.row[class*='fresh-']").count() == 0


@pytest.mark.parametrize(
    ("locale", "refusal"), [("en-GB", "Somebody else works on it."), ("zh-CN", "已有其他人在处理。")]
)
def test_what_the_state_does_not_allow_is_refused_in_words(browser, desk, locale, refusal):
    with at_desk(browser, desk, f"/incidents/{late('4')}", locale=locale) as page:
        page.wait_for_selector("button[data-step=acknowledge]")
        page.locator("button[data-step=acknowledge]").click()
        page.wait_for_selector("form.step")
        desk.post(late("4"), "acknowledge", {})
        page.locator("form.step button[type=submit]").click()
        page.wait_for_selector("form.step .failure")
        assert refusal in words(page, "form.step .failure")


def test_what_another_has_decided_while_the_form_was_open_is_told_before_it_is_overruled(browser, desk):
    with at_desk(browser, desk, f"/incidents/{late('4')}") as page:
        page.locator("button[data-step=assign]").click()
        fill(page.locator("form.step"), "person", "qian")
        desk.post(late("4"), "assign", {"person": "zhou"}, by="wang")
        send = page.locator("form.step button[type=submit]")
        send.click()
        shows(page, "form.step .failure", "Somebody else has decided this otherwise meanwhile.")
        send.click()
        page.wait_for_selector("form.step", state="detached")
    assert [(event.person, event.by) for event in desk.told.log.stream(late("4"))] == [("zhou", "wang"), ("qian", "li")]


def test_a_finding_is_called_wrong_only_with_a_reason_and_that_is_shown_as_text(browser, desk):
    with at_desk(browser, desk, f"/incidents/{late('4')}") as page:
        step(page, "dismiss")
        assert page.locator("form.step [name=why]").evaluate("one => one.validity.valueMissing")
        assert desk.written(late("4")) == []
        page.locator("form.step [name=why]").fill(f"picked up by hand {SCRIPT}")
        page.locator("form.step button[type=submit]").click()
        shows(page, ".desk > header", "Called wrong")
        desk.come(31)
        shows(page, ".incident .card", "onerror")
        assert page.title() == "Order incidents"
        assert page.locator("img[src=x]").count() == 0
        page.wait_for_selector("button[data-step=reopen]")
    [said] = desk.written(late("4"))
    assert isinstance(said, IncidentDismissed)
    assert said.why == f"picked up by hand {SCRIPT}"


def test_an_agreement_by_phone_is_not_closed_before_it_is_confirmed_in_writing(browser, desk):
    with at_desk(browser, desk, "/incidents") as page:
        page.locator(f"a.row[data-id='{late('4')}']").click()
        page.locator(".desk button[data-step=contact]").click()
        form = page.locator("form.contact")
        fill(form, "outcome", "agreed")
        fill(form, "agreement", "ships tomorrow")
        shows(page, "form.contact .hint", "confirmed in writing")
        form.locator("button[type=submit]").click()
        shows(page, ".desk", "not confirmed yet")
        step(page, "resolve", outcome="shipped")
        shows(page, "form.step .failure", "has not been confirmed in writing")
        page.locator("form.step [name=outcome]").press("Escape")
        page.wait_for_selector("form.step", state="detached")
        step(page, "confirm", channel="email", evidence="mail 17")
        shows(page, ".desk .tag", "confirmed in writing")
        step(page, "resolve", outcome="shipped")
        shows(page, ".desk > header", "Resolved")


def test_nobody_is_paid_twice(browser, desk):
    with at_desk(browser, desk, f"/incidents/{late('4')}") as page:
        step(page, "compensate", member="C4", amount="20.50", evidence="photo 1\nphoto 2")
        shows(page, ".desk", "20.50 CNY")
        step(page, "compensate", member="C4", amount="20.50")
        shows(page, "form.step .failure", "paid")


def test_backlogs_show_what_piles_up_and_metrics_what_came_of_it(browser, seen):
    with at_desk(browser, seen, "/backlogs") as page:
        full = ".backlog[data-id='warehouse/W-1']"
        page.wait_for_selector(f"{full} td")
        ages = [one.inner_text() for one in page.locator(f"{full} tbody td").all()]
        assert ages == ["0", "3", "0", "0"]
        assert page.locator(".backlog").count() == 2
        page.get_by_text("only backlogs").click()
        page.wait_for_selector(".backlog[data-id='warehouse/W-2']", state="detached")
        page.locator(f"{full} a", has_text="3").last.click()
        page.wait_for_selector(".rows, .split, table")
        assert "muted_by" in page.url
        page.goto(f"{seen.url}/#/metrics")
        page.wait_for_selector(".numbers")
        summary = page.request.get(f"{seen.url}/v1/metrics/summary").json()
        assert f"Incidents {summary['whole']['incidents']}" in words(page, ".numbers")
        row = page.locator("tr", has=page.locator("th", has_text="Late shipment")).first
        assert row.locator("td").first.inner_text() == str(summary["by"]["kind"]["late_shipment"]["incidents"]) == "6"
        shows(page, "#blind-spots", "K1")


def test_what_is_no_name_is_refused_and_another_is_kept(browser, seen):
    with at_desk(browser, seen, "/worklist", who="") as page:
        name = page.locator("#actor")
        name.fill("wang\x7f")
        name.blur()
        shows(page, "#actor-wrong", "staff number")
        page.keyboard.press("Escape")
        page.keyboard.press("i")
        page.keyboard.press("Control+A")
        page.keyboard.type("wang-7")
        page.keyboard.press("Enter")
        page.wait_for_selector("#actor-wrong", state="detached")
        page.reload()
        page.wait_for_selector(".tasks")
        assert page.locator("#actor").input_value() == "wang-7"
