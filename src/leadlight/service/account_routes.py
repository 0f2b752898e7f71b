"""Accounts: the ranking by a scorecard of accounts, and all about one of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError
from leadlight.service.access import allowed
from leadlight.service.answers import answer
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.operation import Operation, Sparse
from leadlight.service.pages import PARAMETERS, RankedLead, RankingPage, page_of, ranking
from leadlight.service.parameters import AS_OF, FIELDS, asked, whole
from leadlight.service.read_routes import Ledger, Question, reading
from leadlight.service.state import State
from leadlight.store.access import plain
from leadlight.store.accounts import get_account
from leadlight.store.sql import fill, joined

LEADS = 20
"""Leads shown with an account, the first of the ranking among its own."""
KEYS = ("account", "known_at", "known_until")
_OF_ACCOUNTS = tuple(one for one in PARAMETERS if one.name not in ("account", "where"))


class AccountShown(Sparse):
    """An account: what is known of it, its score where a scorecard is about accounts, its leads as they rank."""

    account: str
    as_of: str
    attributes: dict[str, Any]
    score: Ledger | None
    leads: list[RankedLead]
    total: int


_LIST = Operation(
    "GET", "/v1/accounts", "The accounts, ranked by a scorecard of accounts", scope="read", response=RankingPage,
    parameters=_OF_ACCOUNTS, refusals=(404,),
)  # fmt: skip
_ONE = Operation(
    "GET", "/v1/accounts/{id:path}", "All about an account", scope="read", response=AccountShown, refusals=(404,),
    parameters=(AS_OF, whole("limit", f"leads to show, {LEADS} unless told", least=1, most=200), FIELDS),
)  # fmt: skip
OPERATIONS = (_LIST, _ONE)


def routes(state: State) -> list[Route]:
    """Return the routes about accounts."""

    async def ranked(request: Request) -> Response:
        allowed(state.keys, request, "read")
        told = asked(request, _OF_ACCOUNTS)
        fields, chosen = told.pop("fields", None), told.get("scorecard")

        def ask(workspace: LiveWorkspace) -> Mapping[str, Any]:
            page = {**told} if "cursor" in told else {**told, "scorecard": chosen or _card(workspace)}
            return ranking(page_of(page, state.now()), workspace)

        return answer(request, await state.readers.ask(ask), fields=fields)

    return [
        Route(_LIST.path, ranked, methods=["GET"]),
        Route(_ONE.path, reading(state, Question(_ONE, account)), methods=["GET"]),
    ]


def _card(workspace: LiveWorkspace) -> str:
    """Return the name of the first scorecard of accounts. Raises NotFoundError."""
    found = next((card.name for card in workspace.scorecards if card.spec.of == "account"), None)
    if found is None:
        raise NotFoundError("no scorecard is about accounts", fix="Write one with `of: account`, or ask for leads.")
    return found


def account(workspace: LiveWorkspace, name: str, *, as_of: str | None = None, limit: int = LEADS) -> Mapping[str, Any]:
    """Return what is known of an account. Raises NotFoundError, naming the nearest."""
    moment, name = workspace.moment(as_of), get_account(workspace.engine, name)
    cards = [card.name for card in workspace.scorecards if card.spec.of == "account"]
    among = workspace.among(account=name, as_of=moment)
    leads = workspace.rank(_of_leads(workspace), as_of=moment, among=among, limit=limit).as_dict() if among else None
    return {
        "account": name,
        "as_of": moment.isoformat() + "Z",
        "attributes": _attributes(workspace.engine, name, moment),
        "score": workspace.explain(name, cards[0], as_of=moment).as_dict() if cards and among else None,
        "leads": [] if leads is None else leads["rows"],
        "total": 0 if leads is None else leads["total"],
    }


def _of_leads(workspace: LiveWorkspace) -> str | None:
    """Return the usual scorecard, or the first that is about leads."""
    usual = workspace.scorecard(None)
    return next((card.name for card in (usual, *workspace.scorecards) if card.spec.of == "lead"), None)


def _attributes(engine: Engine, name: str, at: datetime) -> Mapping[str, Any]:
    names = [column for column in engine.columns("account_attributes") if column not in KEYS]
    if not names:
        return {}
    query = fill(
        "SELECT {columns} FROM account_attributes WHERE account = ? AND known_at <= ? AND known_until > ?",
        columns=joined([fill("{name}", name=column) for column in names]),
    )
    rows = engine.rows(query, [name, at, at])
    values = dict(zip(names, map(plain, rows[0]), strict=True)) if rows else {}
    return {column: value for column, value in values.items() if value is not None}
