"""Calls that could not be stored: listed, sent once more, taken out, by whoever may manage."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.access import allowed
from leadlight.service.answers import answer
from leadlight.service.bodies import read_as
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import Answer, Operation, Wanted
from leadlight.service.parameters import CURSOR, asked, whole
from leadlight.service.problems import Problem
from leadlight.service.refused import replay as send_again
from leadlight.service.state import State
from leadlight.store import refused
from leadlight.store.refused import RefusedListing

MAX_REQUEST = 256 * 1024
MOST = 1000

CallId = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]


class WhichCalls(Wanted):
    """Refused calls by their ids, or all of them."""

    calls: Literal["all"] | Annotated[list[CallId], Field(min_length=1, max_length=MOST)]


class RefusedShown(Answer):
    """A call that could not be stored, as it was accepted; `what` says what it is without a word of it."""

    id: str
    at: str
    reason: str
    what: str
    call: str


class RefusedPage(Answer):
    """A page of them, the newest first; `counts` are of all by reason, `next` is the cursor of the page behind it."""

    counts: dict[str, int]
    calls: list[RefusedShown]
    next: str | None


class CallsReplayed(Answer):
    """The calls that wait to be stored again; how many are left for each reason."""

    counts: dict[str, int]
    replayed: list[str]


class CallsDropped(Answer):
    """The call that was taken out; how many are left for each reason."""

    counts: dict[str, int]
    dropped: list[str]


_LIST = (whole("limit", "rows of a page, 100 unless told", least=1, most=MOST, example=50), CURSOR)
_ONCE = "Each waits to be stored like a new one and counts once, at its own time; what is no call stays where it is."
OPERATIONS = (
    Operation("GET", "/v1/refused", "List calls that could not be stored, and why", scope="manage", parameters=_LIST,
              response=RefusedPage),
    Operation("POST", "/v1/refused/replay", "Store calls once more that could not be stored", scope="manage",
              request=WhichCalls, response=CallsReplayed, refusals=(400, 404), about=_ONCE),
    Operation("DELETE", "/v1/refused/{id}", "Take a call out that could not be stored, for good", scope="manage",
              response=CallsDropped, refusals=(404,)),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes about calls that could not be stored."""

    async def read(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        told = asked(request, _LIST)
        limit, after = told.get("limit", refused.LISTED), _after(told.get("cursor"))
        return answer(request, await state.readers.ask(lambda workspace: _page(workspace, limit, after)))

    async def replay(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        which = (await read_as(request, WhichCalls, MAX_REQUEST)).calls
        return await _changed(request, lambda workspace: send_again(workspace.engine, state.journal, which))

    async def drop(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        asked(request, ())
        which = [request.path_params["id"]]
        return await _changed(request, lambda workspace: refused.drop(workspace.engine, which))

    async def _changed(request: Request, errand: Callable[[LiveWorkspace], RefusedListing]) -> Response:
        return answer(request, (await asyncio.wrap_future(state.worker.do(errand))).as_dict())

    return [
        Route("/v1/refused", read, methods=["GET"]),
        Route("/v1/refused/replay", replay, methods=["POST"]),
        Route("/v1/refused/{id}", drop, methods=["DELETE"]),
    ]


def _page(workspace: LiveWorkspace, limit: int, after: tuple[datetime, str] | None) -> dict[str, Any]:
    found = refused.listing(workspace.engine, limit=limit, after=after)
    last = found.rows[-1] if len(found.rows) == limit else None
    return {**found.as_dict(), "next": None if last is None else _cursor(last.at, last.id)}


def _cursor(at: datetime, last: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([at.isoformat(), last])).decode()


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    """Read a cursor.

    Raises Problem 400 for one that is none.
    """
    if cursor is None:
        return None
    try:
        at, last = orjson.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        moment = datetime.fromisoformat(at)
        sound = isinstance(last, str) and "\x00" not in last and moment.tzinfo is None
    except (ValueError, TypeError):
        sound = False
    if not sound:
        raise Problem(400, "the cursor is none: take it as the page before gave it")
    return moment, last
