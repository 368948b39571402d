"""Every label a season may bear, by what it tells; the census fails when one is never or seldom seen."""

SHIPPING = """
heartbeat; known type that must not matter; foreign family; another offset; fraction of a second; empty list
equal times; several sources at one instant; told again under another id
implicit fulfilment; ship_by before placing; approved after ship_by; never approved; placed twice; never placed
requested twice; several fulfilments; overlapping fulfilments; starts after ship_by; starts by ship_by
request for an unknown line
promise moved by customer; promise moved by platform; promise moved by merchant; promise moved for the order
promise moved for the fulfilment; promise moved before ship_by; promise moved at ship_by
promise moved after ship_by; promise moved to a date that had passed; first promise by a promise change
hold of the order; hold of the fulfilment; held at the deadline; released at the deadline; hold without end
release of what was not held; holds for several reasons
line cancelled; order cancelled; cancelled before ship_by; cancelled at ship_by; cancelled after ship_by
voided by possession; voided after possession; replaced parcel; packed for several orders; expected contents
names several orders; names several fulfilments; packed twice; order in several parcels
label echo; raw code only; scan in 1970; scan before its order; parcel of an unknown order
delivered before picked up; recycled number; scan by number before its label; scan by number after its label
"""
SHIPPED_LATE = """
late; nothing late; late by two promises; several findings in one order; late, open; late, ended; knowable later
handed over before it was knowable; a hold moved a deadline that was missed; late by a moved promise
implicit fulfilment late; ended by parcel.scanned; ended by order.cancelled; ended by order.promise_changed
a void matters; a packing record matters; a label matters; a scan by number matters; a hold matters
a release matters; a promise change matters; a promise moved by the merchant matters
a cancelled line matters; a foreign event moves time; a shared parcel matters to several orders
handed over on the dot; a later start spares; a deadline lies behind the end; a recycled number matters
"""
JOURNEYS = """
both promises moved at once; complaint answered; complaint categorised; complaint escalated; complaint never opened
complaint of no order; complaint opened twice; complaint reopened; complaint resolved
complaint told of before it was opened; complaint waiting on carrier; complaint waiting on customer
complaint waiting on staff; complaint: damaged; complaint: defective; complaint: extra_item; complaint: late
complaint: missing_item; complaint: no category; complaint: not_received; complaint: other; complaint: wrong_item
complex complaint; contents as expected; contents not as expected; delay said again at the same place
delay said again elsewhere; delivery promise given late; delivery promise moved afterwards
delivery promise moved by customer; delivery promise moved by merchant; delivery promise moved by platform
delivery promise moved in time; delivery promised; delivery promised as a date; delivery promised to the hour
feed that falls silent; gift line; hold said again at the same place; hold said again elsewhere; item out_of_stock
item picked; item restocked; last parcel; lost and found again; not the last parcel; one feed with heartbeats
one trouble over several channels; out of stock after a pick; out of stock for an unknown order
out of stock said again; picked after all; planned gift; repacked otherwise; replacement packed; resolved again
scan ahead of all else
scan long afterwards; scan: customs_hold; scan: damaged; scan: lost; scan: on_hold; scan: ready_for_pickup
scan: refused; scan: return_to_sender; scan: returned; scanned after its end; scanned by several feeds
scans of a feed without heartbeats; season of many days; several attempts failed; several complaints of one order
several feeds with heartbeats; several steps of a complaint at one instant
"""
FOUND = """
a heartbeat matters; a silent feed keeps something back; backlog of weeks; carrier_backlog, ended
carrier_backlog, open; complaint_overdue again at one subject; complaint_overdue by first_response
complaint_overdue by resolution; complaint_overdue knowable later; complaint_overdue, ended; complaint_overdue, open
damaged_parcel of several orders; damaged_parcel, ended; damaged_parcel, open
delivery_failed by attempt; delivery_failed by pickup_wait; delivery_failed by refused
delivery_failed of several orders; delivery_failed, ended; delivery_failed, open; late_delivery, ended
late_delivery knowable later
late_delivery, open; mis_shipment again at one subject; mis_shipment knowable later; mis_shipment of a complaint
mis_shipment of a parcel; mis_shipment of several orders; mis_shipment, ended; mis_shipment, open
presumed_lost again at one subject; presumed_lost by status; presumed_lost by window
presumed_lost of several orders; presumed_lost, ended; presumed_lost, open; scanned on the dot
stalled_parcel again at one subject; stalled_parcel of several orders; stalled_parcel, ended; stalled_parcel, open
stock_out again at one subject; stock_out, ended; stock_out, open; three kinds of trouble with one order
unconfirmed_handover of several orders; unconfirmed_handover, ended; unconfirmed_handover, open
warehouse_backlog, ended; warehouse_backlog, open
"""
DECLARED = tuple(
    name.strip()
    for part in (SHIPPING, SHIPPED_LATE, JOURNEYS, FOUND)
    for line in part.split("\n")
    for name in line.split(";")
    if name
)
