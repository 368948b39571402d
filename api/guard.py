"""What every answer carries: a request id, the headers of a careful server, and a count."""

import re
import secrets
import time
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ID: Final = re.compile(rb"[A-Za-z0-9._\-]{1,64}")
_CSP: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS: Final = (
    (b"content-security-policy", _CSP),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
Note = Callable[[str, str, int, float], None]
"""Takes route, method, status and seconds."""


class Guard:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, note: Note) -> None:
        """Tell ``note`` of every answer as it begins."""
        self._app = app
        self._note = note

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8).encode()
        scope["request_id"] = request_id.decode()
        begun = time.perf_counter()

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                names = {name for name, _ in headers}
                added = [one for one in _ALWAYS if one[0] not in names]
                if b"cache-control" not in names:
                    added.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*headers, *added, (b"x-request-id", request_id)]}
                self._note(_route(scope), scope["method"], message["status"], time.perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, guarded)


def _route(scope: Scope) -> str:
    """Name the route without the values in its path; what is not ours is one name, for anybody can ask anything."""
    return str(getattr(scope.get("route"), "path_format", "other"))
