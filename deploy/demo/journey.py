"""What a carrier reports about a parcel, from the van to the door."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from deploy.demo.catalogue import LOCAL, Carrier
from deploy.demo.fates import fate
from deploy.demo.journal import local_time
from deploy.demo.scan import Scan
from deploy.demo.world import Parcel, World, hours, minutes

if TYPE_CHECKING:
    from random import Random

_COLLECTED_UNSEEN: Final = 0.03
_NOBODY_AT_HOME: Final = 0.05
_TO_A_LOCKER: Final = 0.10
_LABEL_ECHOED: Final = 0.25
_ESTIMATED: Final = 0.40
_TEXT: Final = {
    "label_created": "快件信息已录入",
    "picked_up": "快件已揽收",
    "in_transit": "快件运输中",
    "departed_facility": "快件已发出",
    "arrived_facility": "快件已到达",
    "out_for_delivery": "快件派送中",
    "ready_for_pickup": "快件已存放至代收点",
    "delivery_failed": "派送未成功",
    "delivered": "快件已签收",
    "refused": "收件人拒收",
    "return_to_sender": "快件退回中",
    "returned": "快件已退回寄件人",
    "lost": "快件遗失",
    "damaged": "快件破损",
}
_REASONS: Final = {"delivery_failed": "nobody_at_home", "refused": "customer_refused"}
# What a courier enters when the system is back; where a parcel was in between, nobody ever enters.
_ENTERED_LATER: Final = frozenset(_TEXT) - {"arrived_facility", "departed_facility", "in_transit", "out_for_delivery"}


def scans(world: World, parcel: Parcel, dice: Random) -> tuple[Scan, ...]:
    """Return every scan of this parcel in order; the first is the one from which on the carrier has it."""
    collected_at = _collection(world, parcel, dice)
    order = parcel.contents[0][0].order
    depot = facility(parcel.carrier.name, parcel.warehouse.region, 1)
    target = facility(parcel.carrier.name, order.destination[0], 7)
    here, there = parcel.warehouse.region, order.destination[0]
    left_at = _leaving(world, depot, collected_at + hours(dice, 3, 6), dice)
    arrived_at = left_at + hours(dice, 13, 46)
    # Nothing has gone wrong before anybody looks.
    early = arrived_at < world.start
    route = (
        Scan(collected_at, "picked_up", depot, here),
        Scan(collected_at + minutes(dice, 50, 170), "arrived_facility", depot, here),
        Scan(left_at, "departed_facility", depot, here),
        Scan(left_at + hours(dice, 4, 10), "in_transit", depot, here),
        Scan(arrived_at, "arrived_facility", target, there),
        *(Scan(at, status, target, there) for at, status in _delivery(arrived_at, dice, smooth=early)),
    )
    told = route if early else fate(world, parcel, route, dice)
    return _with_outages(world, parcel.carrier, told[1:] if dice.random() < _COLLECTED_UNSEEN else told)


def facility(carrier: str, region: str, number: int) -> str:
    """Name a facility of a carrier: the depot (1) that collects in a region, or the one (7) that delivers there."""
    return f"{carrier.upper()}-{region[3:]}-{number}"


def tell_scans(world: World, parcel: Parcel, dice: Random) -> None:
    """Report the scans, each with the parcel id or with the tracking number only, as this carrier does."""
    first = parcel.scans[0]
    echo = Scan(parcel.labelled_at + minutes(dice, 1, 5), "label_created", first.facility_id, first.region)
    echoed = dice.random() < _LABEL_ECHOED and not world.is_down(parcel.carrier.source, echo.at)
    for scan in (echo, *parcel.scans) if echoed else parcel.scans:
        data: dict[str, Any] = {} if dice.random() < parcel.carrier.nameless else {"parcel_id": parcel.parcel_id}
        data |= {
            "carrier": parcel.carrier.name,
            "tracking_number": parcel.tracking_number,
            "status": scan.status,
            "raw_text": _TEXT[scan.status],
            "facility_id": scan.facility_id,
            "region": scan.region,
        }
        if scan.status in _REASONS:
            data["reason"] = _REASONS[scan.status]
        if scan.status == "picked_up" and dice.random() < _ESTIMATED:
            data["estimated_delivery"] = local_time(scan.at + timedelta(days=3))
        subject = data.get("parcel_id", parcel.tracking_number)
        world.journal.tell(scan.at, parcel.carrier.source, "parcel.scanned.v1", subject, data)


def _leaving(world: World, depot: str, planned: datetime, dice: Random) -> datetime:
    """Return when the parcel leaves its depot, which is when the jam there is over."""
    for jam in world.jams:
        if jam.facility_id == depot and jam.since <= planned < jam.until:
            return jam.until + hours(dice, 0, 14)
    return planned


def _with_outages(world: World, carrier: Carrier, planned: tuple[Scan, ...]) -> tuple[Scan, ...]:
    """Leave out what nobody could enter, and let couriers enter the rest once the system is back."""
    told: list[Scan] = []
    for scan in planned:
        outage = world.outage(carrier.source, scan.at)
        if outage is not None and scan.status not in _ENTERED_LATER:
            continue
        at = scan.at if outage is None else outage.until + timedelta(minutes=2 + scan.at.minute)
        # Two entries of one parcel are never of the same minute.
        told.append(replace(scan, at=max(at, told[-1].at + timedelta(minutes=1)) if told else at))
    return tuple(told)


def _collection(world: World, parcel: Parcel, dice: Random) -> datetime:
    """Return when the parcel is collected: at the first round at which the carrier really comes."""
    late = minutes(dice, 0, 25)
    for at in _rounds(parcel.carrier, parcel.labelled_at + timedelta(minutes=10)):
        if not _stalled(world, parcel, at):
            return at + late
    raise AssertionError("a carrier that never comes again")


def _rounds(carrier: Carrier, since: datetime) -> list[datetime]:
    today = since.astimezone(LOCAL).date()
    days = [today + timedelta(days=number) for number in range(60)]
    rounds = [datetime.combine(day, time(hour), LOCAL) for day in days for hour in carrier.rounds]
    return [at for at in rounds if at >= since]


def _stalled(world: World, parcel: Parcel, at: datetime) -> bool:
    return any(
        stall.since <= at < stall.until
        and stall.carrier == parcel.carrier.name
        and stall.warehouse == parcel.warehouse.name
        for stall in world.stalls
    )


def _delivery(arrived_at: datetime, dice: Random, *, smooth: bool) -> list[tuple[datetime, str]]:
    """Go out the next morning, and once more on the morning after if nobody is at home."""
    out_at = _morning_after(arrived_at, dice)
    if not smooth and dice.random() < _NOBODY_AT_HOME:
        failed_at = out_at + hours(dice, 1, 8)
        again_at = _morning_after(failed_at, dice)
        return [
            (out_at, "out_for_delivery"),
            (failed_at, "delivery_failed"),
            (again_at, "out_for_delivery"),
            (again_at + hours(dice, 1, 8), "delivered"),
        ]
    if dice.random() < _TO_A_LOCKER:
        stored_at = out_at + hours(dice, 1, 8)
        return [
            (out_at, "out_for_delivery"),
            (stored_at, "ready_for_pickup"),
            (stored_at + hours(dice, 1, 30), "delivered"),
        ]
    return [(out_at, "out_for_delivery"), (out_at + hours(dice, 1, 9), "delivered")]


def _morning_after(at: datetime, dice: Random) -> datetime:
    tomorrow = at.astimezone(LOCAL).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(7), LOCAL) + minutes(dice, 0, 150)
