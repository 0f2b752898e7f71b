"""A person's rights: everything that is known about them, and to be erased."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.access import allowed
from leadlight.service.answers import answer
from leadlight.service.operation import Answer, Operation
from leadlight.service.parameters import asked
from leadlight.service.read_routes import Ledger
from leadlight.service.state import State
from leadlight.store.erase import Erased


class AccessShown(Answer):
    """Everything that is known about a person, and why its scores are what they are."""

    entity: str
    ids: list[str]
    as_of: str
    scores: list[Ledger]
    facts: dict[str, Any] | None
    tables: dict[str, list[dict[str, Any]]]
    kept_answers: list[dict[str, Any]]


class ErasedShown(Answer):
    """Who was erased (all ids), and how many rows of which table."""

    ids: list[str]
    rows: dict[str, int]
    total: int


_ACCESS = "Everything that is known about a person and why, as a JSON file: what erasing would remove"
OPERATIONS = (
    Operation("GET", "/v1/leads/{id:path}/access", _ACCESS, scope="manage", response=AccessShown, refusals=(404,)),
    Operation("GET", "/v1/access/{id:path}", _ACCESS, scope="manage", response=AccessShown, refusals=(404,)),
    Operation(
        "DELETE", "/v1/leads/{id:path}", "Erase a person everywhere, for good", scope="manage", response=ErasedShown,
        refusals=(404,),
        about="Calls that wait are stored first. In the embedded store's file no byte is left once the service has "
        "ended. Later calls about the same ids are left out.",
    ),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes of a person's rights."""

    async def access(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        asked(request, ())
        lead = request.path_params["id"]
        found = await state.readers.ask(lambda workspace: workspace.access(lead).as_dict(), long=True)
        return answer(request, found, content_disposition='attachment; filename="access.json"')

    async def erase(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        asked(request, ())
        lead = request.path_params["id"]
        erased = await to_thread.run_sync(_erase, state, lead)
        return answer(request, erased.as_dict())

    def _erase(state: State, lead: str) -> Erased:
        """Erase while nobody is being looked up: no answer about the person may be on its way."""
        with state.lookups.alone():
            return state.worker.do(lambda workspace: workspace.erase(lead)).result()

    return [
        Route("/v1/leads/{id:path}/access", access, methods=["GET"]),
        Route("/v1/access/{id:path}", access, methods=["GET"]),
        Route("/v1/leads/{id:path}", erase, methods=["DELETE"]),
    ]
