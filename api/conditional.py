"""Conditional answers: whoever has an answer is told that it still holds, instead of being sent it again.

The tag is that of the content without ``as_of``, which changes with every look: a 304 says that nothing else did.
"""

import re
from hashlib import blake2b
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_BELOW: Final = "/v1/"
_AS_OF: Final = re.compile(rb'"as_of":\{[^{}]*\}')
_OF_CONTENT: Final = ("content-length", "content-type")


class Conditional:
    """Wraps the application: tags what is read below ``/v1`` as JSON, and answers ``If-None-Match``."""

    def __init__(self, app: ASGIApp) -> None:
        """Answer as this application does."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a stream passes as it comes."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(_BELOW):
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        begun: Message | None = None

        async def tagging(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start" and _is_whole(message):
                begun = message
                return
            if begun is not None:
                start, begun = begun, None
                message = await _tagged(start, message, known, send)
            await send(message)

        await self._app(scope, receive, tagging)


def _is_whole(start: Message) -> bool:
    """Say whether an answer is a document, whose body comes in one piece."""
    is_json = Headers(raw=start["headers"]).get("content-type", "").startswith("application/json")
    return start["status"] == 200 and is_json  # noqa: PLR2004


async def _tagged(start: Message, body: Message, known: str, send: Send) -> Message:
    """Begin the answer; gives the body that is left to be sent."""
    tag = f'W/"{blake2b(_AS_OF.sub(b"", body["body"]), digest_size=12).hexdigest()}"'
    headers = MutableHeaders(raw=start["headers"])
    headers["ETag"] = tag
    if not _holds(tag, known):
        await send(start)
        return body
    for name in _OF_CONTENT:
        del headers[name]
    await send({**start, "status": 304})
    return {**body, "body": b""}


def _holds(tag: str, known: str) -> bool:
    """Say whether one of these tags is this one; they are compared weakly, as RFC 9110 wants here."""
    wanted = {one.strip().removeprefix("W/") for one in known.split(",")}
    return "*" in wanted or tag.removeprefix("W/") in wanted
