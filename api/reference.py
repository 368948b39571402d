"""``/docs``: every operation on one page, written from the OpenAPI document; needs no script and no network.

Beside it are the documents themselves: ``/openapi.json``, and ``/asyncapi.json`` for topics and streams.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from api import asyncapi
from api.asyncapi import Channel

_router = APIRouter(include_in_schema=False)


def install(app: FastAPI, channels: Sequence[Channel]) -> None:
    """Serve the reference of an application, and with it what there is to say of its channels."""
    app.state.asyncapi = orjson.dumps(asyncapi.document(app.title, app.version, channels))
    app.include_router(_router)


@_router.get("/asyncapi.json", response_class=Response)
async def channels(request: Request) -> Response:
    """Give the document of topics and streams."""
    return Response(request.app.state.asyncapi, media_type=asyncapi.MEDIA_TYPE)


@_router.get("/docs", response_class=HTMLResponse)
async def docs(request: Request) -> HTMLResponse:
    """Show the reference."""
    document = request.app.openapi()
    operations = [
        _operation(path, method, operation, document)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(document["info"]["title"])}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="style.css">'
        f'</head><body><main class="reference"><h1>{escape(document["info"]["title"])} '
        f"{escape(document['info']['version'])}</h1>"
        '<p>The same as a document: <a href="openapi.json">openapi.json</a>. Errors are RFC 9457 problems. Topics and '
        'the live feed: <a href="asyncapi.json">asyncapi.json</a>.</p>'
        f"{''.join(operations)}</main></body></html>"
    )


def _operation(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    rows = "".join(_parameter(one) for one in operation.get("parameters", ()))
    table = f"<table><tbody>{rows}</tbody></table>" if rows else ""
    return (
        f'<section id="{escape(operation["operationId"])}"><h2 class="mono">{method.upper()} {escape(path)}</h2>'
        f"<p>{escape(operation.get('description', ''))}</p>{table}{_answer(operation, document)}</section>"
    )


def _parameter(one: dict[str, Any]) -> str:
    schema = one.get("schema", {})
    told = one.get("description") or schema.get("description", "")
    return (
        f'<tr><td class="mono">{escape(one["name"])}</td><td>{escape(one["in"])}</td>'
        f"<td>{escape(_kind(schema))}</td><td>{escape(told)}</td></tr>"
    )


def _kind(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"several of {_kind(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "value"))


def _answer(operation: dict[str, Any], document: dict[str, Any]) -> str:
    content = operation["responses"].get("200", {}).get("content", {})
    name = str(content.get("application/json", {}).get("schema", {}).get("$ref", "")).rpartition("/")[2]
    model = document.get("components", {}).get("schemas", {}).get(name)
    if model is None:
        return ""
    shape = {
        member: _kind(schema) if "$ref" not in schema else "object" for member, schema in model["properties"].items()
    }
    return f"<pre>{escape(orjson.dumps(shape, option=orjson.OPT_INDENT_2).decode())}</pre>"
