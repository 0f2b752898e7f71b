"""Who is who: merges listed, undone and made; leads kept apart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.errors import NotFoundError
from leadlight.service.access import allowed
from leadlight.service.answers import answer
from leadlight.service.bodies import read_as
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import Answer, Operation, Wanted
from leadlight.service.parameters import asked, text, whole
from leadlight.service.state import State
from leadlight.store.merges import Merges

MOST = 1000

LeadId = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\x00]+$")]


class TwoLeads(Wanted):
    """Two leads, each by any id it has."""

    first: LeadId
    second: LeadId


class MergeShown(Answer):
    """Which ids went from one lead to another, when, and by what."""

    merge: int
    at: str
    by: str
    who: str | None
    ids: list[str]
    id: str | None
    into: str | None
    undone_at: str | None


class MergesShown(Answer):
    """Merges, the newest first; `total` counts also those not shown."""

    merges: list[MergeShown]
    total: int


_LIST = (
    text("lead", "only what became of the ids of this lead"),
    whole("limit", "how many, the newest; 100 unless told", least=1, most=MOST, example=50),
)  # fmt: skip
_UNDO = "All is as if it had never been, and no rule makes it again; those it was about are scored again."
OPERATIONS = (
    Operation("GET", "/v1/merges", "List who was merged with whom, and why", scope="read", parameters=_LIST,
              response=MergesShown, refusals=(404,)),
    Operation("POST", "/v1/merges", "Let two leads be one, the first", scope="manage", request=TwoLeads,
              response=MergesShown, status=201, refusals=(400, 404)),
    Operation("DELETE", "/v1/merges/{merge}", "Undo a merge", scope="manage", response=MergesShown,
              refusals=(400, 404), about=_UNDO),
    Operation("POST", "/v1/apart", "Keep two leads apart, whatever they share", scope="manage", request=TwoLeads,
              response=MergesShown, refusals=(400, 404)),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes about merges."""

    async def do(errand: Callable[[LiveWorkspace], Merges]) -> Merges:
        return await asyncio.wrap_future(state.worker.do(errand))

    async def read(request: Request) -> Response:
        allowed(state.keys, request, "read")
        told = asked(request, _LIST)
        lead, limit = told.get("lead"), told.get("limit", 100)
        found = await state.readers.ask(lambda workspace: workspace.merges(lead, limit=limit).as_dict())
        return answer(request, found)

    async def join(request: Request) -> Response:
        who = allowed(state.keys, request, "manage").name
        two = await read_as(request, TwoLeads)
        made = await do(lambda workspace: workspace.join_leads(two.first, two.second, who=who))
        return answer(request, made.as_dict(), 201)

    async def undo(request: Request) -> Response:
        who = allowed(state.keys, request, "manage").name
        asked(request, ())
        said = request.path_params["merge"]
        if not (said.isascii() and said.isdecimal() and len(said) < 10):
            raise NotFoundError(f"there is no merge {said[:40]!r}")
        undone = await do(lambda workspace: workspace.undo_merge(int(said), who=who))
        return answer(request, undone.as_dict())

    async def part(request: Request) -> Response:
        who = allowed(state.keys, request, "manage").name
        two = await read_as(request, TwoLeads)

        def errand(workspace: LiveWorkspace) -> Merges:
            workspace.part_leads(two.first, two.second, who=who)
            return workspace.merges(two.first)

        return answer(request, (await do(errand)).as_dict())

    return [
        Route("/v1/merges", read, methods=["GET"]),
        Route("/v1/merges", join, methods=["POST"]),
        Route("/v1/merges/{merge}", undo, methods=["DELETE"]),
        Route("/v1/apart", part, methods=["POST"]),
    ]
