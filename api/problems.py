"""Problems: every error as RFC 9457 ``application/problem+json``; what was sent in is never sent back."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from eventsourcing.persistence import OperationalError
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from domain.errors import IllegalStep, Refused
from domain.staff.statements import Overclaimed
from projections.views import AWAY, QueryTooSlow

MEDIA_TYPE: Final = "application/problem+json"
PROBLEMS: Final[dict[str, tuple[int, str]]] = {
    "not_found": (404, "There is nothing under this address."),
    "method_not_allowed": (405, "This address does not answer that method."),
    "invalid_request": (422, "A parameter is not what it must be; `errors` says which and why."),
    "invalid_token": (400, "The position token or cursor was not given out by this server."),
    "unknown_position": (410, "The position belongs to another log, or lies beyond this one: begin again without it."),
    "no_snapshot": (400, "The merged feed has no snapshot: take each shard's own, or begin with `after=first`."),
    "refused": (409, "The state of the incident does not allow this; `code` says which rule, `detail` why."),
    "read_only": (503, "This server takes no commands; send them to one that does."),
    "not_there_yet": (503, "The views have not come to the wanted position; ask again after `Retry-After` seconds."),
    "store_away": (503, "The store cannot be read or written just now; ask again after `Retry-After` seconds."),
    "query_too_slow": (503, "The answer took longer than it may; ask for less."),
    "too_many_streams": (429, "As many live feeds are open as this server holds; read pages, or try later."),
    "closing": (503, "The server is shutting down; connect again."),
    "body_too_large": (413, "The body is larger than 64 KiB."),
    "internal": (500, "Something failed here; the log has it under the request id."),
    "http": (400, "The request cannot be answered."),
}
"""Every code with its status and what it means; ``/problems/<code>`` shows it."""
_BY_STATUS: Final = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


class Problem(Exception):
    """An answer other than what was asked for, under a code of ``PROBLEMS``."""

    def __init__(
        self, code: str, detail: str = "", *, retry_after: int | None = None, errors: Sequence[Mapping[str, str]] = ()
    ) -> None:
        """Keep the parts; ``detail`` must not repeat what was sent in, ``errors`` nothing but names."""
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.errors = errors


def answer(request: Request, problem: str, detail: str = "", *, status: int | None = None, **more: Any) -> JSONResponse:
    """Write a problem."""
    usual, meaning = PROBLEMS[problem]
    body = {
        "type": f"/problems/{problem}",
        "title": meaning,
        "status": usual if status is None else status,
        "instance": request.url.path,
        "request_id": request.scope.get("request_id"),
        **({"detail": detail} if detail else {}),
        **{name: value for name, value in more.items() if name != "headers"},
    }
    return JSONResponse(body, body["status"], media_type=MEDIA_TYPE, headers=more.get("headers"))


def install(app: FastAPI) -> None:
    """Answer every error of the application in this form."""

    @app.exception_handler(Problem)
    async def known(request: Request, problem: Problem) -> JSONResponse:
        headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
        errors: dict[str, Any] = {"errors": problem.errors} if problem.errors else {}
        return answer(request, problem.code, problem.detail, headers=headers, **errors)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"where": ".".join(map(str, one["loc"])), "why": one["msg"]} for one in error.errors()]
        return answer(request, "invalid_request", errors=errors)

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        reason = error.reason if isinstance(error, IllegalStep) else str(error)
        claim = {"claim": msgspec.to_builtins(error.statement)} if isinstance(error, Overclaimed) else {}
        return answer(request, "refused", reason, code=error.code, **claim, **getattr(error, "shown", {}))

    @app.exception_handler(QueryTooSlow)
    async def slow(request: Request, _: QueryTooSlow) -> JSONResponse:
        return answer(request, "query_too_slow", headers={"Retry-After": "5"})

    async def away(request: Request, _: Exception) -> JSONResponse:
        return answer(request, "store_away", headers={"Retry-After": "2"})

    for kind in (*AWAY, OperationalError):
        app.add_exception_handler(kind, away)

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code = _BY_STATUS.get(error.status_code, "http")
        headers: Mapping[str, str] = error.headers or {}
        detail = HTTPStatus(error.status_code).phrase if code == "http" else ""
        return answer(request, code, detail, status=error.status_code, headers=dict(headers))

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, _: Exception) -> JSONResponse:
        return answer(request, "internal")
