"""Messages as producers might send them, good and bad, and what the edge makes of them."""

import json
from typing import Any, Final

from consumers.translate import Translator
from domain.errors import Unreadable
from domain.events import Fact
from domain.history.batch import Foreign, Incoming, Raw
from tests.story import LATER, raw

STRUCTURED: Final = "application/cloudevents+json; charset=utf-8"
PLACED: Final[dict[str, Any]] = {"order_id": "O", "lines": [{"line_id": "1", "sku": "A", "quantity": 1}]}


def envelope(**attributes: Any) -> dict[str, Any]:
    """Give the envelope of a good order.placed with these attributes changed; None leaves one out."""
    whole: dict[str, Any] = {
        "specversion": "1.0",
        "id": "1",
        "source": "/shops/a",
        "type": "order.placed.v1",
        "time": "2026-03-01T00:00:00Z",
        "data": PLACED,
    }
    return {name: value for name, value in (whole | attributes).items() if value is not None}


def message(kind: str = "order.placed.v1", data: Any = None, **attributes: Any) -> bytes:
    """Write an event of this type as JSON."""
    return json.dumps(envelope(type=kind, data=PLACED if data is None else data, **attributes)).encode()


def placed(**members: Any) -> bytes:
    """Write an order.placed with these members of data changed."""
    return message(data=PLACED | members)


def line(**members: Any) -> bytes:
    """Write an order.placed with these members of its line changed."""
    return placed(lines=[PLACED["lines"][0] | members])


def incoming(
    value: bytes | Raw | None, zones: dict[str, str] | None = None, now: int = LATER, **headers: Any
) -> Incoming:
    """Read a record."""
    record = value if isinstance(value, Raw) else raw(value, **headers)
    return Translator(zones or {}).incoming(7, record, now)


def read(value: bytes | Raw | None, **more: Any) -> Fact | Foreign | Unreadable:
    """Say what a record says."""
    return incoming(value, **more).content


def code(value: bytes | Raw | None, **more: Any) -> str:
    """Say under which code a record is refused, or ``taken`` or ``foreign``."""
    content = read(value, **more)
    if isinstance(content, Unreadable):
        return content.code
    return "foreign" if isinstance(content, Foreign) else "taken"
