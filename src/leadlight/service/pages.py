"""The ranking, a page at a time: all pages of one walk are as of one moment, which the cursor keeps."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.service.access import allowed
from leadlight.service.answers import answer
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import Operation, Sparse
from leadlight.service.parameters import AS_OF, CURSOR, FIELDS, SCORECARD, asked, number, one_of, text, whole
from leadlight.service.problems import Problem
from leadlight.service.state import State
from leadlight.spec.moments import parse_moment

PAGE = 20
LONGEST_PAGE = 200
DEEPEST = 5_000
"""How far a ranking can be paged through; who wants all of it exports it."""
ORDERS = ("score", "deadline", "rescue")


class RankedLead(Sparse):
    """A lead's place, and why."""

    rank: int
    id: str
    score: float
    grade: str | None
    gate: str | None
    probability: float | None
    interval: list[float] | None
    expected: float | None
    groups: dict[str, float]
    reasons: list[str]


class RankingPage(Sparse):
    """A page of a ranking; `next` is the cursor of the page behind it, null on the last."""

    entity: str
    scorecard: str
    version: str
    as_of: str
    total: int
    excluded: int
    grades: dict[str, int]
    rows: list[RankedLead]
    notes: list[str]
    next: str | None


PARAMETERS = (
    SCORECARD, AS_OF, text("grade", "only these"), text("account", "only leads of this account"),
    text("where", "only leads for which a condition over attributes and features is true: job_level = 'vp'"),
    text("per", "rank within the values of this attribute or feature"),
    one_of("order", "by what to rank; rescue: who can still be done in time", choices=ORDERS),
    number("per_day", "order=rescue: how much is done a day"),
    text("effort", "order=rescue: the feature that says what one takes"),
    whole("limit", f"rows of a page, {PAGE} unless told", least=1, most=LONGEST_PAGE), CURSOR, FIELDS,
)  # fmt: skip

OPERATIONS = tuple(
    Operation(
        "GET", path, "The ranking, with reasons", scope="read", response=RankingPage, parameters=PARAMETERS,
        refusals=(404,), about="A cursor says all but limit and fields by itself.",
    )
    for path in ("/v1/leads", "/v1/rank")
)  # fmt: skip


def routes(state: State) -> list[Route]:
    """Return the routes by which the ranking is read."""

    async def ranked(request: Request) -> Response:
        allowed(state.keys, request, "read")
        told = asked(request, PARAMETERS)
        fields, page = told.pop("fields", None), page_of(told, state.now())
        return answer(request, await state.readers.ask(partial(ranking, page)), fields=fields)

    return [Route(path, ranked, methods=["GET"]) for path in ("/v1/leads", "/v1/rank")]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of which ranking."""

    as_of: str
    limit: int = PAGE
    offset: int = 0
    scorecard: str | None = None
    grade: str | None = None
    account: str | None = None
    where: str | None = None
    per: str | None = None
    order: str = "score"
    per_day: float | None = None
    effort: str | None = None

    def cursor(self) -> str:
        """Say it in a word."""
        told = {name: value for name, value in asdict(self).items() if value is not None}
        return base64.urlsafe_b64encode(orjson.dumps(told)).decode()


def page_of(told: Mapping[str, Any], now: datetime) -> Page:
    """Return the page that a query asks for.

    Raises Problem 400 for a cursor that is none, or one beside what it says by itself.
    """
    if "cursor" not in told:
        as_of = parse_moment(told.get("as_of", "now"), now).isoformat()
        return Page(**{**told, "as_of": as_of})
    if beside := sorted(told.keys() - {"cursor", "limit"}):
        raise Problem(400, f"a cursor says {', '.join(beside)} by itself: leave that out")
    return replace(_read(told["cursor"]), **({"limit": told["limit"]} if "limit" in told else {}))


def _read(cursor: str) -> Page:
    try:
        found = orjson.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        page = Page(**found)
        datetime.fromisoformat(page.as_of)
        sound = all(isinstance(found[name], kind) for name, kind in _KINDS.items() if name in found)
        sound = sound and page.order in ORDERS
    except (ValueError, TypeError):
        sound = False
    if not sound or not 1 <= page.limit <= LONGEST_PAGE or page.offset < 0:
        raise Problem(400, "the cursor is none: take it as the page before gave it")
    if page.offset > DEEPEST:
        raise Problem(400, f"a ranking can be paged through up to {DEEPEST} places: `leadlight export` writes all")
    return page


_KINDS: Mapping[str, Any] = {
    "as_of": str, "limit": int, "offset": int, "scorecard": str, "grade": str, "account": str, "where": str,
    "per": str, "order": str, "per_day": float, "effort": str,
}  # fmt: skip


def ranking(page: Page, workspace: LiveWorkspace) -> Mapping[str, Any]:
    """Return a page of a ranking as plain JSON values."""
    among = None
    if page.where is not None or page.account is not None:
        among = workspace.among(where=page.where, account=page.account, as_of=page.as_of)
    order: Any = page.order
    found = workspace.rank(
        page.scorecard, as_of=page.as_of, grade=page.grade, limit=page.offset + page.limit, among=among,
        per=page.per, order=order, per_day=page.per_day, effort=page.effort,
    ).as_dict()  # fmt: skip
    if page.per is not None:  # each group has its own first ones: there is one page
        return {**found, "next": None}
    rows = found["rows"][page.offset :]
    more = replace(page, offset=page.offset + page.limit).cursor() if len(rows) == page.limit else None
    return {**found, "rows": rows, "next": more}
