"""What customers are written: by templates, in two languages, and never more than is true."""

import pytest

from domain.policies.policy import KINDS
from domain.staff.messages import claimed, draft, wording
from domain.staff.statements import CLAIMS, Date, Overclaimed
from tests.domain.test_statements import BOUGHT, ONE, facts, say
from tests.story import at, labelled, moved, packed, placed, scanned

LANGUAGES = ("zh", "en")
LABELLED = facts(placed(0), labelled(1, order_ids=("O",)))
NOW = at(5)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_claim_and_date_can_be_said(language):
    words = wording(language)
    assert set(words.kinds) == {*KINDS, "other"} - {"feed_silent"}, "of a silent feed no customer is told"
    assert set(words.order) == {*CLAIMS, "nothing"}
    assert set(words.parcel) == set(words.phrases) == set(CLAIMS)
    assert words.dates.keys() == {"ship_by", "deliver_by", "estimated_delivery"}
    assert Date._fields == ("at", "what", "by")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("claim", CLAIMS)
def test_what_a_template_says_is_what_it_claims_and_nothing_more(language, claim):
    words = wording(language)
    assert [one.claim for one in claimed(words.order[claim], LABELLED, NOW)] == [claim]
    assert [one.claim for one in claimed(words.parcel[claim], LABELLED, NOW)] == [claim]
    rest = [words.greeting, words.closing, words.order["nothing"], *words.kinds.values()]
    assert [claimed(text, LABELLED, NOW) for text in rest] == [[]] * len(rest)


@pytest.mark.parametrize(
    ("language", "says", "silent"), [("zh", "仓库已发货", "已签收"), ("en", "warehouse has prepared", "delivered")]
)
def test_a_draft_says_all_that_is_true_and_no_more(language, says, silent):
    made = draft("unconfirmed_handover", language, LABELLED, now=NOW)
    assert says in made.text
    assert silent not in made.text
    assert "O" in made.text.splitlines()[0]
    assert made.statements == (say("warehouse_shipped"),)


def test_of_an_order_in_parts_each_parcel_is_named():
    part = facts(placed(0, *BOUGHT), packed(1, "P1", ONE), labelled(1, "P1", "N1"), scanned(2, "P1", order_ids=("O",)))
    made = draft("late_delivery", "zh", part, now=NOW)
    assert made.statements == (say("shipped", "N1"),)
    assert "N1" in made.text


@pytest.mark.parametrize(("language", "day"), [("zh", "2026年3月4日"), ("en", "2026-03-04")])
def test_an_agreed_date_ahead_is_named_and_one_that_has_passed_is_not(language, day):
    agreed = facts(placed(0), moved(1, None, deliver_by=80))
    assert day in draft("late_delivery", language, agreed, now=NOW).text
    assert draft("late_delivery", language, agreed, now=at(81)).statements == ()


def test_a_draft_that_claims_more_is_refused_with_the_claim():
    with pytest.raises(Overclaimed) as refused:
        draft("other", "zh", LABELLED, now=NOW, claims=[say("warehouse_shipped"), say("shipped")])
    assert refused.value.statement == say("shipped")


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("亲，仓库已发货，请耐心等待", ["warehouse_shipped"]),
        ("亲，您的包裹已发货", ["shipped"]),
        ("仓库已发货，快递已揽收", ["warehouse_shipped", "shipped"]),
        ("显示已签收", ["delivered"]),
        ("Your order HAS BEEN SHIPPED", ["shipped"]),
        ("It has not been shipped yet", []),
        ("仓库尚未发货", []),
        ("会在3月4日送到", ["new_date"]),
        ("will come on 2026-03-04", ["new_date"]),
        ("您好", []),
    ],
)
def test_what_a_text_written_by_hand_claims(text, claims):
    assert [one.claim for one in claimed(text, LABELLED, NOW)] == claims


@pytest.mark.parametrize("text", ["3月4日", "2026年3月4日", "2026-03-04", "2026/3/4"])
def test_a_day_is_read_however_it_is_written(text):
    assert [one.value for one in claimed(text, LABELLED, NOW)] == ["2026-03-04"]


def test_a_day_that_does_not_exist_is_claimed_as_it_stands():
    assert [one.value for one in claimed("2月30日", LABELLED, NOW)] == ["2月30日"]
