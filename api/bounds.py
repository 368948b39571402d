"""Bounds: how long what names something may be, so that whatever we gave out is taken back."""

from typing import Annotated, Final

from fastapi import Path, Query

IDENTITY: Final = 16_384
"""Characters of an incident's id. A subject may be three ids or SKUs of the contract, and a character twelve of
their percent-encoding; that of a broken promise names the contact, which names the incident that it was about."""
TOKEN: Final = 512
"""Characters of a position."""
CURSOR: Final = 4 * (IDENTITY + 128) // 3
"""Characters of where a list goes on: the base64 of the last one's place in it."""

IncidentId = Annotated[str, Path(max_length=IDENTITY)]
Cursor = Annotated[str | None, Query(alias="cursor", max_length=CURSOR)]
PartId = Annotated[str, Path(max_length=IDENTITY + 128)]
"""What belongs to an incident, and is named after it."""
