"""Scores and reasons out, under the names the verbs have everywhere: each route asks the workspace one thing."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.errors import UsageError
from leadlight.service.access import allowed
from leadlight.service.bodies import parsed, read_body
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import AS_OF, CURSOR, MOMENT, SCORECARD, Body, Operation, Parameter
from leadlight.service.problems import Problem
from leadlight.service.state import State
from leadlight.spec.moments import parse_moment

PAGE = 20
LONGEST_PAGE = 200
DEEPEST = 5_000
"""How far a ranking can be paged through; who wants all of it exports it."""
MAX_LEAD = 256 * 1024
"""Bytes of a lead given to be scored."""
HISTORY = 100
"""Scores shown with a lead, the last ones."""

Answer = Mapping[str, Any]
_OBJECT = Body({"application/json": {"type": "object"}})

OPERATIONS = (
    Operation(
        "GET", "/v1/leads", "The ranking, with reasons", scope="read", response=_OBJECT,
        parameters=(SCORECARD, AS_OF, Parameter("grade", "only these"),
                    Parameter("limit", "rows of a page", {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE}),
                    CURSOR),
    ),
    Operation(
        "GET", "/v1/leads/{id:path}", "All about one lead: score, probability, grade, contributions, its past",
        scope="read", response=_OBJECT, parameters=(SCORECARD, AS_OF), refusals=(404,),
    ),
    Operation(
        "GET", "/v1/explain/{id:path}", "Where each point comes from, in words too",
        scope="read", response=_OBJECT, parameters=(SCORECARD, AS_OF), refusals=(404,),
    ),
    Operation(
        "GET", "/v1/why/{id:path}", "What moved a score between two moments", scope="read", response=_OBJECT,
        parameters=(SCORECARD, Parameter("since", "the earlier moment", MOMENT, required=True),
                    Parameter("until", "the later moment; now unless told", MOMENT)),
        refusals=(404,),
    ),
    Operation(
        "GET", "/v1/history/{id:path}", "The scores a lead was given", scope="read", response=_OBJECT,
        parameters=(SCORECARD, AS_OF), refusals=(404,),
    ),
    Operation(
        "POST", "/v1/score", "Score a lead given in the request; nothing is kept", scope="read", request=_OBJECT,
        response=_OBJECT, parameters=(SCORECARD, AS_OF), refusals=(404,),
    ),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes by which scores are read."""
    reads = _Reads(state)
    return [
        Route("/v1/leads", reads.leads, methods=["GET"]),
        Route("/v1/leads/{id:path}", reads.lead, methods=["GET"]),
        Route("/v1/explain/{id:path}", reads.explain, methods=["GET"]),
        Route("/v1/why/{id:path}", reads.why, methods=["GET"]),
        Route("/v1/history/{id:path}", reads.history, methods=["GET"]),
        Route("/v1/score", reads.score, methods=["POST"]),
    ]


class _Reads:
    def __init__(self, state: State) -> None:
        self.state = state

    async def _ask(self, request: Request, question: Callable[[LiveWorkspace], Answer]) -> Response:
        allowed(self.state.keys, request, "read")
        return _json(await self.state.readers.ask(question))

    async def leads(self, request: Request) -> Response:
        """List the leads, ranked."""
        page = _page(request, self.state.now())
        return await self._ask(request, lambda workspace: _ranked(workspace, page))

    async def lead(self, request: Request) -> Response:
        """Tell all about one lead: score, probability, grade, where its points come from, its past."""
        lead, asked = request.path_params["id"], _asked(request, "scorecard", "as_of")

        def question(workspace: LiveWorkspace) -> Answer:
            past = workspace.history(lead, asked.get("scorecard"), as_of=asked.get("as_of")).as_dict()
            return {**workspace.explain(lead, **asked).as_dict(), "history": past["scores"][-HISTORY:]}

        return await self._ask(request, question)

    async def explain(self, request: Request) -> Response:
        """Say where each point comes from, in words too."""
        lead, asked = request.path_params["id"], _asked(request, "scorecard", "as_of")

        def question(workspace: LiveWorkspace) -> Answer:
            ledger = workspace.explain(lead, **asked)
            return {**ledger.as_dict(), "reasons": ledger.reasons()}

        return await self._ask(request, question)

    async def why(self, request: Request) -> Response:
        """Say what moved a score between two moments."""
        lead, asked = request.path_params["id"], _asked(request, "scorecard", "since", "until")
        if "since" not in asked:
            raise Problem(400, "since is missing: a time (2026-06-30T14:00), or a duration back from now (7d)")
        return await self._ask(request, lambda workspace: workspace.why(lead, **asked).as_dict())

    async def history(self, request: Request) -> Response:
        """Tell the scores a lead was given."""
        lead, asked = request.path_params["id"], _asked(request, "scorecard", "as_of")
        return await self._ask(request, lambda workspace: workspace.history(lead, **asked).as_dict())

    async def score(self, request: Request) -> Response:
        """Score a lead given in the request; nothing is stored."""
        allowed(self.state.keys, request, "read")
        lead, asked = parsed(await read_body(request, MAX_LEAD)), _asked(request, "scorecard", "as_of")
        if not isinstance(lead, Mapping):
            raise Problem(400, "a lead is an object: its attributes by name, and its events")
        ledger = await asyncio.wrap_future(self.state.scorer.score(lead, **asked))
        return _json({**ledger.as_dict(), "reasons": ledger.reasons()})


def _json(content: Answer) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")


def _asked(request: Request, *names: str) -> dict[str, str]:
    """Return the parameters of the query.

    Raises Problem 400 for any other.
    """
    unknown = [name for name in request.query_params if name not in names]
    if unknown:
        raise Problem(400, f"no parameter {unknown[0][:60]!r}: known are {', '.join(names)}")
    return {name: request.query_params[name] for name in names if name in request.query_params}


# ------------------------------------------------------------------------------------------------------- ranking


@dataclass(frozen=True, slots=True)
class _Page:
    """Which part of a ranking is asked for: all pages of one walk are as of one moment."""

    as_of: datetime
    scorecard: str | None
    grade: str | None
    limit: int
    offset: int = 0

    @property
    def next(self) -> str:
        """The cursor of the page behind this one."""
        parts = [self.as_of, self.scorecard, self.grade, self.offset + self.limit]
        return base64.urlsafe_b64encode(orjson.dumps(parts)).decode()


def _page(request: Request, now: datetime) -> _Page:
    asked = _asked(request, "scorecard", "grade", "as_of", "limit", "cursor")
    limit = asked.get("limit", str(PAGE))
    if not limit.isdecimal() or not 1 <= int(limit[:9]) <= LONGEST_PAGE:
        raise Problem(400, f"limit is {limit[:20]!r}: a number from 1 to {LONGEST_PAGE} is wanted")
    if "cursor" in asked:
        return _continued(asked, int(limit))
    try:
        as_of = parse_moment(asked.get("as_of", "now"), now)
    except UsageError as error:
        raise Problem(400, str(error)) from None
    return _Page(as_of, asked.get("scorecard"), asked.get("grade"), int(limit))


def _continued(asked: Mapping[str, str], limit: int) -> _Page:
    """Read a cursor; it says all but the length of the page."""
    try:
        as_of, scorecard, grade, offset = orjson.loads(base64.urlsafe_b64decode(asked["cursor"]))
        page = _Page(datetime.fromisoformat(as_of), scorecard, grade, limit, int(offset))
    except (ValueError, TypeError):
        raise Problem(400, "the cursor is none: take it as the page before gave it") from None
    if asked.keys() - {"cursor", "limit"}:
        raise Problem(400, "a cursor says scorecard, grade and as_of by itself: leave them out")
    if not 0 <= page.offset <= DEEPEST:
        raise Problem(400, f"a ranking can be paged through up to {DEEPEST} places: `leadlight export` writes all")
    return page


def _ranked(workspace: LiveWorkspace, page: _Page) -> Answer:
    found = workspace.rank(
        page.scorecard, as_of=page.as_of, grade=page.grade, limit=page.offset + page.limit
    ).as_dict()  # fmt: skip
    rows = found["rows"][page.offset :]
    return {**found, "rows": rows, "next": page.next if len(rows) == page.limit else None}
