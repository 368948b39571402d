"""When each warehouse gets round to packing what waits there."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from deploy.demo.catalogue import LOCAL, WAREHOUSES, Warehouse
from deploy.demo.world import Packing

if TYPE_CHECKING:
    from deploy.demo.world import Job, World

_OPENS: Final = time(8)
_CLOSES: Final = time(22)
_HOUR: Final = timedelta(hours=1)


def pack(world: World, jobs: list[Job]) -> list[Packing]:
    """Say when every job that still has something in it is packed, first come first served."""
    packings = []
    for warehouse in WAREHOUSES.values():
        waiting = [job for job in jobs if job.warehouse is warehouse and any(one.lines for one in job.fulfilments)]
        free = world.earliest
        for job in sorted(waiting, key=lambda one: (one.ready_at, one.name)):
            free = _done(world, warehouse, max(free, job.ready_at))
            packings.append(Packing(job, free))
    return sorted(packings, key=lambda one: (one.packed_at, one.job.name))


def opening(at: datetime) -> datetime:
    """Return this time, or the next morning where nobody packs at this time."""
    local = at.astimezone(LOCAL)
    if local.time() < _OPENS:
        return datetime.combine(local.date(), _OPENS, LOCAL)
    if local.time() >= _CLOSES:
        return datetime.combine(local.date() + timedelta(days=1), _OPENS, LOCAL)
    return at


def _done(world: World, warehouse: Warehouse, since: datetime) -> datetime:
    """Return when one parcel begun at that time is packed, at the pace of each hour on the way."""
    at, left = opening(since), 1.0
    while True:
        rate = _rate(world, warehouse, at)
        full = at.replace(minute=0, second=0) + _HOUR
        possible = rate * ((full - at) / _HOUR)
        if possible >= left:
            return at + timedelta(seconds=int(left / rate * 3_600))
        at, left = opening(full), left - possible


def _rate(world: World, warehouse: Warehouse, at: datetime) -> float:
    rate = warehouse.rate
    for pace in world.paces:
        if pace.warehouse == warehouse.name and pace.since <= at < pace.until:
            rate *= pace.factor
    return rate
