"""Which events count: what was set aside is listed; people release it, or set more aside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.access import allowed
from leadlight.service.answers import answer
from leadlight.service.bodies import read_as
from leadlight.service.operation import Answer, Operation, Wanted
from leadlight.service.parameters import MOMENT_PATTERN, SINCE, UNTIL, asked, one_of, text, whole
from leadlight.service.state import State
from leadlight.store.bots import REASONS
from leadlight.store.consent import CONSENT
from leadlight.store.set_aside import HAND

MOST = 1000
ALL_REASONS = (*REASONS, CONSENT, HAND)

Text = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[^\x00]+$")]
Time = Annotated[str, Field(pattern=MOMENT_PATTERN)]
Reason = Literal["crawler", "honeypot", "scanner", "rate", "address", "consent", "hand"]


def _at_least_one(schema: dict[str, Any]) -> None:
    schema["minProperties"] = 1
    for told in schema["properties"].values():
        told.pop("default", None)


class EventsMeant(Wanted):
    """Events: all that is told must hold, and something is. `since` and `until` (not included) are their own times."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra=_at_least_one)

    lead: Text = Field(None)  # type: ignore[assignment]  # absent, never null
    since: Time = Field(None)  # type: ignore[assignment]
    until: Time = Field(None)  # type: ignore[assignment]
    event: Text = Field(None)  # type: ignore[assignment]

    @model_validator(mode="after")
    def _check(self) -> EventsMeant:
        if not self.model_fields_set:
            raise ValueError("which events? Name a lead, an event or a time")
        return self


class EventsAside(EventsMeant):
    """The same of events that are set aside, which have a reason."""

    reason: Reason = Field(None)  # type: ignore[arg-type]


class AsideShown(Answer):
    """An event that does not count."""

    event: str
    id: str
    type: str
    at: str
    reason: str
    by: str
    aside_at: str


class SetAsideShown(Answer):
    """What is set aside: how many events for each reason, and the newest."""

    reasons: dict[str, int]
    total: int
    events: list[AsideShown]


class Moved(SetAsideShown):
    """What is set aside now, and how many events were moved."""

    moved: int


_LIST = (
    text("lead", "only the events of this lead"), one_of("reason", "only those of this reason", choices=ALL_REASONS),
    SINCE, UNTIL, text("event", "the event of this short name"),
    whole("limit", "how many, the newest; 100 unless told", least=1, most=MOST, example=50),
)  # fmt: skip
_HAND = "What is moved by hand no rule moves back. The leads it is about are scored again."
OPERATIONS = (
    Operation("GET", "/v1/set-aside", "List the events that do not count, and why", scope="read", parameters=_LIST,
              response=SetAsideShown, refusals=(400, 404)),
    Operation("POST", "/v1/set-aside/release", "Let events count", scope="manage", request=EventsAside,
              response=Moved, refusals=(400, 404), about=_HAND),
    Operation("POST", "/v1/set-aside/flag", "Set events aside", scope="manage", request=EventsMeant, response=Moved,
              refusals=(400, 404), about=_HAND),
    Operation("POST", "/v1/set-aside/sweep", "Hold all events against the rules as they are now", scope="manage",
              response=Moved),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes about events that do not count."""

    async def read(request: Request) -> Response:
        allowed(state.keys, request, "read")
        told = asked(request, _LIST)
        return answer(request, await state.readers.ask(lambda workspace: workspace.set_aside(**told).as_dict()))

    async def release(request: Request) -> Response:
        return await move(request, "release")

    async def flag(request: Request) -> Response:
        return await move(request, "flag")

    async def move(request: Request, how: Literal["release", "flag"]) -> Response:
        who = allowed(state.keys, request, "manage").name
        model = EventsAside if how == "release" else EventsMeant
        told: Mapping[str, Any] = (await read_as(request, model)).model_dump(exclude_unset=True)
        errand = state.worker.do(lambda workspace: workspace.set_aside(**told, move=how, who=who).as_dict())
        return answer(request, await asyncio.wrap_future(errand))

    async def sweep(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        asked(request, ())
        found = await asyncio.wrap_future(state.worker.do(lambda workspace: workspace.sweep().as_dict()))
        return answer(request, found)

    return [
        Route("/v1/set-aside", read, methods=["GET"]),
        Route("/v1/set-aside/release", release, methods=["POST"]),
        Route("/v1/set-aside/flag", flag, methods=["POST"]),
        Route("/v1/set-aside/sweep", sweep, methods=["POST"]),
    ]
