"""What was changed, by whom, for whoever may manage."""

from __future__ import annotations

import orjson
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.access import allowed
from leadlight.service.audit import audited
from leadlight.service.operation import Answer, Operation, Parameter
from leadlight.service.problems import Problem
from leadlight.service.state import State

MOST = 1000


class EntryShown(Answer):
    """An entry of the audit log."""

    position: int
    at: str
    who: str
    what: str
    on: str
    outcome: str
    body: str
    before: str
    hash: str


class AuditShown(Answer):
    """Entries, and whether the whole log is as it was written: `broken_at` is the first entry that does not follow."""

    entries: list[EntryShown]
    count: int
    head: str
    broken_at: int | None


_COUNT = {"type": "integer", "minimum": 1, "maximum": MOST}
OPERATIONS = (
    Operation(
        "GET", "/v1/audit", "What was changed, by whom", scope="manage", response=AuditShown,
        parameters=(
            Parameter("limit", "how many entries; the newest unless `after` is told", _COUNT, example=50),
            Parameter("after", "only entries after this position", {"type": "integer", "minimum": 0}, example=0),
        ),
    ),
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes about the audit log."""

    async def read(request: Request) -> Response:
        allowed(state.keys, request, "manage")
        limit = _number(request, "limit", 1, MOST)
        since = _number(request, "after", 0, 2**62)
        found = await to_thread.run_sync(
            lambda: audited(state.admission.audit, limit=50 if limit is None else limit, since=since)
        )
        return Response(orjson.dumps(found.as_dict()), media_type="application/json")

    return [Route("/v1/audit", read, methods=["GET"])]


def _number(request: Request, name: str, least: int, most: int) -> int | None:
    told = request.query_params.get(name)
    if told is None:
        return None
    if not (told.isascii() and told.isdecimal() and len(told) < 20 and least <= int(told) <= most):
        raise Problem(400, f"{name} is a whole number from {least} to {most}")
    return int(told)
