"""Keys made, listed and revoked, by whoever may manage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.access import allowed
from leadlight.service.bodies import parsed, read_body
from leadlight.service.operation import Answer, Operation, Wanted
from leadlight.service.problems import Problem
from leadlight.service.state import State

MAX_REQUEST = 16 * 1024


class KeyWanted(Wanted):
    """A key to be made."""

    name: str
    scopes: list[Literal["ingest", "read", "manage"]] = Field(min_length=1)


class KeyShown(Answer):
    """A key, without its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: str


class KeyMade(KeyShown):
    """A key with its secret, which is shown this once."""

    key: str


class KeyList(Answer):
    """All keys."""

    keys: list[KeyShown]


OPERATIONS = (
    Operation("GET", "/v1/keys", "List the keys", scope="manage", response=KeyList),
    Operation("POST", "/v1/keys", "Make a key", scope="manage", request=KeyWanted, response=KeyMade, status=201),
    Operation("DELETE", "/v1/keys/{id}", "Revoke a key", scope="manage", response=KeyShown, refusals=(404,)),
)


def routes(state: State) -> list[Route]:
    """Return the routes about keys."""

    async def all_keys(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        return _json({"keys": [key.as_dict() for key in state.keys.all()]})

    async def make(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        body = parsed(await read_body(request, MAX_REQUEST))
        if not isinstance(body, Mapping) or not isinstance(body.get("name"), str):
            raise Problem(400, 'expected {"name": "…", "scopes": ["ingest"]}')
        scopes = body.get("scopes")
        if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
            raise Problem(400, "scopes is a list of ingest, read, manage")
        secret, key = state.keys.make(body["name"], scopes, at=state.now())
        return _json({**key.as_dict(), "key": secret}, 201)

    async def revoke(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        return _json(state.keys.revoke(request.path_params["id"]).as_dict())

    return [
        Route("/v1/keys", all_keys, methods=["GET"]),
        Route("/v1/keys", make, methods=["POST"]),
        Route("/v1/keys/{id}", revoke, methods=["DELETE"]),
    ]


def _json(content: Mapping[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
