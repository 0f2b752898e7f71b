"""Messages about changes of grade: listed, sent again, taken out, by whoever may manage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.notify.listing import changed, listing
from leadlight.service.access import allowed
from leadlight.service.bodies import parsed, read_body
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import Answer, Operation, Wanted
from leadlight.service.parameters import asked, one_of, text, whole
from leadlight.service.problems import Problem
from leadlight.service.state import State
from leadlight.store.outbox import STATES

MAX_REQUEST = 256 * 1024
MOST = 1000

MessageId = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]


class WhichMessages(Wanted):
    """Messages by their ids, or all that were put aside."""

    messages: Literal["all"] | Annotated[list[MessageId], Field(min_length=1, max_length=MOST)]


class MessageShown(Answer):
    """A message about a change of grade."""

    message: str
    state: Literal["waiting", "sent", "dead", "void"]
    to: str
    rule: str
    id: str
    scorecard: str
    from_: str | None = Field(alias="from")
    to_grade: str
    at: str
    due_at: str
    tries: int
    error: str | None
    done_at: str | None


class OutboxShown(Answer):
    """Messages, the newest first, and how many there are in each state."""

    counts: dict[str, int]
    messages: list[MessageShown]


class Replayed(Answer):
    """The messages that are sent again."""

    counts: dict[str, int]
    replayed: list[str]


class Dropped(Answer):
    """The messages that were taken out."""

    counts: dict[str, int]
    dropped: list[str]


_LIST = (
    one_of("state", "only those in this state; waiting and dead unless told. Repeated for several", choices=STATES,
           many=True, example="dead"),
    text("to", "only those for this destination"),
    whole("limit", "how many, the newest", least=1, most=MOST, example=50),
)  # fmt: skip
OPERATIONS = (
    Operation("GET", "/v1/outbox", "List messages about changes of grade", scope="manage", parameters=_LIST,
              response=OutboxShown),
    Operation("POST", "/v1/outbox/replay", "Send messages again that were put aside", scope="manage",
              request=WhichMessages, response=Replayed, refusals=(404,)),
    Operation("POST", "/v1/outbox/drop", "Take messages out", scope="manage", request=WhichMessages,
              response=Dropped, refusals=(404,)),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes about the outbox."""

    async def read(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        told = asked(request, _LIST)
        states, to, limit = told.get("state") or ["waiting", "dead"], told.get("to"), told.get("limit", 100)
        return await _answer(lambda workspace: listing(workspace.engine, states, to=to, limit=limit).as_dict())

    async def replay(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        which = _which(await read_body(request, MAX_REQUEST))
        return await _answer(lambda workspace: changed(workspace.engine, replay=which, now=state.now()).as_dict())

    async def drop(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        which = _which(await read_body(request, MAX_REQUEST))
        return await _answer(lambda workspace: changed(workspace.engine, drop=which, now=state.now()).as_dict())

    async def _answer(question: Callable[[LiveWorkspace], dict[str, Any]]) -> Response:
        found = await state.readers.ask(question)
        return Response(orjson.dumps(found), media_type="application/json")

    return [
        Route("/v1/outbox", read, methods=["GET"]),
        Route("/v1/outbox/replay", replay, methods=["POST"]),
        Route("/v1/outbox/drop", drop, methods=["POST"]),
    ]


def _which(body: bytes) -> list[str] | Literal["all"]:
    try:
        return WhichMessages.model_validate(parsed(body)).messages
    except ValidationError:
        raise Problem(400, 'expected {"messages": ["msg_…"]}, or {"messages": "all"}') from None
