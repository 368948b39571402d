"""Orders that become late, and parcels that are got after all."""

from tests.story import placed, requested, scanned


def late(told, *names):
    for name in names:
        told.desk.take(placed(0, of=f"O{name}", key=f"p{name}"), requested(0, f"F{name}", of=f"O{name}", ship_by=20))
    told.desk.tick(30)
    told.follow()


def got(told, name):
    told.hear(scanned(31, f"P{name}", fulfillment_ids=(f"F{name}",)), until=34)
