"""In a browser: what went up, what flaps, what was done and by whom, and the question whether a price is meant."""

import pytest

from domain.detection import FindingEnded, FindingOpened
from domain.history.log import Beside, Recorded
from domain.incidents.events import IncidentMerged, IncidentNoted, IncidentPriceAnswered
from tests.api.at_desk import BARE, at_desk, step
from tests.api.browser import CONTRAST, NAMES
from tests.api.desk_scene import desk_scene, late
from tests.projections.test_muting import finding
from tests.story import at

# A page knows the API alone, which is tested on every store.
pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.only_on("sqlite")]
PRICE = "incident-price_difference-TEA%3Acut"
TEA = "incident-stock_out-TEA"


@pytest.fixture
def desk(tmp_path):
    with desk_scene(tmp_path) as made:
        asked = {"ask": "is the new price meant?", "amounts": {"O4:1": "99"}, "severity": {"members": 1}}
        tell(made, "price_cut-TEA%3Acut", FindingOpened, finding("price_difference", "TEA:cut", 28, detail=asked))
        for due in (26, 27, 28):
            tell(made, "order-O4-tea", FindingOpened, finding("stock_out", "TEA", due, orders=("O4",)))
            if due < 28:
                tell(
                    made,
                    "order-O4-tea",
                    FindingEnded,
                    finding("stock_out", "TEA", due, ended=due + 0.5, orders=("O4",)),
                )
        yield made


def tell(scene, stream, kind, found):
    """Let a group's stream say what was found; nothing here decides on it."""
    stream = f"backlog-{stream}"
    version = len(list(scene.told.log.stream(stream))) + 1
    at_once = found.due_at if found.ended_at is None else found.ended_at
    scene.told.log.append([Recorded(stream, version, kind(finding=found, known_up_to=at_once))], Beside())
    scene.told.follow()


def shows(page, where, text):
    page.locator(where, has_text=text).first.wait_for()


def test_a_chinese_name_stands_in_the_log_and_in_the_history(browser, desk):
    with at_desk(browser, desk, f"/incidents/{late('4')}", who="王芳") as page:
        step(page, "note", text="催仓库")
        shows(page, ".history li", "催仓库")
        shows(page, ".history li", "王芳")
        step(page, "escalate", to="主管")
        shows(page, ".history li", "Went up to 主管")
        shows(page, "a.row .tag", "↑ 主管")
        assert page.evaluate(NAMES) == page.evaluate(CONTRAST) == page.evaluate(BARE) == []
    assert {one.by for one in desk.written(late("4"))} == {"王芳"}
    assert isinstance(desk.written(late("4"))[0], IncidentNoted)


@pytest.mark.parametrize(("answer", "mistake"), [("yes", True), ("no", False)])
def test_the_price_question_is_asked_first_and_answered_in_a_form(browser, desk, answer, mistake):
    with at_desk(browser, desk, f"/incidents/{PRICE.replace('%', '%25')}") as page:
        first = page.locator(".desk .buttons button").first
        assert (first.get_attribute("data-step"), first.get_attribute("class")) == ("answer", "primary")
        step(page, "answer", mistake=answer, why="asked the shop")
        shows(page, ".standing dd", "asked the shop")
        shows(page, ".history li", "Price question answered")
        assert page.locator(".desk .buttons button").first.get_attribute("data-step") != "answer"
    [said] = desk.written(PRICE)
    assert isinstance(said, IncidentPriceAnswered)
    assert (said.mistake, said.why) == (mistake, "asked the shop")


def test_other_incidents_of_the_order_are_offered_to_merge_into(browser, desk):
    with at_desk(browser, desk, f"/incidents/{TEA}") as page:
        page.locator(".desk button[data-step=merge]").click()
        page.locator(f"#merge-into option[value='{late('4')}']").wait_for(state="attached")
        form = page.locator("form.step[data-step=merge]")
        form.locator("[name=into]").fill(late("4"))
        form.locator("button[type=submit]").click()
        shows(page, ".history li", "Merged")
    assert [one.into for one in desk.written(TEA) if isinstance(one, IncidentMerged)] == [late("4")]


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_what_flaps_is_marked_in_the_list_and_on_its_page(browser, desk, language, tmp_path):
    tell(desk, "order-O4-tea", FindingEnded, finding("stock_out", "TEA", 28, ended=29, orders=("O4",)))
    tell(desk, "order-O4-tea", FindingOpened, finding("stock_out", "TEA", 29.5, orders=("O4",)))
    word = {"en-GB": "flapping, 7 changes", "zh-CN": "反复波动，7 次变化"}[language]
    with at_desk(browser, desk, f"/incidents/{TEA}", locale=language) as page:
        shows(page, ".heading .tag", word)
        shows(page, "a.row .tag", word)
        assert page.evaluate(NAMES) == page.evaluate(CONTRAST) == page.evaluate(BARE) == []
        page.screenshot(path=tmp_path / "flapping.png")
    assert desk.now < (at(29.5 + 6) - at(0)) / 3_600_000_000
