"""Questions about everybody and the whole past: evaluation, thresholds, profiles, reports, exports.

They take long, so they wait for each other and nobody waits for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BufferedReader
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.errors import UsageError
from leadlight.learn.line import Wish
from leadlight.service.access import allowed
from leadlight.service.answers import accept, answer, sent, sent_file
from leadlight.service.bodies import read_as
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import TEXT, Body, Operation, Parameter, Sparse, Wanted
from leadlight.service.parameters import AS_OF, FIELDS, SCORECARD, SINCE, UNTIL, asked, number, one_of, text
from leadlight.service.problems import Problem
from leadlight.service.read_routes import Question, Shown, plain, reading
from leadlight.service.state import State
from leadlight.sources.scratch import scratch
from leadlight.workspace import DIALECTS

MAX_OPTIONS = 1024 * 1024
LINE = text("line", "a grade, or a score: who is above it is chosen")
PER = text("per", "a column for the rank within the values of this attribute or feature")


class OfScorecard(Sparse):
    """A report about a scorecard; what it has besides depends on the verb, as in `leadlight VERB --json`."""

    scorecard: str
    version: str


def _thresholds(
    workspace: LiveWorkspace, *, per_day: list[str] | None = None, cost: float | None = None,
    gain: float | None = None, precision: float | None = None, by: str | None = None, **told: Any,
) -> Shown:  # fmt: skip
    wish = Wish(per_day=_capacity(per_day or []), cost=cost, gain=gain, precision=precision, by=by)
    return workspace.threshold(wish, **told).as_dict()


def _capacity(said: list[str]) -> float | dict[str, float] | None:
    """Read `40`, or `north=20` once for each group. Raises UsageError."""
    if not said:
        return None
    if len(said) == 1 and "=" not in said[0]:
        return _amount(said[0])
    return {name: _amount(count) for name, _, count in (one.rpartition("=") for one in said)}


def _amount(said: str) -> float:
    try:
        return float(number("per_day", "").read(said))
    except ValueError as fault:
        raise UsageError(f"per_day: {fault}, or GROUP=NUMBER once for each group") from None


def _verb(verb: str, summary: str, ask: Callable[..., Shown], *parameters: Parameter) -> Question:
    operation = Operation(
        "GET", f"/v1/{verb}", summary, scope="read", parameters=(SCORECARD, *parameters, FIELDS),
        response=OfScorecard, refusals=(404, 409),
    )  # fmt: skip
    return Question(operation, ask, long=True)


QUESTIONS = (
    _verb("evaluate", "How well a scorecard has told winners", plain(LiveWorkspace.evaluate), SINCE, UNTIL, LINE),
    _verb(
        "threshold", "From which score on to call, for a capacity, a cost or a precision", _thresholds, SINCE, UNTIL,
        Parameter("per_day", "leads that can be called a day; GROUP=N with `by`, repeated", many=True),
        number("cost", "what a call costs"), number("gain", "what a win brings; its worth unless told"),
        number("precision", "the share of those called that should be won", most=1.0),
        text("by", "the attribute that says which group calls"),
    ),
    _verb("profile", "Who the ideal buyer is", plain(LiveWorkspace.profile), AS_OF),
    _verb(
        "watch", "What has shifted since a scorecard was learned", plain(LiveWorkspace.watch), SINCE, AS_OF,
        text("segment", "an attribute or feature: tell its values apart"),
    ),
)  # fmt: skip


class Options(Wanted):
    """What is to be given to whom; what is not told comes from `allocate:` in leadlight.yaml."""

    capacity: dict[str, float | str] | None = None
    need: dict[str, float | str] | None = None
    pools: list[dict[str, str | float | bool | None]] | None = None
    pool: str | None = None
    per: str | None = None
    where: str | None = None
    fits: str | None = None
    spread: bool | None = None
    limit: int = 20


_ALLOCATE = Operation(
    "POST", "/v1/allocate", "Give a limited resource to the ranked list; nothing is kept", scope="read",
    parameters=(SCORECARD, AS_OF, FIELDS), request=Options, response=OfScorecard, refusals=(404,),
)  # fmt: skip
_REPORT = Operation(
    "GET", "/v1/report", "One page of HTML about everybody's scores", scope="read", parameters=(SCORECARD, AS_OF),
    response=Body({"text/html": TEXT}), refusals=(404,),
)  # fmt: skip
_EXPORT = Operation(
    "GET", "/v1/export", "The whole ranking as a file", scope="read",
    parameters=(SCORECARD, AS_OF, PER, one_of("format", "csv unless told", choices=("csv", "parquet"))),
    response=Body({"text/csv": TEXT, "application/vnd.apache.parquet": TEXT}), refusals=(404,),
)  # fmt: skip
_SQL = Operation(
    "GET", "/v1/sql", "The statement that scores everybody", scope="read",
    parameters=(SCORECARD, AS_OF, one_of("dialect", "whose SQL; duckdb unless told", choices=DIALECTS)),
    response=Body({"text/plain": TEXT}), refusals=(404,),
)  # fmt: skip
OPERATIONS = (*(question.operation for question in QUESTIONS), _ALLOCATE, _REPORT, _EXPORT, _SQL)
MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def routes(state: State) -> list[Route]:
    """Return the routes about everybody and the past."""

    async def allocate(request: Request) -> Response:
        allowed(state.keys, request, "read")
        told = asked(request, _ALLOCATE.parameters)
        fields = told.pop("fields", None)
        options = await read_as(request, Options, MAX_OPTIONS)
        if not 1 <= options.limit <= 1000:
            raise Problem(400, "limit is a number from 1 to 1000")
        told |= options.model_dump()
        shown = await state.readers.ask(lambda workspace: workspace.allocate(**told).as_dict(), long=True)
        return answer(request, shown, fields=fields)

    async def report(request: Request) -> Response:
        return await _file(request, _REPORT, "text/html", _page)

    async def export(request: Request) -> Response:
        allowed(state.keys, request, "read")
        told = asked(request, _EXPORT.parameters)
        ending = told.pop("format", "csv")
        accept(request, MEDIA[ending])
        file = await state.readers.ask(lambda workspace: _exported(workspace, ending, told), long=True)
        return await sent_file(request, file, MEDIA[ending])

    async def sql(request: Request) -> Response:
        return await _file(request, _SQL, "text/plain", lambda workspace, **told: workspace.sql(**told).encode())

    async def _file(request: Request, operation: Operation, media: str, make: Callable[..., bytes]) -> Response:
        allowed(state.keys, request, "read")
        told = asked(request, operation.parameters)
        accept(request, media)
        body = await state.readers.ask(lambda workspace: make(workspace, **told), long=True)
        return sent(request, body, media)

    return [
        *(Route(one.operation.path, reading(state, one), methods=["GET"]) for one in QUESTIONS),
        Route("/v1/allocate", allocate, methods=["POST"]),
        Route("/v1/report", report, methods=["GET"]),
        Route("/v1/export", export, methods=["GET"]),
        Route("/v1/sql", sql, methods=["GET"]),
    ]


def _page(workspace: LiveWorkspace, **told: Any) -> bytes:
    with scratch() as folder:
        return workspace.report(folder / "report.html", **told).html.encode()


def _exported(workspace: LiveWorkspace, ending: str, told: Mapping[str, Any]) -> BufferedReader:
    """Return the export as an open file that has no name any more: nothing of it stays, however this ends."""
    with scratch() as folder:
        path = folder / f"ranking.{ending}"
        workspace.export(str(path), **told)
        return path.open("rb")
