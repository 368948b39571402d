"""The dashboard's files: read once at the start, served from memory, so that no path is ever looked up."""

from collections.abc import Awaitable, Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.conditional import holds

FOLDER: Final = Path(__file__).parent / "dashboard"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


class _File(NamedTuple):
    content: bytes
    media_type: str
    etag: str


def router() -> APIRouter:
    """Serve every file of the dashboard, and its page at ``/``."""
    routes = APIRouter(include_in_schema=False)
    for path, file in _files():
        routes.add_api_route(path, _serving(file), methods=["GET", "HEAD"], response_class=Response)
    return routes


def _files() -> Iterator[tuple[str, _File]]:
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in _TYPES and path.is_file():
            content = path.read_bytes()
            file = _File(content, _TYPES[path.suffix], f'"{sha256(content).hexdigest()[:32]}"')
            name = path.relative_to(FOLDER).as_posix()
            yield "/" if name == "index.html" else f"/{name}", file


def _serving(file: _File) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        headers = {"ETag": file.etag, "Cache-Control": "no-cache"}
        if holds(file.etag, request.headers.getlist("if-none-match")):
            return Response(status_code=304, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)

    return serve
