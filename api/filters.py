"""Filters: which incidents are asked for, the same for the list and for the feed."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AfterValidator, AwareDatetime, WithJsonSchema

from api.contract.incidents import Severity, State
from domain.instant import instant
from domain.policies.policy import KINDS
from projections.query import Filter

_Names = Annotated[list[Annotated[str, Query(min_length=1, max_length=200)]], Query(max_length=20)]


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"this is none of the kinds: {', '.join(KINDS)}")
    return kind


_OneKind = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": [*KINDS]})]
_Kind = Annotated[list[_OneKind], Query(max_length=20)]


def wanted(
    kind: _Kind = [],  # noqa: B006  # FastAPI copies defaults
    state: Annotated[list[State], Query(max_length=3)] = [],  # noqa: B006
    severity: Annotated[list[Severity], Query(max_length=4)] = [],  # noqa: B006
    warehouse: _Names = [],  # noqa: B006
    carrier: _Names = [],  # noqa: B006
    order: Annotated[str | None, Query(min_length=1, max_length=128)] = None,
    since: Annotated[AwareDatetime | None, Query(description="Due at this time or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Due before this time.")] = None,
    assignee: Annotated[_Names, Query(description="Persons or teams who have it now.")] = [],  # noqa: B006
) -> Filter:
    """Read the filter of a request."""
    return Filter(
        kind=tuple(kind),
        state=tuple(state),
        severity=tuple(severity),
        warehouse=tuple(warehouse),
        carrier=tuple(carrier),
        order=order,
        since=_instant(since),
        until=_instant(until),
        assignee=tuple(assignee),
    )


def _instant(at: datetime | None) -> int | None:
    return None if at is None else instant(at)


Wanted = Annotated[Filter, Depends(wanted)]
Sort = Literal["due_at", "-due_at"]
