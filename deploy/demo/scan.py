"""What a carrier says of a parcel at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a carrier."""

    at: datetime
    status: str
    facility_id: str
    region: str
