"""Scores and reasons out, under the names the verbs have everywhere: each route asks the workspace one thing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service import pages
from leadlight.service.access import allowed
from leadlight.service.answers import answer
from leadlight.service.bodies import parsed, read_body
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import Body, Operation, Sparse
from leadlight.service.parameters import AS_OF, FIELDS, SCORECARD, SINCE, UNTIL, asked, duration, flag, text, whole
from leadlight.service.problems import Problem
from leadlight.service.state import State

MAX_LEAD = 256 * 1024
"""Bytes of a lead given to be scored."""
HISTORY = 100
"""Scores shown with a lead, the last ones."""

Shown = Mapping[str, Any]


class Contribution(Sparse):
    """The points one criterion gives, and why."""

    key: str
    name: str
    group: str | None
    kind: str
    points: float
    reason: str


class Gate(Sparse):
    """A hard rule that sets the grade."""

    name: str
    grade: str | None


class Ledger(Sparse):
    """A score and where each of its points comes from: the contributions add up to it."""

    id: str
    entity: str
    scorecard: str
    version: str
    as_of: str
    score: float
    grade: str | None
    gate: Gate | None
    probability: float | None
    interval: list[float] | None
    expected: float | None
    groups: dict[str, float]
    contributions: list[Contribution]


class Reasons(Ledger):
    """A ledger with its reasons as sentences."""

    reasons: list[str]


class Given(Sparse):
    """A score that was given."""

    as_of: str
    score: float
    grade: str | None
    gate: str | None
    version: str
    change: str | None


class RolledUp(Sparse):
    """The events of a type in a calendar month that were taken out of the store: no score needs them."""

    type: str
    month: str
    events: int
    first_at: str
    last_at: str


class LeadShown(Ledger):
    """A lead's ledger, its last scores, and its events that were taken out of the store, counted."""

    history: list[Given]
    rolled_up: list[RolledUp]


class History(Sparse):
    """The scores a lead was given, and its events that were taken out of the store, counted."""

    id: str
    scorecard: str
    scores: list[Given]
    rolled_up: list[RolledUp]


class End(Sparse):
    """A score at one end of a movement."""

    as_of: str
    score: float
    grade: str | None
    version: str


class Move(Sparse):
    """One thing that moved a score."""

    key: str
    name: str
    cause: str
    points: float
    reason: str


class Movement(Sparse):
    """What moved a score between two moments: the moves add up to the points."""

    id: str
    scorecard: str
    points: float
    moves: list[Move]


class Neighbours(Sparse):
    """Past leads most like one, and how they ended."""

    id: str
    scorecard: str
    as_of: str
    score: float
    near: int
    won: int
    rows: list[dict[str, Any]]


class NextSteps(Sparse):
    """What past leads in a like state did next who were won more often."""

    id: str
    scorecard: str
    as_of: str
    score: float
    steps: list[dict[str, Any]]


class KnownFacts(Sparse):
    """What is known of a lead, value by value, and who said so."""

    entity: str
    id: str
    as_of: str
    attributes: list[dict[str, Any]]
    asked: list[dict[str, Any]]


class PrincipalReasons(Sparse):
    """The principal reasons why a score is not higher."""

    id: str
    scorecard: str
    as_of: str
    score: float
    grade: str | None
    letter: list[str]
    reasons: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """A verb that only reads: what it is for, and how the workspace is asked.

    What stands in the path comes by place, what stands in the query by name.
    """

    operation: Operation
    ask: Callable[..., Shown]
    long: bool = False
    """Whether it looks at the whole past."""


class Reported(Protocol):
    """What verbs return."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""


def plain(verb: Callable[..., Reported]) -> Callable[..., Shown]:
    """Return a verb whose report is plain JSON values."""
    return lambda *said, **told: verb(*said, **told).as_dict()


def _lead(workspace: LiveWorkspace, id: str, **told: Any) -> Shown:  # noqa: A002 - the user's word
    past = workspace.history(id, told.get("scorecard"), as_of=told.get("as_of")).as_dict()
    shown = workspace.explain(id, **told).as_dict()
    return {**shown, "history": past["scores"][-HISTORY:], "rolled_up": past["rolled_up"]}


def _explained(workspace: LiveWorkspace, id: str, **told: Any) -> Shown:  # noqa: A002 - the user's word
    ledger = workspace.explain(id, **told)
    return {**ledger.as_dict(), "reasons": ledger.reasons()}


def _of_lead(path: str, summary: str, response: type[Sparse], *parameters: Any) -> Operation:
    return Operation(
        "GET", path, summary, scope="read", parameters=(SCORECARD, *parameters, FIELDS), response=response,
        refusals=(404,),
    )  # fmt: skip


_REASONS = whole("reasons", "how many reasons", least=1, most=20)
_SINCE = text("since", SINCE.about, schema=SINCE.schema, required=True, example="7d")

_FACTS = "Every value of a lead: which is used, who says otherwise, since when"

QUESTIONS = (
    Question(
        Operation("GET", "/v1/leads/{id:path}/facts", _FACTS, scope="read", parameters=(AS_OF, FIELDS),
                  response=KnownFacts, refusals=(404,)),
        plain(LiveWorkspace.facts),
    ),
    Question(
        _of_lead("/v1/leads/{id:path}", "All about one lead: score, probability, grade, contributions, its past",
                 LeadShown, AS_OF), _lead,
    ),
    Question(
        _of_lead("/v1/explain/{id:path}", "Where each point comes from, in words too", Reasons, AS_OF), _explained
    ),
    Question(
        _of_lead("/v1/why/{id:path}", "What moved a score between two moments", Movement, _SINCE, UNTIL),
        plain(LiveWorkspace.why),
    ),
    Question(
        _of_lead("/v1/history/{id:path}", "The scores a lead was given", History, AS_OF),
        plain(LiveWorkspace.history),
    ),
    Question(
        _of_lead("/v1/similar/{id:path}", "The past leads most like one, and how they ended", Neighbours, AS_OF,
                 whole("limit", "how many", least=1, most=200), flag("same_account", "count the lead's colleagues in")),
        plain(LiveWorkspace.similar),
    ),
    Question(
        _of_lead("/v1/next/{id:path}", "What could come next", NextSteps, AS_OF,
                 whole("limit", "how many", least=1, most=50), duration("within", "how far ahead to look: 14d, 4w"),
                 text("actions", "a type of event that is ours to do; may be repeated", many=True)),
        plain(LiveWorkspace.next),
    ),
    Question(
        Operation("GET", "/v1/facts/{id:path}", _FACTS, scope="read", parameters=(AS_OF, FIELDS),
                  response=KnownFacts, refusals=(404,)),
        plain(LiveWorkspace.facts),
    ),
    Question(
        _of_lead("/v1/letter/{id:path}", "The principal reasons why a score is not higher", PrincipalReasons, AS_OF,
                 _REASONS, text("line", "a grade, or a score: who is above it has passed")),
        plain(LiveWorkspace.letter),
    ),
)  # fmt: skip

_SCORE = Operation(
    "POST", "/v1/score", "Score a lead given in the request; nothing is kept", scope="read",
    request=Body({"application/json": {"type": "object"}}), response=Reasons,
    parameters=(SCORECARD, AS_OF, FIELDS), refusals=(404,),
    about="The body is the lead's attributes by name, and its events: [{type, at, …}].",
)  # fmt: skip
_TRY = Operation(
    "POST", "/v1/try", "The same as /v1/score, under the command line's name", scope="read", request=_SCORE.request,
    response=Reasons, parameters=_SCORE.parameters, refusals=(404,), about=_SCORE.about,
)  # fmt: skip

OPERATIONS = (*pages.OPERATIONS, *(question.operation for question in QUESTIONS), _SCORE, _TRY)


def routes(state: State) -> list[Route]:
    """Return the routes by which scores are read."""

    async def score(request: Request) -> Response:
        """Score a lead given in the request; nothing is stored."""
        allowed(state.keys, request, "read")
        told = asked(request, _SCORE.parameters)
        fields, lead = told.pop("fields", None), parsed(await read_body(request, MAX_LEAD))
        if not isinstance(lead, Mapping):
            raise Problem(400, "a lead is an object: its attributes by name, and its events")
        ledger = await asyncio.wrap_future(state.scorer.score(lead, **told))
        return answer(request, {**ledger.as_dict(), "reasons": ledger.reasons()}, fields=fields)

    return [
        *pages.routes(state),
        *(Route(one.operation.path, reading(state, one), methods=["GET"]) for one in QUESTIONS),
        Route("/v1/score", score, methods=["POST"]),
        Route("/v1/try", score, methods=["POST"]),
    ]


def reading(state: State, question: Question) -> Callable[[Request], Any]:
    """Return what answers a question."""

    async def read(request: Request) -> Response:
        allowed(state.keys, request, "read")
        said, told = request.path_params.values(), asked(request, question.operation.parameters)
        fields = told.pop("fields", None)
        shown = await state.readers.ask(lambda workspace: question.ask(workspace, *said, **told), long=question.long)
        return answer(request, shown, fields=fields)

    return read
