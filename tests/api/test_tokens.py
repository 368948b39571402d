from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.problems import Problem
from api.tokens import Token, cursor, read_cursor


@given(st.text("0123456789abcdef", min_size=1, max_size=64), st.integers(0, 10**9 - 1), st.integers(0, 10**18 - 1))
def test_a_token_is_read_as_it_was_written(epoch, revision, position):
    token = Token(epoch, revision, position)
    assert Token.read(str(token)) == token
    assert str(token).isascii()


@given(st.text(max_size=600))
def test_anything_else_is_refused_and_never_breaks(text):
    try:
        token = Token.read(text)
    except Problem:
        return
    assert str(token).rstrip("=") == text.rstrip("=")


@given(st.text(max_size=600))
def test_no_text_breaks_a_cursor(text):
    with suppress(Problem):
        assert read_cursor(text, (str, int, str))


def test_a_cursor_of_another_shape_is_refused():
    with pytest.raises(Problem):
        read_cursor(cursor(["x", 1]), (int, str))
    assert read_cursor(cursor(["x", 1]), (str, int)) == ["x", 1]
    with pytest.raises(Problem):
        read_cursor(cursor([True]), (int,))  # type: ignore[list-item]  # wrong on purpose
