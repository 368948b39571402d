"""Every rule of the tracker: one module a kind, named after it, and one line here."""

from domain.detection import Detector
from domain.detectors import late_shipment
from domain.order import Order

ORDER_DETECTORS: tuple[Detector[Order], ...] = (late_shipment.DETECTOR,)
"""Rules over orders; each is run on every order that changed and on every order whose deadline came."""
