"""A member of staff at the desk in a browser: opens a page, fills in its forms, and waits for what it shows."""

from contextlib import contextmanager

from tests.api.browser import Watched

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


@contextmanager
def at_desk(browser, scene, path="/", *, who="li", **context):
    context = {"viewport": {"width": 1400, "height": 900}, "locale": "en-GB", "timezone_id": "UTC", **context}
    with browser.new_context(**context) as made:
        made.add_init_script(f"localStorage.getItem('tracker.actor') ?? localStorage.setItem('tracker.actor', '{who}')")
        made.add_init_script(ASKING)
        page = made.new_page()
        page.set_default_timeout(30_000)
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
