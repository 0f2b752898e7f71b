"""Look leads up, and say how look-ups stand."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.enrich.run import Wish, asked_providers
from leadlight.errors import UsageError
from leadlight.expr.parse import ExpressionError, parse_condition
from leadlight.service import enrich_queue
from leadlight.service.access import allowed
from leadlight.service.answers import answer
from leadlight.service.bodies import read_as
from leadlight.service.job_routes import JobShown
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import Answer, Operation, Wanted
from leadlight.service.parameters import asked
from leadlight.service.problems import Problem
from leadlight.service.state import State
from leadlight.spec.scopes import lead_scope
from leadlight.store.leads import get_lead

Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
Condition = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]


class EnrichWanted(Wanted):
    """Whom to look up, by whom, and what it may cost: the options of `leadlight enrich`."""

    lead: Text | None = None
    where: Condition | None = None
    provider: list[Text] = Field(default_factory=list, max_length=100)
    budget: float | None = Field(default=None, ge=0, le=1e12, allow_inf_nan=False)
    requests: int | None = Field(default=None, ge=0, le=1_000_000_000)
    dry_run: bool = False


class Amount(Answer):
    """Money and HTTP requests; null for any number."""

    money: float | None
    requests: int | None


class EnrichShown(Answer):
    """How look-ups stand: what is done in the background, what waits for it, and what it has spent today (UTC).

    `busy` says whether anybody looks leads up at this moment, `trouble` why this process could look up nobody.
    """

    on_ingest: bool
    providers: list[str]
    waiting: int
    busy: bool
    budget: Amount
    spent: Amount
    trouble: str | None


_SHOWN = Operation("GET", "/v1/enrich", "How look-ups stand, and who waits", scope="read", response=EnrichShown)
_ENRICH = Operation(
    "POST", "/v1/enrich", "Look leads up, as a job", scope="manage", request=EnrichWanted, response=JobShown,
    status=202, refusals=(404, 409),
    about="The answer's Location is where to look for its end, and what to DELETE to cancel it. Its options do not "
    "name whom it is about.",
)  # fmt: skip
OPERATIONS = (_SHOWN, _ENRICH)


def routes(state: State) -> list[Route]:
    """Return the routes about look-ups."""

    async def shown(request: Request) -> Response:
        allowed(state.keys, request, "read")
        asked(request, ())
        return answer(request, await state.readers.ask(lambda workspace: _shown(state, workspace)))

    async def begin(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        asked(request, ())
        wanted = await read_as(request, EnrichWanted)
        wish, stop = await state.readers.ask(lambda workspace: _wish(workspace, wanted)), threading.Event()

        def work() -> Mapping[str, Any]:
            run = state.lookups.look_up(wish, stop=stop)
            return {} if run is None else run.as_dict()

        job = state.jobs.begin("enrich", _told(wanted), work, stop=stop)
        return answer(request, job, 202, location=f"/v1/jobs/{job['id']}")

    return [
        Route("/v1/enrich", shown, methods=["GET"]),
        Route("/v1/enrich", begin, methods=["POST"]),
    ]


def _wish(workspace: LiveWorkspace, wanted: EnrichWanted) -> Wish:
    """Return what is asked for.

    Raises Problem 409 where leadlight.yaml names nobody to ask, UsageError for a condition that is none, NotFoundError
    for a lead or a provider there is not.
    """
    spec, resolved = workspace.loaded.workspace.spec, workspace.resolved
    if spec.enrich is None:
        fix = "Write `enrich: {ask: [email, dns, website]}` there."
        raise Problem(409, "leadlight.yaml does not say whom to ask, so nobody is", fix=fix)
    asked_providers(spec.enrich, wanted.provider)
    if wanted.where is not None:
        try:
            parse_condition(wanted.where, lead_scope(resolved.catalog, resolved.features, frozenset()).types)
        except ExpressionError as error:
            raise UsageError(f"where is no condition: {error}") from None
    leads = None
    if wanted.lead is not None:
        leads = (get_lead(workspace.engine, wanted.lead, entity=spec.entity).lead,)
    return Wish(leads, wanted.where, tuple(wanted.provider), wanted.budget, wanted.requests, wanted.dry_run)


def _told(wanted: EnrichWanted) -> dict[str, Any]:
    """Return the options as the job tells them: jobs are remembered, so without what may name a person."""
    told = wanted.model_dump(exclude={"lead", "where"})
    return {name: value for name, value in told.items() if value is not None and value is not False and value != []}


def _shown(state: State, workspace: LiveWorkspace) -> dict[str, Any]:
    spec, engine = workspace.loaded.workspace.spec.enrich, workspace.engine
    spent = enrich_queue.spent(engine, state.now())
    return {
        "on_ingest": spec is not None and spec.on_ingest,
        "providers": [] if spec is None else list(asked_providers(spec)),
        "waiting": enrich_queue.waiting(engine),
        "busy": not state.lookups.turn.is_free,
        "budget": {"money": None if spec is None else spec.budget.money,
                   "requests": None if spec is None else spec.budget.requests},
        "spent": {"money": round(spent.money, 6), "requests": spent.requests},
        "trouble": state.enrich_live.trouble,
    }  # fmt: skip
