"""How the role is put together from its settings."""

import pytest
from prometheus_client import CollectorRegistry

from deploy import delivering
from deploy.delivering import Delivery, delivers
from deploy.settings import Outbound, Settings
from deploy.wiring import CannotStart, open_views, system

SOURCES = ("a", "b", "c")


def delivery(**chosen):
    return Delivery({}, Outbound(**chosen), SOURCES)


def test_without_a_kafka_it_says_which_setting_names_one(tmp_path):
    with pytest.raises(CannotStart, match="KAFKA_BOOTSTRAP_SERVERS"):
        delivering.deliver(Settings(data_dir=tmp_path, bootstrap_servers=None))


def test_where_nothing_is_to_be_delivered_it_does_not_start(tmp_path):
    settings, nothing = Settings(data_dir=tmp_path), delivery(changes="", states="", dead_letters=False)
    with (
        system(settings) as parts,
        open_views(settings) as views,
        pytest.raises(CannotStart, match=r"outbound\.changes"),
    ):
        delivers(parts, views, nothing, CollectorRegistry(), lambda _role, _active: None)


def test_every_topic_of_the_contract_is_told_unless_it_is_taken_away():
    incidents, state = "order-incidents.incidents.v1", "order-incidents.incidents.state.v1"
    letters = ["a.dlq", "b.dlq", "c.dlq"]
    assert delivering.told(delivery()) == [incidents, state, *letters]
    assert delivering.told(delivery(dead_letters=False)) == [incidents, state]
    assert delivering.told(delivery(changes="")) == [state, *letters]
    assert delivering.told(delivery(states="", changes="mine")) == ["mine", *letters]


def test_names_of_one_run_alone_are_below_a_prefix():
    below = Outbound(states="").below("demo.")
    assert (below.changes, below.states) == ("demo.order-incidents.incidents.v1", "")
