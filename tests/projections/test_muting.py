"""Who speaks for whom: a parcel has one voice, a backlog and a cluster speak for their members."""

import pytest

from domain.detection import Finding, FindingAmended, FindingEnded, FindingOpened, incident_id
from domain.groups.backlog import BacklogMemberChanged
from domain.groups.cluster import ClusterMemberChanged
from domain.history.log import Beside, Recorded
from domain.instant import iso
from domain.judging.adoption import adopt
from projections import incidents
from tests.projections.staffed import all_of, muted, rebuilt
from tests.projections.stage import stage
from tests.story import at, complained, heartbeat, placed, requested, scanned

STALLED, LOST = (incident_id(kind, "P") for kind in ("stalled_parcel", "presumed_lost"))
F1, F2 = incident_id("late_shipment", "F1"), incident_id("late_shipment", "F2")
FULL = incident_id("warehouse_backlog", "W")
SPEAKS = (None, None)


def finding(kind, subject, due, *, ended=None, orders=("O",), **more):
    members = {"rule": "r", "policy": "p", "proof": (), "severity": "high", "detail": {"severity": {}}} | more
    return Finding(
        kind=kind,
        subject=subject,
        since=at(due),
        due_at=at(due),
        ended_at=None if ended is None else at(ended),
        order_ids=orders,
        **members,
    )


class Told:
    """Writes the streams of groups, which nothing here decides on."""

    def __init__(self, told):
        self.told = told
        self.versions = {}

    def __call__(self, stream, *events):
        for event in events:
            self.versions[stream] = self.versions.get(stream, 0) + 1
            self.told.log.append([Recorded(stream, self.versions[stream], event)], Beside())
        self.told.follow()

    def opens(self, stream, one):
        self(stream, FindingOpened(finding=one, known_up_to=one.due_at))

    def ends(self, stream, one):
        self(stream, FindingEnded(finding=one, known_up_to=one.ended_at))


@pytest.fixture
def write(told):
    return Told(told)


def late(told, *names, until=30):
    for name in names:
        order = f"O{name}"
        told.desk.take(placed(0, of=order, key=f"p{name}"), requested(0, f"F{name}", of=order, ship_by=20))
    told.come(until)


def member(name, *, until=None, gone=False, orders=("O1",)):
    return BacklogMemberChanged(member=name, order_ids=orders, since=at(20), until=until, gone=gone)


def test_a_lost_parcel_is_not_also_said_to_stand_still(told):
    told.hear(placed(0), requested(0, ship_by=900), scanned(1), heartbeat(80), until=79)
    assert muted(told) == {STALLED: SPEAKS}
    told.hear(heartbeat(400), until=399)
    assert muted(told) == {STALLED: (LOST, "stronger"), LOST: SPEAKS}
    told.hear(scanned(390, status="in_transit"), until=400)
    assert muted(told) == {}
    rebuilt(told)


@pytest.mark.parametrize(
    ("stronger", "weaker"),
    [
        (("presumed_lost", "window"), ("delivery_failed", "refused")),
        (("presumed_lost", "status"), ("stalled_parcel", "no_movement")),
        (("delivery_failed", "refused"), ("stalled_parcel", "no_movement")),
        (("delivery_failed", "attempt"), ("stalled_parcel", "no_movement")),
        (("presumed_lost", "status"), ("damaged_parcel", "damaged")),
        (("delivery_failed", "refused"), ("damaged_parcel", "damaged")),
        (("damaged_parcel", "damaged"), ("delivery_failed", "attempt")),
        (("damaged_parcel", "damaged"), ("stalled_parcel", "no_movement")),
    ],
)
@pytest.mark.parametrize("stronger_first", [True, False])
def test_the_stronger_speaks_for_the_parcel_until_it_ends(told, write, stronger, weaker, stronger_first):
    strong, weak = (finding(kind, "P", due, rule=rule) for due, (kind, rule) in ((9, stronger), (5, weaker)))
    for one in (strong, weak) if stronger_first else (weak, strong):
        write.opens("parcel-P", one)
    assert muted(told) == {strong.incident: SPEAKS, weak.incident: (strong.incident, "stronger")}
    write.ends("parcel-P", finding(stronger[0], "P", 9, rule=stronger[1], ended=12))
    assert muted(told) == {weak.incident: SPEAKS}
    rebuilt(told)


def test_parcels_do_not_speak_for_each_other_nor_for_their_order(told, write):
    write.opens("parcel-P", finding("presumed_lost", "P", 5))
    write.opens("parcel-Q", finding("stalled_parcel", "Q", 5))
    late(told, "1")
    assert set(muted(told).values()) == {SPEAKS}


@pytest.mark.parametrize("backlog_first", [True, False])
def test_a_backlog_speaks_for_its_members_and_for_nobody_else(told, write, backlog_first):
    opened = finding("warehouse_backlog", "W", 24, warehouse_id="W", orders=("O1",))
    if not backlog_first:
        late(told, "1", "2")
    write("backlog-warehouse-W", member("F1@1"))
    write.opens("backlog-warehouse-W", opened)
    if backlog_first:
        late(told, "1", "2")
    assert muted(told) == {F1: (FULL, "backlog"), F2: SPEAKS, FULL: SPEAKS}
    assert all_of(told)[FULL].members == 1
    rebuilt(told)


def test_a_member_that_left_and_one_whose_backlog_ended_speak_for_themselves(told, write):
    late(told, "1", "2")
    write("backlog-warehouse-W", member("F1@1"), member("F2@1"))
    write.opens("backlog-warehouse-W", finding("warehouse_backlog", "W", 24))
    write("backlog-warehouse-W", member("F2@1", gone=True))
    assert (muted(told)[F1], muted(told)[F2]) == ((FULL, "backlog"), SPEAKS)
    write.ends("backlog-warehouse-W", finding("warehouse_backlog", "W", 24, ended=48))
    assert muted(told) == {F1: SPEAKS, F2: SPEAKS}
    rebuilt(told)


def test_a_carriers_backlog_speaks_for_stalled_parcels_and_for_late_deliveries_of_their_orders(told, write):
    write.opens("parcel-P", finding("stalled_parcel", "P", 20, parcel_id="P", carrier="SF"))
    write.opens("order-O", finding("late_delivery", "O", 22))
    write("backlog-carrier-SF", member("P@1", orders=("O",)))
    write.opens("backlog-carrier-SF", finding("carrier_backlog", "SF", 24, carrier="SF"))
    hub = incident_id("carrier_backlog", "SF")
    assert muted(told) == {STALLED: (hub, "backlog"), incident_id("late_delivery", "O"): (hub, "backlog"), hub: SPEAKS}


def test_a_cluster_speaks_for_the_mis_shipments_of_the_orders_it_still_has_to_reach(told, write):
    cluster = incident_id("mis_shipment_cluster", "TEA:W:1")
    wrong = incident_id("mis_shipment", "P")
    opened = finding("mis_shipment_cluster", "TEA:W:1", 9, orders=("O", "O2"), detail={"ranked": ["O", "O2"]})
    write.opens("parcel-P", finding("mis_shipment", "P", 5, parcel_id="P"))
    write.opens("cluster-binding-TEA", opened)
    assert muted(told)[wrong] == (cluster, "cluster")
    write(
        "cluster-binding-TEA",
        FindingAmended(
            finding=finding("mis_shipment_cluster", "TEA:W:1", 9, orders=("O", "O2"), detail={"ranked": ["O2"]}),
            known_up_to=at(10),
        ),
    )
    assert muted(told)[wrong] == SPEAKS
    assert ClusterMemberChanged.TOPIC not in incidents.VIEW.topics
    rebuilt(told)


def test_a_duplicate_complaint_is_spoken_for_by_the_case_it_belongs_to(told):
    told.hear(placed(0))
    told.hear(
        complained(1, "C1", order_id="O", category="late", key="c1"),
        complained(2, "C2", order_id="O", category="late", key="c2"),
        until=3,
    )
    lead, other = (incident_id("complaint_overdue", name, "first_response") for name in ("C1", "C2"))
    shown = muted(told)
    assert (shown[lead], shown[other]) == (SPEAKS, (lead, "duplicate"))
    rebuilt(told)


MENDED = """
[maintenance."stocktaking"]
since = 2026-03-01T10:00:00Z
until = 2026-03-03T00:00:00Z
reason = "counting"
warehouse = "W"
"""


def counted(told, when, *, yes):
    with told.store.reading() as rows:
        return len(incidents.listed(rows, incidents.Filter(), 10, also=[incidents.muted(at(when), yes=yes)]))


@pytest.mark.parametrize("adopted_later", [True, False])
def test_maintenance_mutes_with_its_reason_until_it_is_over(tmp_path, adopted_later):
    with stage(tmp_path, "" if adopted_later else MENDED) as told:
        late(told, "1")
        if adopted_later:
            assert all_of(told)[F1].mending is None
            adopt(told.log, MENDED, at(31))
            told.follow()
        mending = all_of(told)[F1].mending
        assert (mending.name, iso(mending.until), mending.why) == ("stocktaking", "2026-03-03T00:00:00Z", "counting")
        assert (counted(told, 47, yes=True), counted(told, 47, yes=False)) == (1, 0)
        assert (counted(told, 48, yes=True), counted(told, 48, yes=False)) == (0, 1)
        rebuilt(told)


def test_what_has_ended_is_muted_by_nobody(told, write):
    late(told, "1")
    write("backlog-warehouse-W", member("F1@1"))
    write.opens("backlog-warehouse-W", finding("warehouse_backlog", "W", 24))
    told.hear(scanned(31, "P1", fulfillment_ids=("F1",)), until=32)
    assert all_of(told)[F1].muted_by is None
    rebuilt(told)


def test_a_member_that_no_longer_counts_speaks_for_itself_though_the_backlog_goes_on(told, write):
    late(told, "1")
    write("backlog-warehouse-W", member("F1@1", until=at(25)))
    write.opens("backlog-warehouse-W", finding("warehouse_backlog", "W", 24))
    assert muted(told)[F1] == SPEAKS
    rebuilt(told)
