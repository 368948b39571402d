"""The law of ``tests/domain/test_law.py`` on the store that several processes share; there it is told more often."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.test_law import LAWFUL, troubles
from tests.draws import draws
from tests.generator.expected import expected
from tests.generator.policies import KINDS, policies
from tests.generator.product import Event, Trouble, canonical, compared, judged
from tests.generator.season import arrivals, seasons

pytestmark = [pytest.mark.only_on("postgres"), pytest.mark.usefixtures("engine"), pytest.mark.timeout(600)]


@settings(LAWFUL, max_examples=draws(40))
@given(season=seasons(), policy=policies(), trouble=troubles, data=st.data())
def test_what_is_found_is_what_the_oracle_finds(
    season: list[Event], policy: dict[str, Any], trouble: Trouble, data: st.DataObject
) -> None:
    arrival = data.draw(arrivals(season))
    found = judged(arrival.messages, arrival.batches, policy, trouble)
    assert compared(one for one in found if one["kind"] in KINDS) == canonical(expected(season, policy))
