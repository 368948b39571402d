"""The law: what is found depends on what happened, not on how we heard, and the oracle says the same.

The same id with another body is outside of the law; see ``test_tracker.py``. More examples: ``make laws``, or
``pytest tests/domain/test_law.py --hypothesis-profile=deep``.
"""

from datetime import timedelta
from typing import Any, Final

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.draws import draws
from tests.generator.expected import expected
from tests.generator.policies import KINDS, policies
from tests.generator.product import Event, Trouble, canonical, compared, judged
from tests.generator.season import arrivals, seasons

LAWFUL: Final = settings(
    max_examples=draws(200),
    deadline=None,
    # The same seasons on every machine; a deep run draws new ones.
    derandomize=settings.get_current_profile_name() != "deep",
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
pytestmark = pytest.mark.timeout(1800)
"""A failure is worth the time to shrink it, and a deep run takes long."""
ANY_TIME: Final = timedelta(days=40)
troubles = st.builds(Trouble, st.booleans(), st.booleans(), st.booleans(), st.booleans())


def smooth(season: list[Event], policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Judge a season that comes in one batch, in the order of its ids."""
    return judged(sorted(season, key=lambda event: (event["source"], event["id"])), [len(season)], policy)


def lines(found: list[dict[str, Any]]) -> bytes:
    """Write findings as their file holds them."""
    return b"\n".join(orjson.dumps(one) for one in found)


@LAWFUL
@given(season=seasons(), policy=policies(), trouble=troubles, data=st.data())
def test_any_arrival_within_the_allowed_lateness_gives_the_oracle_s_findings_byte_for_byte(
    season: list[Event], policy: dict[str, Any], trouble: Trouble, data: st.DataObject
) -> None:
    arrival = data.draw(arrivals(season))
    found = judged(arrival.messages, arrival.batches, policy, trouble)
    assert compared(one for one in found if one["kind"] in KINDS) == canonical(expected(season, policy))
    assert lines(found) == lines(smooth(season, policy))


@settings(LAWFUL, max_examples=draws(50))
@given(season=seasons(), policy=policies(), data=st.data())
def test_what_comes_later_than_allowed_is_applied_all_the_same(
    season: list[Event], policy: dict[str, Any], data: st.DataObject
) -> None:
    arrival = data.draw(arrivals(season, ANY_TIME))
    assert lines(judged(arrival.messages, arrival.batches, policy)) == lines(smooth(season, policy))
