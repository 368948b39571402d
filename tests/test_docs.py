"""Docs that cannot rot: generated pages are fresh, everything is documented, and what a page names exists."""

import re
from pathlib import Path

import pytest

from consumers.translate import TYPES
from deploy.settings import Settings, explain
from domain.history.log import EVENTS
from tests import detector_rows, documentation, members, pages
from tests.members import PACKAGES, ROOT

README = ROOT / "README.md"
RUNBOOK = ROOT / "docs" / "runbook.md"
ADRS = sorted((ROOT / "docs" / "adr").glob("*.md"))
ONE_PAGE = 90
"""Lines of a decision record."""


def test_generated_pages_are_fresh():
    assert documentation.stale() == {}


@pytest.mark.parametrize("page", documentation.PAGES)
def test_a_stale_page_is_told_and_written_again(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(documentation, "DOCS", tmp_path)
    monkeypatch.setattr(documentation, "PAGES", {page: documentation.PAGES[page]})
    assert documentation.main([]) == 0
    assert documentation.main(["--check"]) == 0
    with (tmp_path / page).open("a") as written:
        written.write("by hand\n")
    capsys.readouterr()
    assert documentation.main(["--check"]) == 1
    assert f"docs/{page} is stale" in capsys.readouterr().out


def test_every_setting_is_documented():
    told = pages.text(ROOT / "docs" / "settings.md")
    read = {
        found for path in product() for found in re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", pages.text(path))
    }
    assert "TRACKER_SECRETS_DIR" in read
    variables = {one.variable for one in explain(Settings())} | read
    assert {one for one in variables if f"`{one}`" not in told} == set()
    assert [one.name for one in explain(Settings()) if not one.description] == []


def test_every_policy_key_has_a_sentence():
    assert [key for key, member in members.policy_keys() if not member.about] == []


def test_every_variable_in_the_readme_is_a_setting():
    known = {one.variable for one in explain(Settings())} | {"TRACKER_SECRETS_DIR"}
    assert set(re.findall(r"\b(?:TRACKER|KAFKA)_[A-Z_]+[A-Z]\b", pages.text(README))) <= known


def test_every_command_is_documented_with_an_example_and_its_options():
    told = pages.text(ROOT / "docs" / "cli.md")
    for path, command in documentation.commands():
        section = told.split(f"## {path}\n")[1].split("\n## ")[0]
        assert f"{path}" in section.split("```sh")[1], path
        assert [one.name for one in command.params if not one.help] == [], path
        assert [one for parameter in command.params for one in options(parameter) if f"`{one}" not in section] == []


def test_every_event_and_detector_is_documented():
    events = pages.anchors(ROOT / "docs" / "events.md")
    assert {topic for topic in [*TYPES, *(one.TOPIC for one in EVENTS)] if members.anchor(topic) not in events} == set()
    detectors = pages.text(ROOT / "docs" / "detectors.md")
    assert [one.kind for _, one in detector_rows.registered() if f"| `{one.kind}` |" not in detectors] == []


def test_every_metric_has_a_sentence():
    known = members.metrics()
    assert members.noted() - {name.removeprefix("tracker_") for name in known} == set()
    assert [name for name, told in known.items() if not (name.startswith("tracker_") and told.endswith("."))] == []
    told = set(re.findall(r"`(tracker_[a-z_]+)`", pages.text(RUNBOOK)))
    assert told
    assert told - set(known) == set()


def test_every_quarantine_code_is_in_the_runbook():
    codes = members.constants("Unreadable")
    assert {"not_json", "id_conflict", "handler_error"} <= codes
    assert {code for code in codes if f"`{code}`" not in pages.text(RUNBOOK)} == set()


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_on_a_page_exists(page: Path):
    known = dict(documentation.commands())
    verbs = set(re.findall(r"^([a-z]+):", pages.text(ROOT / "Makefile"), re.MULTILINE))
    for words in pages.mentioned(page):
        if words[0] == "make":
            assert {one for one in words[1:2] if "=" not in one} <= verbs, words
        else:
            check_tracker(words, known)


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path):
    for link in pages.links(page):
        file, _, fragment = link.partition("#")
        target = (page.parent / file) if file else page
        assert target.exists(), link
        assert not fragment or fragment in pages.anchors(target), link


def test_pages_that_the_code_names_exist():
    named = {(name, path) for path in product() for name in re.findall(r"docs/[\w./-]*\w", pages.text(path))}
    assert named
    assert {(name, str(path)) for name, path in named if not [*ROOT.glob(f"{name}*")]} == set()


@pytest.mark.parametrize("record", ADRS, ids=lambda record: record.stem)
def test_a_decision_is_one_page_of_context_decision_and_price(record: Path):
    told = pages.text(record)
    assert re.match(r"# \d+\. .+\n\nStatus: (accepted|superseded by \d{4})\.\n", told)
    assert re.findall(r"^## (.+)$", told, re.MULTILINE) == ["Context", "Decision", "What we gave up"]
    assert len(told.splitlines()) <= ONE_PAGE


def test_decisions_are_numbered_without_a_hole():
    assert [int(record.name[:4]) for record in ADRS] == list(range(1, len(ADRS) + 1))
    assert [int(pages.text(record)[2:].split(".")[0]) for record in ADRS] == list(range(1, len(ADRS) + 1))


def product() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def options(parameter) -> list[str]:
    return list(parameter.opts) if parameter.param_type_name == "option" else [parameter.name.upper()]


def check_tracker(words: list[str], known: dict[str, object]) -> None:
    path = " ".join(words)
    if not any(path.startswith(f"{one} ") or path == one for one in known):
        groups = {one.rsplit(" ", 1)[0] for one in known}
        assert path in groups or words[1:2] in (["--help"], ["--install-completion"]), f"`{path}` is no command"
        return
    command = next(one for one in known if path.startswith(f"{one} ") or path == one)
    flags = {one for parameter in known[command].params for one in options(parameter)} | {"--help"}
    assert {word.split("=")[0] for word in words if word.startswith("--")} <= flags, f"`{path}` has no such option"
