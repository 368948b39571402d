"""The desk's clock and the lists agree on who speaks for whom."""

from domain.detection import FindingEnded, FindingOpened, incident_id
from domain.history.log import Beside, Recorded
from domain.incidents.urgency import IncidentEscalated, IncidentMuted
from tests.projections.staffed import muted
from tests.projections.stage import stage
from tests.projections.test_escalation_view import come
from tests.projections.test_muting import finding
from tests.story import at, heartbeat, line, packed, piece, placed, scanned

STEP = '[[incidents.escalation]]\nafter = "1h"\nto = "leads"\nkinds = {}\n'
STALLED, LATE = incident_id("stalled_parcel", "P"), incident_id("late_delivery", "O")
HUB = incident_id("carrier_backlog", "SF")


def write(told, stream, event):
    begun = len(list(told.log.stream(stream)))
    told.log.append([Recorded(stream, begun + 1, event)], Beside())


def kept_by(told, name):
    """Name, in order, who kept an incident from going up."""
    return [one.speaker for one in told.log.stream(name) if isinstance(one, IncidentMuted)]


def went_up(told, name):
    return any(isinstance(one, IncidentEscalated) for one in told.log.stream(name))


def test_a_carrier_s_backlog_keeps_what_stands_still_and_what_is_late_by_it(tmp_path):
    kinds = '["stalled_parcel", "late_delivery"]'
    with stage(tmp_path, f"{STEP.format(kinds)}[kinds]\nenabled = {kinds}") as told:
        told.desk.take(placed(0, deliver_by=80), scanned(1, order_ids=("O",), carrier="SF"), heartbeat(90), until=89)
        come(told, 89)
        write(
            told, "backlog-carrier-SF", FindingOpened(finding=finding("carrier_backlog", "SF", 85), known_up_to=at(89))
        )
        told.desk.take(heartbeat(100))
        come(told, 95)
        assert muted(told) == {STALLED: (HUB, "backlog"), LATE: (HUB, "backlog"), HUB: (None, None)}
        assert {name: kept_by(told, name) for name in (STALLED, LATE)} == {STALLED: [HUB], LATE: [HUB]}
        assert [went_up(told, name) for name in (STALLED, LATE)] == [False, False]
        over = finding("carrier_backlog", "SF", 85, ended=96)
        write(told, "backlog-carrier-SF", FindingEnded(finding=over, known_up_to=at(96)))
        come(told, 97)
        assert muted(told) == {STALLED: (None, None), LATE: (None, None)}
        assert [went_up(told, name) for name in (STALLED, LATE)] == [True, True]


def test_a_member_that_left_a_backlog_that_goes_on_speaks_for_itself(tmp_path):
    kinds = '["late_delivery", "stalled_parcel"]'
    with stage(tmp_path, f"{STEP.format(kinds)}[kinds]\nenabled = {kinds}") as told:
        told.desk.take(placed(0, deliver_by=800), scanned(1, order_ids=("O",), carrier="SF"), heartbeat(90), until=89)
        come(told, 89)
        write(
            told, "backlog-carrier-SF", FindingOpened(finding=finding("carrier_backlog", "SF", 85), known_up_to=at(89))
        )
        told.desk.take(heartbeat(100))
        come(told, 95)
        assert kept_by(told, STALLED) == [HUB]
        told.desk.take(scanned(96, status="in_transit", order_ids=("O",), carrier="SF"), heartbeat(260), until=259)
        come(told, 259)
        told.desk.take(heartbeat(300))
        # It stands still again: it counts there again, and is kept again.
        come(told, 270)
        assert muted(told)[STALLED] == (HUB, "backlog")
        assert kept_by(told, STALLED)[-1] == HUB
        assert not went_up(told, STALLED)


def test_a_cluster_keeps_the_mis_shipments_that_it_speaks_for(tmp_path):
    rules = '[kinds]\nenabled = ["mis_shipment", "mis_shipment_cluster"]\n[cluster]\nminimum = 3\n'
    with stage(tmp_path, STEP.format('["mis_shipment"]') + rules) as told:
        for name in "abc":
            box = packed(5, f"P{name}", piece("B", of=f"O{name}"), warehouse_id="W", binding_version="2")
            wanted = {"expected": (piece("A", of=f"O{name}"),)}
            told.desk.take(placed(0, line("1", "A"), of=f"O{name}", customer_id=f"C{name}"), until=6)
            told.desk.take(
                type(box)(**{field: getattr(box, field) for field in box.__struct_fields__} | wanted), until=6
            )
        come(told, 6)
        come(told, 20)
        [cluster] = [name for name in muted(told) if "cluster" in name]
        wrong = [incident_id("mis_shipment", f"P{name}") for name in "abc"]
        assert {muted(told)[name] for name in wrong} == {(cluster, "cluster")}
        assert [kept_by(told, name) for name in wrong] == [[cluster]] * 3
        assert not any(went_up(told, name) for name in wrong)
