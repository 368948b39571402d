"""Conditional answers: whoever has an answer is told that it still holds, instead of being sent it again.

The tag is that of the content without ``as_of``, which changes with every look: a 304 says that nothing else did. What
is tagged may be kept by whoever asked, and by nobody between: there are customers in it.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BELOW: Final = "/v1/"
_AS_OF: Final = re.compile(rb'"as_of":\{[^{}]*\}')
_OF_CONTENT: Final = ("content-length", "content-type")
_KEPT: Final = "private, no-cache"


class Conditional:
    """Wraps the application: tags what is read below ``/v1`` as JSON, and answers ``If-None-Match``."""

    def __init__(self, app: ASGIApp) -> None:
        """Answer as this application does."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what comes in several pieces passes as it comes."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(_BELOW):
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).getlist("if-none-match")
        begun: Message | None = None

        async def tagging(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start" and _is_document(message):
                begun = message
                return
            if begun is not None:
                start, begun = begun, None
                start, message = (start, message) if message.get("more_body") else _tagged(start, message, known)
                await send(start)
            await send(message)

        await self._app(scope, receive, tagging)


def _is_document(start: Message) -> bool:
    is_json = Headers(raw=start["headers"]).get("content-type", "").startswith("application/json")
    return start["status"] == 200 and is_json  # noqa: PLR2004


def _tagged(start: Message, body: Message, known: Sequence[str]) -> tuple[Message, Message]:
    """Give the answer that comes in one piece its tag; where that is known, nothing but the tag is left of it."""
    tag = f'W/"{blake2b(_AS_OF.sub(b"", body["body"]), digest_size=12).hexdigest()}"'
    headers = MutableHeaders(raw=start["headers"])
    headers["ETag"], headers["Cache-Control"] = tag, _KEPT
    if not holds(tag, known):
        return start, body
    for name in _OF_CONTENT:
        del headers[name]
    return {**start, "status": 304}, {**body, "body": b""}


def holds(tag: str, known: Sequence[str]) -> bool:
    """Say whether these lines of ``If-None-Match`` have this tag; compared weakly, as RFC 9110 wants here."""
    wanted = {one.strip().removeprefix("W/") for one in ",".join(known).split(",")}
    return "*" in wanted or tag.removeprefix("W/") in wanted
