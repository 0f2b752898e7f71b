"""Verbs that take long, as jobs: a request begins one and is told at once where to look for its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.access import allowed
from leadlight.service.answers import answer
from leadlight.service.bodies import read_as
from leadlight.service.jobs import Jobs
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import Answer, Operation, Wanted
from leadlight.service.parameters import MOMENT_PATTERN, asked
from leadlight.service.state import State
from leadlight.service.taking_in import score_all
from leadlight.spec.durations import parse_duration

Moment = Field(default=None, pattern=MOMENT_PATTERN)
Text = Field(default=None, min_length=1, max_length=200)


class JobShown(Answer):
    """A job: what was asked for, how far it is, and how it ended."""

    id: str
    verb: str
    options: dict[str, Any]
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    begun_at: str
    ended_at: str | None
    problem: dict[str, Any] | None


class JobList(Answer):
    """The last jobs, without their results."""

    jobs: list[JobShown]


class IngestWanted(Wanted):
    """Which sources to read: all unless told."""

    only: list[str] = Field(default_factory=list, max_length=100)
    as_of: str | None = Moment


class ScoreWanted(Wanted):
    """Who scores everybody: all scorecards unless told."""

    scorecard: str | None = Text
    as_of: str | None = Moment


class LearnWanted(Wanted):
    """How to learn."""

    name: str | None = Field(default=None, pattern="^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$")
    outcome: str | None = Text
    against: str | None = Text
    keep: list[str] = Field(default_factory=list, max_length=100)
    force: bool = False
    if_needed: bool = False
    seed: int = Field(default=1, ge=0, le=2**31 - 1)
    as_of: str | None = Moment


class UpliftWanted(Wanted):
    """How to learn who is moved by a treatment."""

    name: str | None = Field(default=None, pattern="^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$")
    outcome: str | None = Text
    keep: list[str] = Field(default_factory=list, max_length=100)
    force: bool = False
    seed: int = Field(default=1, ge=0, le=2**31 - 1)
    as_of: str | None = Moment


class BacktestWanted(Wanted):
    """Which part of the past to replay."""

    scorecard: str | None = Text
    top: int = Field(default=50, ge=1, le=1_000_000)
    since: str = Field(default="180d", pattern=MOMENT_PATTERN)
    until: str | None = Moment
    every: str = Field(default="7d", pattern="^[1-9][0-9]{0,2}[dw]$")
    relearn: str = Field(default="28d", pattern="^[1-9][0-9]{0,2}[dw]$")
    seed: int = Field(default=1, ge=0, le=2**31 - 1)


class AdjustWanted(Wanted):
    """Which hand-written scorecard outcomes may move."""

    scorecard: str | None = Text
    as_of: str | None = Moment
    seed: int = Field(default=1, ge=0, le=2**31 - 1)


class RetainWanted(Wanted):
    """Whether to say only what would be taken out of the store."""

    dry_run: bool = False


class BackupWanted(Wanted):
    """Nothing is asked: the backup goes into the workspace's .leadlight/backups."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A verb that is run as a job: how it is asked for, and what it does.

    One that `writes` is done between two micro-batches, by whoever writes the store.
    """

    verb: str
    path: str
    summary: str
    wanted: type[BaseModel]
    work: Callable[..., Mapping[str, Any]]
    writes: bool = False

    @property
    def operation(self) -> Operation:
        """Its declaration."""
        return Operation(
            "POST", self.path, f"{self.summary}, as a job", scope="manage", request=self.wanted, response=JobShown,
            status=202, about="The answer's Location is where to look for its end.",
        )  # fmt: skip


def _ingest(workspace: LiveWorkspace, **told: Any) -> Mapping[str, Any]:
    """Read the sources, and let everybody have a score by what is new."""
    report = workspace.ingest(**told).as_dict()
    workspace.refresh()
    return {**report, "scores": score_all(workspace)}


def _score(workspace: LiveWorkspace, **told: Any) -> Mapping[str, Any]:
    return {"scores": [run.as_dict() for run in workspace.score(**told)]}


def _learn(workspace: LiveWorkspace, **told: Any) -> Mapping[str, Any]:
    return workspace.learn(**told).as_dict()


def _uplift(workspace: LiveWorkspace, **told: Any) -> Mapping[str, Any]:
    return workspace.uplift(**told).as_dict()


def _adjust(workspace: LiveWorkspace, **told: Any) -> Mapping[str, Any]:
    return workspace.adjust(**told).as_dict()


def _backtest(workspace: LiveWorkspace, *, every: str, relearn: str, **told: Any) -> Mapping[str, Any]:
    return workspace.backtest(**told, every=parse_duration(every), relearn=parse_duration(relearn)).as_dict()


def _retain(workspace: LiveWorkspace, **told: Any) -> Mapping[str, Any]:
    return workspace.retain(**told).as_dict()


def _backup(workspace: LiveWorkspace) -> Mapping[str, Any]:
    return workspace.backup().as_dict()


KINDS = (
    Kind("ingest", "/v1/ingest", "Read the sources and score", IngestWanted, _ingest, writes=True),
    Kind("score", "/v1/scores", "Score everybody and keep the scores", ScoreWanted, _score, writes=True),
    Kind("learn", "/v1/learn", "Learn a scorecard from outcomes; published through its gate", LearnWanted, _learn),
    Kind("uplift", "/v1/uplift", "Learn who is moved by a treatment", UpliftWanted, _uplift),
    Kind("adjust", "/v1/adjust", "Let outcomes move a hand-written scorecard, as a draft", AdjustWanted, _adjust),
    Kind("backtest", "/v1/backtest", "Replay the past", BacktestWanted, _backtest),
    Kind("retain", "/v1/retain", "Take out events that count for no score", RetainWanted, _retain, writes=True),
    Kind("backup", "/v1/backup", "Write a backup beside the store", BackupWanted, _backup, writes=True),
)
OPERATIONS = (
    *(kind.operation for kind in KINDS),
    Operation("GET", "/v1/jobs", "The last jobs", scope="read", response=JobList),
    Operation("GET", "/v1/jobs/{id}", "A job: how far it is, and its result", scope="read", response=JobShown,
              refusals=(404,)),
    Operation("DELETE", "/v1/jobs/{id}", "Cancel a job that waits, or a look-up, a sync or a push that runs",
              scope="manage", response=JobShown, refusals=(404, 409),
              about="What came of it until then is kept, and told."),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes about jobs."""
    jobs = state.jobs

    async def all_jobs(request: Request) -> Response:
        allowed(state.keys, request, "read")
        asked(request, ())
        return answer(request, {"jobs": jobs.all()})

    async def one(request: Request) -> Response:
        allowed(state.keys, request, "read")
        asked(request, ())
        return answer(request, jobs.find(request.path_params["id"]))

    async def cancel(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        asked(request, ())
        return answer(request, jobs.cancel(request.path_params["id"]))

    return [
        *(Route(kind.path, _beginning(state, jobs, kind), methods=["POST"]) for kind in KINDS),
        Route("/v1/jobs", all_jobs, methods=["GET"]),
        Route("/v1/jobs/{id}", one, methods=["GET"]),
        Route("/v1/jobs/{id}", cancel, methods=["DELETE"]),
    ]


def _beginning(state: State, jobs: Jobs, kind: Kind) -> Callable[[Request], Any]:
    async def begin(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        asked(request, ())
        options = (await read_as(request, kind.wanted)).model_dump()

        def work() -> Mapping[str, Any]:
            if kind.writes:
                return state.worker.do(lambda workspace: kind.work(workspace, **options)).result()
            found = state.readers.ask_long(lambda workspace: kind.work(workspace, **options))
            state.worker.do(lambda _: None).result()  # what it published is in use when it is told
            return found

        job = jobs.begin(kind.verb, {name: value for name, value in options.items() if value not in (None, [])}, work)
        return answer(request, job, 202, location=f"/v1/jobs/{job['id']}")

    return begin
