"""How many statements it takes to tell of incidents depends on how many pages they fill, not on how many they are."""

from collections import Counter
from contextlib import contextmanager

from api.outbound.outlets import States
from domain.incidents.commands import Acknowledge
from tests.outbound.late import late
from tests.projections.staffed import do
from tests.projections.test_statements import Counting
from tests.story import LATER


def told_of(told, monkeypatch):
    """Read all that there is to tell; gives which incidents, and how many statements that took."""
    counter = Counter()
    reading = told.store.reading

    @contextmanager
    def counting(seconds=None):
        with reading(seconds) as rows:
            yield Counting(rows, counter, "")

    outlet = States(told.store, told.log.store, told.log.store.epoch(), "states", lambda: LATER)
    with monkeypatch.context() as patch:
        patch.setattr(told.store, "reading", counting)
        page = outlet.read(None)
    return [one.key.decode() for one in page.records], counter[""]


def test_forty_incidents_take_as_many_statements_as_two(told, monkeypatch):
    late(told, "1", "2")
    do(told, "incident-late_shipment-F1", Acknowledge(by="mei", until=LATER), 40)
    names, few = told_of(told, monkeypatch)
    assert sorted(names) == ["incident-late_shipment-F1", "incident-late_shipment-F2"]
    late(told, *(f"{n:02}" for n in range(10, 48)))
    names, many = told_of(told, monkeypatch)
    assert len(set(names)) == len(names) == 40
    assert many == few > 0
