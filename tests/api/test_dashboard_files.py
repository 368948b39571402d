import json
import re
from pathlib import Path
from typing import get_args

import pytest

from api import vendoring
from api.contract.desk import State
from api.pages import FOLDER
from domain.detectors import DETECTORS
from domain.incidents.events import INCIDENT_EVENTS, Channel, Form, Outcome, Party, Promised
from domain.policies.policy import KINDS

CATALOGUES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (FOLDER / "locales").glob("*.json")}
OURS = Path(__file__).parent / "vendor"
SCRIPTS = sorted(path for path in FOLDER.glob("*.js"))


@pytest.mark.parametrize("folder", [vendoring.FOLDER, OURS], ids=["dashboard", "tests"])
def test_vendored_files_are_what_the_lock_says(folder):
    assert vendoring.check(folder) == []


def test_a_vendored_file_that_was_changed_is_noticed(tmp_path):
    for path in vendoring.FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "htm-preact.js").write_bytes(b"alert(1)")
    (tmp_path / "more.js").touch()
    assert vendoring.check(tmp_path) == ["htm-preact.js", "more.js"]


def test_every_language_says_everything():
    assert set(CATALOGUES) == {"en", "zh"}
    assert set(CATALOGUES["en"]) == set(CATALOGUES["zh"])
    for key, words in CATALOGUES["en"].items():
        assert words, key
        assert set(re.findall(r"\{\w+\}", words)) == set(re.findall(r"\{\w+\}", CATALOGUES["zh"][key])), key


def test_every_word_that_is_asked_for_is_there_and_every_one_there_is_asked_for():
    source = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    asked = set(re.findall(r"\bt\(\s*\"([\w.-]+)\"", source))
    families = {found.rstrip("$") for found in re.findall(r"(?:t|told)\(`([\w.]+)\$", source)}
    listed = set(re.findall(r"\"([\w.-]+)\"", source))
    missing = asked - set(CATALOGUES["en"])
    assert missing == set()
    unused = {
        key
        for key in CATALOGUES["en"]
        if key not in asked and key not in listed and not any(key.startswith(family) for family in families)
    }
    assert unused == set()


def test_every_kind_that_is_shown_has_its_words_and_can_be_chosen():
    shown = {one.kind for some in DETECTORS.values() for one in some} & set(KINDS)
    assert len(shown) > 10
    for kind in shown:
        assert {f"kind.{kind}", f"why.{kind}", f"clears.{kind}"} <= set(CATALOGUES["en"]), kind
    kinds = (FOLDER / "kinds.js").read_text(encoding="utf-8").partition("KINDS = [")[2].partition("]")[0]
    assert set(re.findall(r'"(\w+)"', kinds)) == shown


def test_every_refusal_of_the_desk_is_said_in_every_language():
    domain = FOLDER.parents[1] / "domain"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(domain.rglob("*.py")))
    codes = set(re.findall(r'IllegalStep\(\s*"([a-z_]+)"', source)) | {"claim_untrue", "read_only", "not_there_yet"}
    assert len(codes) > 20
    assert {f"no.{code}" for code in codes} - set(CATALOGUES["en"]) == set()


def test_every_step_that_a_history_shows_is_named():
    assert {f"taken.{one.TOPIC.split('.')[1]}" for one in INCIDENT_EVENTS} <= set(CATALOGUES["en"])


def test_every_word_of_the_contract_that_staff_choose_from_is_offered_and_named():
    offered = (FOLDER / "kinds.js").read_text(encoding="utf-8")
    for name, prefix, words in (
        ("STATUSES", "status.staff", State),
        ("CHANNELS", "channel", Channel),
        ("OUTCOMES", "outcome", Outcome),
        ("PARTIES", "party", Party),
        ("PROMISED", "promised", Promised),
        ("FORMS", "form", Form),
    ):
        listed = offered.partition(f"export const {name} = [")[2].partition("]")[0]
        assert set(re.findall(r'"(\w+)"', listed)) == set(get_args(words)), name
        assert {f"{prefix}.{one}" for one in get_args(words)} <= set(CATALOGUES["en"]), name


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_small_and_put_no_text_into_the_page_as_markup(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") < 300
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML|\beval\(", source
    )
    assert "http://" not in source
    assert "https://" not in source


def test_the_page_holds_no_script_or_style_of_its_own():
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "<style" not in page
    assert not re.search(r"\son\w+=|style=", page)


def test_files_are_served_as_they_are_with_a_tag_to_ask_again(shop):
    for path in FOLDER.rglob("*.js"):
        name = path.relative_to(FOLDER).as_posix()
        answer = shop.client.get(f"/{name}")
        assert answer.content == path.read_bytes()
        assert answer.headers["content-type"].startswith("text/javascript")
        again = shop.client.get(f"/{name}", headers={"If-None-Match": f'"other", W/{answer.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
    for path in ("/vendor/vendor.lock", "/../app.py", "/%2e%2e/app.py", "/vendor", "/app.py"):
        assert shop.client.get(path).status_code == 404
