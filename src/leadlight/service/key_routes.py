"""Keys made, listed, renewed and revoked, by whoever may manage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Literal, TypeVar

import orjson
from anyio import to_thread
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.access import allowed
from leadlight.service.bodies import parsed, read_body
from leadlight.service.door import OBJECT
from leadlight.service.keys import GRACE, Key
from leadlight.service.operation import Answer, Operation, Wanted
from leadlight.service.problems import Problem
from leadlight.service.state import State
from leadlight.spec.durations import parse_duration

MAX_REQUEST = 16 * 1024
Rate = Annotated[float, Field(ge=0.001, le=1e9, allow_inf_nan=False)]
Lasts = Annotated[str, Field(max_length=20, pattern=r"^[1-9]\d{0,3}(s|m|h|d|w)$", examples=["90d"])]
W = TypeVar("W", bound=Wanted)
Done = TypeVar("Done")


class KeyWanted(Wanted):
    """A key to be made: what it may, after how long it is none any more, how much a second it may send."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: list[Literal["browser", "ingest", "read", "manage"]] = Field(min_length=1)
    expires: Lasts | None = None
    requests: Rate | None = None
    events: Rate | None = None


class RotationWanted(Wanted):
    """A new secret for a key: for how long the old one is good yet."""

    grace: Lasts | None = None


class KeyShown(Answer):
    """A key, without its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    expires_at: str | None
    old_until: str | None
    requests: float | None
    events: float | None
    last_used_at: str | None = None


class KeyMade(KeyShown):
    """A key with its secret, which is shown this once."""

    key: str


class KeyList(Answer):
    """All keys."""

    keys: list[KeyShown]


OPERATIONS = (
    Operation("GET", "/v1/keys", "List the keys", scope="manage", response=KeyList),
    Operation("POST", "/v1/keys", "Make a key", scope="manage", request=KeyWanted, response=KeyMade, status=201),
    Operation("POST", "/v1/keys/{id}/rotate", "Give a key a new secret", scope="manage", request=RotationWanted,
              response=KeyMade, refusals=(404,)),
    Operation("DELETE", "/v1/keys/{id}", "Revoke a key", scope="manage", response=KeyShown, refusals=(404,)),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes about keys."""
    keys = state.keys

    async def done(do: Callable[[], Done]) -> Done:
        """Change the keys in a thread: the shelf may be a table."""
        return await to_thread.run_sync(do)

    async def all_keys(request: Request) -> Response:
        allowed(keys, request, "manage")
        used = await done(keys.last_used)
        return _json({"keys": [{**key.as_dict(), "last_used_at": used.get(key.id)} for key in keys.all()]})

    async def make(request: Request) -> Response:
        allowed(keys, request, "manage")
        told = _told(KeyWanted, await read_body(request, MAX_REQUEST))
        secret, key = await done(
            lambda: keys.make(
                told.name, told.scopes, expires=_lasts(told.expires), requests=told.requests, events=told.events
            )
        )
        return _made(request, secret, key, 201)

    async def rotate(request: Request) -> Response:
        allowed(keys, request, "manage")
        body = await read_body(request, MAX_REQUEST)
        grace = _lasts(_told(RotationWanted, body).grace) if body.strip() else None
        secret, key = await done(
            lambda: keys.rotate(request.path_params["id"], grace=GRACE if grace is None else grace)
        )
        return _made(request, secret, key, 200)

    async def revoke(request: Request) -> Response:
        allowed(keys, request, "manage")
        return _json((await done(lambda: keys.revoke(request.path_params["id"]))).as_dict())

    return [
        Route("/v1/keys", all_keys, methods=["GET"]),
        Route("/v1/keys", make, methods=["POST"]),
        Route("/v1/keys/{id}/rotate", rotate, methods=["POST"]),
        Route("/v1/keys/{id}", revoke, methods=["DELETE"]),
    ]


def _told(model: type[W], body: bytes) -> W:
    """Return what is wanted. Raises Problem 400 that says all that is wrong with it."""
    try:
        return model.model_validate(parsed(body))
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'the body'}: {fault['msg']}" for fault in error.errors()]
        raise Problem(400, "; ".join(faults)[:2000]) from None


def _lasts(text: str | None) -> timedelta | None:
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise Problem(400, str(error)) from None


def _made(request: Request, secret: str, key: Key, status: int) -> Response:
    request.scope[OBJECT] = key.id
    return _json({**key.as_dict(), "key": secret}, status)


def _json(content: Mapping[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, {"Cache-Control": "no-store"}, "application/json")
