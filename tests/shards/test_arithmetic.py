"""The tables of docs/scaling.md follow from the figures on the page, and the figures from each other."""

import pytest

from api.tokens import SHARDS
from tests.shards import arithmetic


@pytest.fixture
def page():
    return arithmetic.PAGE.read_text(encoding="utf-8")


def test_the_tables_are_what_the_figures_make(page):
    assert arithmetic.written(page) == page
    assert page.count("<!-- end -->") == 2


def test_every_figure_is_named_and_used(page):
    needed = {"decide", "append", "events_per_message", "follow", "follow_goal", "log_bytes", "view_bytes"}
    assert set(arithmetic.figures(page)) == needed | {"message_bytes"}


def test_other_figures_make_other_tables(page):
    for name in arithmetic.figures(page):
        before = arithmetic.figures(page)[name]
        changed = page.replace(f"| `{name}` | {before:,.10g} |", f"| `{name}` | {before / 9:.3f} |")
        assert changed != page, name
        assert arithmetic.written(changed) != changed, name


def test_a_plan_carries_what_it_is_for(page):
    known = arithmetic.figures(page)
    for follow in (known["follow"], known["follow_goal"]):
        for rate in arithmetic.RATES:
            one = arithmetic.plan(rate, known, follow)
            assert one.shards * arithmetic.SHARE * arithmetic.capacity(known, follow) >= rate
            assert one.shards * one.processes * known["decide"] * arithmetic.SHARE >= rate
            assert one.minutes <= arithmetic.OUTAGE


def test_the_page_says_how_many_shards_a_feed_takes(page):
    assert f"One merged feed takes {SHARDS} shards at most" in page
