"""Actor: who sends a command, as it will stand in the log; a name in any script."""

import re
import unicodedata
from typing import Annotated, Final
from urllib.parse import unquote

from fastapi import Depends, Header

from api.problems import Problem

NOBODY: Final = "staff"
_LONGEST: Final = 128
_EXTENDED: Final = re.compile(r"utf-8'[A-Za-z0-9-]*'(.+)", re.IGNORECASE).fullmatch
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]").search


def read(value: str) -> str:
    """Read a name from a header, whose bytes arrive as Latin-1.

    What is not ASCII may be sent as RFC 8187 writes it, which every client can, or as plain UTF-8. Blanks around a name
    and the way its accents are composed make nobody another person.

    >>> read("UTF-8''%E7%8E%8B%E8%8A%B3") == read("王芳".encode().decode("latin-1")) == "王芳"
    True
    >>> read("100%25 Li")
    '100%25 Li'
    >>> read("UTF-8''%20Ame%CC%81lie%C2%A0") == "Am\u00e9lie"
    True

    Raises:
        Problem: it is empty, too long, or not a name in either form.
    """
    extended = _EXTENDED(value)
    try:
        name = unquote(extended[1], errors="strict") if extended else _plain(value)
    except UnicodeDecodeError as error:
        raise Problem("invalid_request", "X-Actor is not written as in RFC 8187.") from error
    clean = unicodedata.normalize("NFC", name).strip()
    if not clean or len(clean) > _LONGEST or _CONTROL(name):
        raise Problem("invalid_request", f"X-Actor must be a name of 1 to {_LONGEST} characters on one line.")
    return clean


def _plain(value: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value  # an old client's Latin-1 after all


def actor(
    value: Annotated[
        str,
        Header(
            alias="X-Actor",
            description="Who does this, as it stands in the log; what is not ASCII as in `UTF-8''%E7%8E%8B`. Until the "
            "tracker signs people in itself, the proxy in front of it must set this header and drop the one that came "
            "from outside.",
        ),
    ] = NOBODY,
) -> str:
    """Give the name of whoever sends a request; nobody in particular where it says nothing."""
    return read(value)


Actor = Annotated[str, Depends(actor)]
