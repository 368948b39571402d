"""Tokens of a merged feed, and the setting that names its shards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from api.problems import Problem
from api.tokens import LONGEST_OF_MANY, SHARDS, Mark, Places, Token
from deploy import settings
from deploy.settings import Settings, explain, refused

EPOCHS = st.text("0123456789abcdef", max_size=12)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True)
MARKS = st.builds(Mark, NAMES, EPOCHS, st.integers(0, 10**9 - 1), st.integers(0, 10**18 - 1))
PLACES = st.lists(MARKS, max_size=8).map(lambda marks: Places().at(*marks))


@given(PLACES)
def test_places_are_read_as_they_were_written(places):
    assert Places.read(str(places)) == places
    assert str(places).isascii()


@given(st.text(max_size=600) | st.binary(max_size=200).map(bytes.hex) | PLACES.map(lambda one: f"{one}x"))
def test_anything_else_is_refused_and_never_breaks(text):
    try:
        places = Places.read(text)
    except Problem:
        return
    assert Places.read(str(places)) == places


@given(PLACES, MARKS)
def test_a_move_in_one_shard_moves_no_other(places, mark):
    moved = places.at(mark)
    assert moved.of(mark.shard) == mark
    others = {one for one in places.marks if one.shard != mark.shard}
    assert {one for one in moved.marks if one.shard != mark.shard} == others


def test_as_many_shards_as_there_may_be_fit_into_a_token():
    marks = [Mark(f"a{number:015}", "f" * 12, 10**9 - 1, 10**18 - 1) for number in range(SHARDS)]
    assert len(str(Places().at(*marks))) <= LONGEST_OF_MANY
    assert settings.SHARDS == SHARDS


def test_a_token_of_one_log_is_none_of_several_and_the_other_way_round():
    with pytest.raises(Problem):
        Places.read(str(Token("ab", 0, 1)))
    with pytest.raises(Problem):
        Token.read(str(Places().at(Mark("east", "ab", 0, 1))))


def test_shards_are_named_in_one_variable_and_stay_secret(monkeypatch):
    monkeypatch.setenv("SHARDS", " east=postgresql://u:hush@h/a?x=1&y=2  west=postgresql://u:hush@h/b ")
    made = Settings()
    assert {name: url.get_secret_value() for name, url in made.shards.items()} == {
        "east": "postgresql://u:hush@h/a?x=1&y=2",
        "west": "postgresql://u:hush@h/b",
    }
    (shown,) = [one for one in explain(made) if one.variable == "SHARDS"]
    assert "hush" not in shown.value
    assert shown.origin == "set"


def test_shards_are_named_in_the_file(monkeypatch, tmp_path):
    (tmp_path / "tracker.toml").write_text('[shards]\neast = "postgresql://h/a"\n')
    monkeypatch.chdir(tmp_path)
    assert [*Settings().shards] == ["east"]


@pytest.mark.parametrize("text", ["east", "East=x", "east=x east=y", "a" * 17 + "=x", "9=x"])
def test_what_names_no_shard_is_refused(monkeypatch, text):
    monkeypatch.setenv("SHARDS", text)
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize("text", ["postgresql://u:hush@h/a", "postgresql://u:hush@h/a?x=1", "east=postgresql://h hush"])
def test_an_address_without_a_name_is_refused_without_being_shown(monkeypatch, text):
    monkeypatch.setenv("SHARDS", text)
    with pytest.raises(ValidationError) as error:
        Settings()
    (said,) = refused(error.value)
    assert "name=postgresql://" in said
    assert "hush" not in said
