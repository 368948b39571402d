"""How the role is put together from its settings, and what it does where a topic is not fit."""

import threading
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry

from api.outbound.kafka_setup import TopicUnfit
from deploy import delivering
from deploy.delivering import Delivery, DeliveryMeter, delivers
from deploy.kafka_settings import Outbound
from deploy.settings import Settings
from deploy.wiring import CannotStart, open_views, system
from deploy.workers import Crew, Worker
from tests.contracts.ingesting import until
from tests.outbound.paper import Topics

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
        delivers(parts, views, nothing, DeliveryMeter(CollectorRegistry()), lambda _role, _active: None)


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


WHY = "topic a.dlq would lose records. Set it: kafka-configs.sh"


class Cluster:
    """Topics of which one is not fit until somebody mends it."""

    def __init__(self):
        self.fit = threading.Event()
        self.asked = 0

    def connect(self, *_):
        self.asked += 1
        if not self.fit.is_set():
            raise TopicUnfit(WHY)
        return Topics().connect()


@contextmanager
def delivered(folder, monkeypatch, *, patient):
    """Deliver beside another worker until the block ends; gives cluster, metrics, meter and crew."""
    cluster, registry = Cluster(), CollectorRegistry()
    monkeypatch.setattr(delivering, "KafkaTopics", cluster.connect)
    monkeypatch.setattr(delivering, "LOOK", 0.02)
    settings, meter = Settings(data_dir=folder), DeliveryMeter(registry)
    with system(settings) as parts, open_views(settings) as views:
        worker = delivers(parts, views, delivery(), meter, lambda _role, _active: None, patient=patient)
        crew = Crew([worker, Worker("beside", lambda stop: stop.wait(30))])
        crew.start()
        try:
            yield cluster, registry, meter, crew
        finally:
            crew.end()


def test_a_patient_one_waits_until_a_topic_is_mended_and_says_so(tmp_path, monkeypatch):
    with delivered(tmp_path, monkeypatch, patient=True) as (cluster, registry, meter, crew):
        until(lambda: cluster.asked > 3)
        assert not crew.stop.is_set()
        assert registry.get_sample_value("tracker_delivery_stands_still") == 1
        assert meter.check().model_dump() == {"name": "delivery", "ok": False, "needed": False, "detail": WHY}
        cluster.fit.set()
        until(lambda: meter.check().ok)
        assert registry.get_sample_value("tracker_delivery_stands_still") == 0
    assert crew.failed == []


def test_what_was_in_the_way_is_not_told_by_one_that_no_longer_delivers(tmp_path, monkeypatch):
    with delivered(tmp_path, monkeypatch, patient=True) as (cluster, registry, meter, _crew):
        until(lambda: cluster.asked > 0)
    assert (meter.check().ok, registry.get_sample_value("tracker_delivery_stands_still")) == (True, 0)


def test_a_process_that_only_delivers_ends_and_says_why(tmp_path, monkeypatch):
    with delivered(tmp_path, monkeypatch, patient=False) as (_cluster, _registry, _meter, crew):
        until(crew.stop.is_set)
    [(name, error)] = crew.failed
    assert (name, str(error)) == ("deliver", WHY)
