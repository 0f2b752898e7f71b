"""The API described: as OpenAPI for machines, as a page for people."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.openapi import document
from leadlight.service.openapi_page import html
from leadlight.service.operation import TEXT, Body, Operation

OPERATIONS = (
    Operation(
        "GET", "/v1/openapi.json", "This API as OpenAPI 3.1",
        response=Body({"application/json": {"type": "object", "required": ["openapi", "paths"]}}),
    ),
    Operation("GET", "/v1/docs", "This API as a page to read", response=Body({"text/html": TEXT})),
)  # fmt: skip


def routes(operations: Sequence[Operation]) -> list[Route]:
    """Return the routes by which the API tells of itself."""
    said = document(operations)
    as_json, as_page = orjson.dumps(said), html(said)

    async def machine(_: Request) -> Response:
        return Response(as_json, media_type="application/json")

    async def page(_: Request) -> Response:
        return Response(as_page, media_type="text/html")

    return [Route("/v1/openapi.json", machine, methods=["GET"]), Route("/v1/docs", page, methods=["GET"])]
