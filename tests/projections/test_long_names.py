"""Names as long as the edge takes them, of characters that hardly compress, stand in every index of every store."""

from random import Random

import orjson
import pytest

from consumers.lengths import LONGEST
from consumers.rules import MAX_ID
from domain.groups.cluster import subject
from domain.history.log import Beside, Related
from domain.naming import stream
from tests.stories.pen import CARRIER, at_facility, event, packed, placed, priced, requested
from tests.story import at

ALPHABETS = {"four bytes": (0x30000, 0x10FFFD), "three bytes": (0x3400, 0xABFF), "two bytes": (0x400, 0x52F)}


class Namer:
    """Makes names of characters of one alphabet, each time others."""

    def __init__(self, alphabet):
        self.first, self.last = ALPHABETS[alphabet]
        self.dice = Random(7)
        self.wide = len(stream("", chr(self.first))) - 1

    def make(self, length):
        return "".join(chr(self.dice.randint(self.first, self.last)) for _ in range(length))

    def share(self, parts):
        """Make a part of a name that so many parts make as long as may be, as far as keys go."""
        return self.make(min((LONGEST - 40) // self.wide // parts, MAX_ID))


@pytest.fixture(params=ALPHABETS)
def namer(request):
    return Namer(request.param)


def follow(told, *said):
    """Take events in, let groups and time come to an end, and let the views follow; ids are short where not given."""
    told.desk.take(*(orjson.dumps(one | {"id": one.get("named", str(place))}) for place, one in enumerate(said)))
    while told.desk.tracker.tick(at(2000)) + told.desk.tracker.group(at(2000)):
        pass
    told.follow()
    assert told.desk.held_back() == []
    assert told.query("SELECT view, stream, error FROM parked") == []


def test_a_fall_in_price_and_a_silent_feed(told, namer):
    sku, order, source = namer.share(2), namer.make(MAX_ID), namer.make((LONGEST - 10) // namer.wide)
    fell = priced(40, sku, "80.00") | {"named": namer.share(2)}
    follow(
        told,
        priced(0, sku, "100.00"),
        placed(1, order, sku, customer_id=namer.make(MAX_ID)),
        fell,
        event("feed.heartbeat", 40, source[:256], "beat"),
        event("feed.heartbeat", 1999, "/s", "beat"),
    )
    kinds = {row[0] for row in told.query("SELECT kind FROM incidents")}
    assert kinds >= {"price_difference", "feed_silent"}


def test_an_order_its_parcel_and_its_binding(told, namer):
    order, place, sku = namer.make(MAX_ID - 2), namer.share(3), namer.share(3)  # pens write two before an order's
    scan = at_facility(30, order, "picked_up", namer.make(MAX_ID))
    number = {"carrier": namer.make(MAX_ID), "tracking_number": namer.make(MAX_ID), "parcel_id": f"P-{order}"}
    follow(
        told,
        placed(0, order, sku, customer_id=namer.make(MAX_ID)),
        requested(1, order, place, 20),
        event("item.out_of_stock", 2, "/s", "out", order_id=order, sku=sku, warehouse_id=place),
        packed(3, order, sku, namer.share(3), place),
        event("parcel.labelled", 4, "/s", "label", order_ids=[order], **number),
        scan | {"data": scan["data"] | {"carrier": number["carrier"]}},
        event("feed.heartbeat", 1999, CARRIER, "beat"),
    )
    kinds = {row[0] for row in told.query("SELECT kind FROM incidents")}
    assert kinds >= {"late_shipment", "stock_out", "stalled_parcel"}
    assert len(told.query("SELECT * FROM cluster_members")) == 1


def test_a_cluster_stands_twice_in_a_row_of_the_log_s_index(told, namer):
    parts = [namer.share(3) for _ in range(3)]
    name = stream("cluster", "binding", subject(*parts))
    row = Related(f"breaks out {name}", 0, name)
    told.log.append([], Beside(relate=[row]))
    assert told.log.store.related([row.what], 0, 0) == [row]
