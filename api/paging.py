"""Paging: where a list goes on, in the body as ``next`` and beside it as a link."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request, Response


class Paging:
    """The answer that is being written, and what was asked for."""

    def __init__(self, request: Request, response: Response) -> None:
        """Link to nothing yet."""
        self._request = request
        self._response = response

    def on(self, position: str | None, name: str = "cursor") -> str | None:
        """Link to the same question from a position on (RFC 8288), where there is one; gives the position.

        The link has no path, so that it holds behind a proxy that serves us below another one.
        """
        if position is not None:
            kept = [(key, value) for key, value in self._request.query_params.multi_items() if key != name]
            self._response.headers["Link"] = f'<?{urlencode([*kept, (name, position)])}>; rel="next"'
        return position


Onward = Annotated[Paging, Depends()]
