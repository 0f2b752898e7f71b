"""Our own tracker, as web pages fetch it."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.ingest_routes import ORIGIN
from leadlight.service.operation import TEXT, Body, Operation
from leadlight.service.state import State

OPERATIONS = (
    Operation("GET", "/v1/leadlight.js", "The tracker for web pages",
              response=Body({"text/javascript": TEXT})),
)  # fmt: skip


def script() -> bytes:
    """Return the tracker as it is sent: less than 4 KB."""
    return files("leadlight.service.tracker").joinpath("leadlight.min.js").read_bytes()


def routes(_: State) -> list[Route]:
    """Return the route of the tracker."""
    content = script()
    headers = {
        **ORIGIN, "Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin",
        "ETag": f'"{hashlib.sha256(content).hexdigest()[:16]}"',
    }  # fmt: skip

    async def send(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type="text/javascript")

    return [Route("/v1/leadlight.js", send, methods=["GET"])]
