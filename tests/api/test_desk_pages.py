"""The desk in a browser: staff find, take on, call and settle; what is refused is said in their language."""

from contextlib import contextmanager

import pytest

from domain.incident_events import IncidentContacted, IncidentDismissed
from tests.api.browser import CONTRAST, NAMES, Watched, chromium
from tests.api.desk_scene import BACKLOG, desk_scene, late
from tests.story import labelled, scanned, voided

# A page knows the API alone, which is tested on every store.
pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.only_on("sqlite")]
SCRIPT = "<img src=x onerror=\"document.title='taken'\">"
BARE = r"""() => (document.body.innerText.match(
  /\b(?:field|step|desk|muted|metrics?|by|rank|stage|channel|outcome|status|detail|kind|work|task|say)[.][a-z_.]+/g
) ?? [])"""
"""Keys that stand where a word should be."""
ASKING = """
  window.asking = 0;
  const ask = window.fetch;
  window.fetch = async (...what) => {
    window.asking += 1;
    try {
      const answer = await ask(...what);
      await answer.clone().arrayBuffer();
      return answer;
    } finally { window.asking -= 1; }
  };
"""
"""Counts what the page has asked and was not answered yet."""
CALM = """() => {
  window.calm = window.asking ? 0 : (window.calm ?? 0) + 1;
  return window.calm > 4 && !document.querySelector(".loading");
}"""
"""Says, asked at every frame, that all answers have come and been drawn, and led to no other question."""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """Give a scene that nobody changes."""
    with desk_scene(tmp_path_factory.mktemp("seen")) as made:
        yield made


@pytest.fixture
def desk(tmp_path):
    with desk_scene(tmp_path) as made:
        yield made


@contextmanager
def at_desk(browser, scene, path="/", *, who="li", **context):
    context = {"viewport": {"width": 1400, "height": 900}, "locale": "en-GB", "timezone_id": "UTC", **context}
    with browser.new_context(**context) as made:
        made.add_init_script(f"localStorage.getItem('tracker.actor') ?? localStorage.setItem('tracker.actor', '{who}')")
        made.add_init_script(ASKING)
        page = made.new_page()
        page.set_default_timeout(10_000)
        watched = Watched(page, scene.url)
        page.goto(f"{scene.url}/#{path}")
        page.wait_for_selector(".shell")
        yield page
        # A refusal is an answer; the browser notes it in its console all the same.
        assert [one for one in watched.wrong if "409 (Conflict)" not in one] == []


def step(page, name, **fields):
    """Open the form of a step, fill it in and send it."""
    page.locator(f".desk button[data-step='{name}']").click()
    form = page.locator(f"form.step[data-step='{name}']")
    for field, value in fields.items():
        fill(form, field, value)
    form.locator("button[type=submit]").click()


def fill(form, name, value):
    control = form.locator(f"[name='{name}']")
    if control.evaluate("one => one.tagName") == "SELECT":
        control.select_option(value)
    else:
        control.fill(value)


def words(page, selector):
    return page.locator(selector).inner_text().replace("\n", " ")


def shows(page, selector, expected):
    page.locator(selector, has_text=expected).first.wait_for()


def settled(page):
    """Wait until the page has all it asked for."""
    page.evaluate("window.calm = 0")
    page.wait_for_function(CALM, polling="raf")


def counts(page, selector, number):
    """Wait until so many are shown: a list is drawn anew only once its answer has come."""
    page.wait_for_function(
        "([selector, number]) => document.querySelectorAll(selector).length === number",
        arg=[selector, number],
        polling=50,
    )


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


PAGES = (
    f"/incidents/{BACKLOG}",
    f"/incidents/{late('4')}",
    "/worklist",
    "/worklist/customer-C5",
    "/backlogs",
    "/metrics",
)


def unfolded(page, path):
    """Open a page with all that can be unfolded on it."""
    page.goto(page.url.split("#")[0] + "#" + path)
    page.wait_for_selector(".desk, .task, .task-page, .backlog, .numbers")
    settled(page)
    if path.startswith("/incidents/"):
        page.locator("button[data-step=contact]").click()
        page.locator("form.contact [name=promise]").check()
    for one in page.locator("main details > summary").all():
        if one.is_visible():
            one.click()
    settled(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_desk_can_be_read_by_everybody(browser, seen, scheme):
    with at_desk(browser, seen, color_scheme=scheme, reduced_motion="reduce") as page:
        for path in PAGES:
            unfolded(page, path)
            assert page.evaluate(CONTRAST) == [], path
            assert page.evaluate(NAMES) == [], path


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_on_a_narrow_screen_everything_fits_and_every_word_is_there(browser, seen, locale):
    with at_desk(browser, seen, viewport={"width": 400, "height": 800}, locale=locale) as page:
        for path in PAGES:
            unfolded(page, path)
            assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, (
                path
            )
            assert page.evaluate(BARE) == [], path
