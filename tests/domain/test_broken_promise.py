"""Promises of staff: clocks of their own, kept by what was promised or by settling the incident."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.history.log import Log
from domain.incidents.commands import Contact, Resolve
from domain.incidents.events import Promise, Promised
from domain.judging.report import final
from domain.staff.desk import Case, Desk
from tests.story import Desk as Ingest
from tests.story import at, cancelled, file_log, hours, placed, requested, scanned

LATE = Case("incident-late_shipment-F", "order-O")


@pytest.fixture(name="log")
def a_log_on_disk(tmp_path: Path) -> Iterator[Log]:
    with file_log(tmp_path / "log.db") as log:
        yield log


@pytest.fixture(name="shop")
def a_late_order(log: Log) -> Ingest:
    shop = Ingest(log)
    shop.take(placed(0), requested(0, ship_by=10), until=20)
    return shop


def promise(log: Log, what: Promised, until: float, when: float = 21) -> None:
    """Tell the customer on the phone that something will be done, without naming the order."""
    said = Contact(by="li", channel="chat", outcome="reached", promise=Promise(what=what, until=at(until)))
    Desk(log).handle(LATE, said, at=at(when))


def pass_time(shop: Ingest, until: float) -> None:
    while shop.tracker.group(at(until)) or shop.tracker.tick(at(until)):
        pass


def broken(log: Log) -> list[tuple[float | None, float | None, str, str]]:
    found = [one.finding for one in final(log) if one.finding.kind == "broken_promise" and not one.retracted]
    return [(hours(one.due_at), hours(one.ended_at), one.rule, one.subject) for one in found]


def test_what_was_promised_and_did_not_happen_is_found_at_the_time_that_was_named(log: Log, shop: Ingest) -> None:
    promise(log, "shipped", 30)
    pass_time(shop, 30)
    assert broken(log) == []
    pass_time(shop, 30.001)
    assert broken(log) == [(30, None, "shipped", "incident-late_shipment-F:1")]


def test_what_happened_in_time_is_no_news(log: Log, shop: Ingest) -> None:
    promise(log, "shipped", 30)
    shop.take(scanned(30), until=31)
    pass_time(shop, 40)
    assert broken(log) == []


def test_it_ends_when_it_happens_after_all(log: Log, shop: Ingest) -> None:
    promise(log, "delivered", 30)
    shop.take(scanned(25), until=31)
    pass_time(shop, 40)
    assert broken(log) == [(30, None, "delivered", "incident-late_shipment-F:1")]
    shop.take(scanned(45, status="delivered"), until=46)
    assert broken(log) == [(30, 45, "delivered", "incident-late_shipment-F:1")]


def test_nobody_is_owed_a_parcel_of_a_cancelled_order(log: Log, shop: Ingest) -> None:
    promise(log, "delivered", 30)
    shop.take(cancelled(25), until=31)
    pass_time(shop, 40)
    assert broken(log) == []


@pytest.mark.parametrize("what", ["called_back", "refunded", "price_held", "other"])
def test_what_no_feed_can_show_is_kept_when_the_incident_is_settled(log: Log, shop: Ingest, what: Promised) -> None:
    promise(log, what, 30)
    pass_time(shop, 35)
    Desk(log).handle(LATE, Resolve(by="li", outcome="settled"), at=at(36))
    pass_time(shop, 40)
    assert broken(log) == [(30, 36, what, "incident-late_shipment-F:1")]


def test_another_contact_is_the_call_that_was_promised(log: Log, shop: Ingest) -> None:
    promise(log, "called_back", 30)
    Desk(log).handle(LATE, Contact(by="wu", channel="chat", outcome="reached"), at=at(28))
    pass_time(shop, 40)
    assert broken(log) == []


def test_being_told_twice_changes_nothing(log: Log, shop: Ingest) -> None:
    promise(log, "other", 30)
    pass_time(shop, 40)
    pass_time(Ingest(log), 41)
    assert len(log.stream("order-O")) == len({(type(one), str(one)) for one in log.stream("order-O")})
    assert broken(log) == [(30, None, "other", "incident-late_shipment-F:1")]
