"""Parameters: a query that names one which its route does not know is refused, so that no typo shows everything."""

import difflib
from typing import Final

from fastapi import Depends, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query

from api.problems import Problem

_NEAR: Final = 0.4
_LONGEST: Final = 64
_TOLD: Final = 20
"""Names that are told of one request."""


async def refuse_unknown(request: Request) -> None:
    """Refuse a request whose query holds a name that its route does not take.

    Raises:
        Problem: it does; ``errors`` says which, and the nearest that there is.
    """
    if not request.query_params:
        return
    params = get_flat_params(request.scope["route"].dependant)
    known = sorted({one.alias for one in params if isinstance(one.field_info, Query)})
    if unknown := [name for name in request.query_params if name not in known]:
        errors = [{"where": f"query.{name[:_LONGEST]}", "why": _why(name, known)} for name in unknown[:_TOLD]]
        raise Problem("invalid_request", errors=errors)


KNOWN_ONLY: Final = Depends(refuse_unknown)
"""For every router that programs ask; whatever an address of a file or of a probe says is let be."""


def _why(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name[:_LONGEST], known, n=1, cutoff=_NEAR)
    if near:
        return f"There is no parameter of this name; did you mean '{near[0]}'?"
    listed = ", ".join(known)
    return "There is no parameter of this name" + (f"; there are {listed}." if known else ", nor any other.")
