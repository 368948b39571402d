"""Names of streams and instants: no two things share one, and none is out of range."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from domain.history.log import EVENTS
from domain.history.record import identity, record_digest
from domain.history.streams import Stream
from domain.instant import FOREVER, instant, iso, moment
from domain.naming import stream
from tests.story import fact, held, raw

keys = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
tricky = st.text("a-%2D/ ~_.", min_size=1, max_size=6)


@given(st.lists(keys | tricky, min_size=1, max_size=2), st.lists(keys | tricky, min_size=1, max_size=2))
@example(["a-b"], ["a", "b"])
@example(["a%2Db"], ["a-b"])
@example(["a-b", "c"], ["a", "b-c"])
def test_no_two_keys_share_a_stream(one: list[str], other: list[str]) -> None:
    if len(one) == len(other):
        assert (stream("tracking", *one) == stream("tracking", *other)) == (one == other)


@given(keys | tricky)
def test_a_stream_gives_its_key_back(key: str) -> None:
    name = stream("order", key)
    assert Stream(name).state.id == key
    assert name.isascii()
    assert not set(name) & set("/ \0\n")


def test_kinds_do_not_run_into_each_other() -> None:
    assert len({stream(kind, "x") for kind in ("order", "parcel", "fulfillment", "tracking")}) == 4


@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_instants_keep_every_microsecond_of_the_calendar(when: datetime) -> None:
    at = instant(when)
    if timedelta(0) <= moment(at) - datetime.min.replace(tzinfo=UTC):
        exact = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
        assert (moment(at), instant(moment(at))) == (exact, at)


@given(st.integers(-FOREVER, FOREVER))
def test_every_instant_can_be_written(at: int) -> None:
    text = iso(at)
    assert text.endswith("Z")
    assert "0001-01-01T00:00:00Z" <= text <= "9999-12-31T23:59:59.999999Z"


@given(st.datetimes(), st.datetimes())
def test_what_is_written_sorts_like_what_it_means_to_the_second(one: datetime, other: datetime) -> None:
    first, second = (instant(when.replace(tzinfo=UTC, microsecond=0)) for when in (one, other))
    assert (iso(first) < iso(second)) == (first < second)


def test_every_topic_ends_in_its_version() -> None:
    assert all(event.TOPIC.rpartition(".v")[2].isdigit() for event in EVENTS)


def test_an_event_is_known_by_its_source_and_id_alone() -> None:
    assert identity(held(1, key="x")) == identity(fact(type(held(1)), 9, key="x", order_id="Q", reason="r"))
    assert identity(held(1, key="x")) != identity(held(1, key="x", source="/t"))
    assert len(identity(held(1))) == 16


def test_a_record_is_known_by_its_key_and_value() -> None:
    one = raw(b"v")
    assert record_digest(one) == record_digest(one._replace(headers=(), stamped_at=5))
    assert len({record_digest(one._replace(**change)) for change in ({}, {"key": b"x"}, {"value": b"w"})}) == 3
    assert len(record_digest(one._replace(key=None, value=None))) == 8
