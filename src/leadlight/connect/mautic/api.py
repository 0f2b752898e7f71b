"""Mautic's API: what it asks for, what its refusals mean, and how it pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from leadlight.connect.auth import Basic, OAuth2
from leadlight.connect.http import Answer, Http, Way
from leadlight.connect.protocol import About, Limits, Secret, Settings
from leadlight.connect.refusals import odd
from leadlight.errors import RemoteError, RemoteTrouble, UsageError

API_SETTINGS = "Settings > Configuration > API Settings"
PAGE = 200
"""Records in a page, and in a batch: Mautic takes no more in one write unless its configuration says so."""
FIELDS_PAGE = 500
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404
UNSEEN = (FORBIDDEN, NOT_FOUND)
"""How a table is refused to a user who may not see it."""

ABOUT = About(
    name="mautic",
    title="Mautic",
    secrets=(
        Secret("username", "MAUTIC_USERNAME", "a user made for this under Settings > Users", needed=False),
        Secret("password", "MAUTIC_PASSWORD", "that user's password; basic auth must be on", needed=False),
        Secret(
            "client_id", "MAUTIC_CLIENT_ID", "Settings > API Credentials > New, OAuth 2: the public key", needed=False
        ),
        Secret("client_secret", "MAUTIC_CLIENT_SECRET", "the secret key of those credentials", needed=False),
        Secret(
            "webhook_secret", "MAUTIC_WEBHOOK_SECRET", "the secret of the webhook, Settings > Webhooks", needed=False
        ),
    ),
    limits=Limits(per_second=10, batch=PAGE, page=PAGE),
    documentation="https://devdocs.mautic.org/en/latest/rest_api/contacts.html",
    scopes=(
        "lead:leads:viewother",
        "lead:leads:editother",
        "lead:lists:viewother",
        "lead:fields:full",
        "lead:notes:create",
    ),
    listens=True,
)


class MauticSettings(Settings):
    """What leadlight.yaml may say of a Mautic."""

    url: str = Field(description="its address, without /api: https://mautic.example.com")
    anonymous: bool = Field(default=False, description="whether visitors that nobody knows by name are read, too")
    activity_days: int = Field(730, ge=1, description="how far back activity is read the first time")


def way(settings: Settings, secrets: Mapping[str, str]) -> Way:
    """Say where it is and how requests are signed. Raises UsageError where nothing signs in."""
    url = (settings.url or "").rstrip("/").removesuffix("/api")
    if secrets.get("client_id") and secrets.get("client_secret"):
        sign: Any = OAuth2(
            "/oauth/v2/token",
            "client_credentials",
            client_id=secrets["client_id"],
            client_secret=secrets["client_secret"],
            fix="In Mautic, Settings > API Credentials: look whether these credentials are still there (OAuth 2).",
        )
    elif secrets.get("username") and secrets.get("password"):
        sign = Basic(secrets["username"], secrets["password"])
    else:
        raise UsageError(
            "mautic: neither a user and password nor a client's id and secret are told",
            fix="Set MAUTIC_USERNAME and MAUTIC_PASSWORD, or MAUTIC_CLIENT_ID and MAUTIC_CLIENT_SECRET.",
        )
    return Way(base=url, sign=sign, refusal=refusal)


def refusal(answer: Answer) -> RemoteError | None:
    """Say what a refusal means in Mautic, and what to do there."""
    told = _errors(answer)
    kind, message = str(told.get("type") or ""), str(told.get("message") or "")
    said = f": {message}" if message else ""
    if kind == "api_disabled":
        return _error(
            answer, "disabled", f"its API is switched off{said}", f"In Mautic, {API_SETTINGS}: API enabled? Yes."
        )
    if "basic" in message.lower() and "disabled" in message.lower():
        fix = f"In Mautic, {API_SETTINGS}: Enable HTTP basic auth? Yes; or use OAuth 2 credentials."
        return _error(answer, "disabled", f"it does not take a user and password{said}", fix)
    if answer.status == UNAUTHORIZED:
        fix = (
            "In Mautic, look whether the user is published and the password is right (Settings > Users), "
            "or whether the credentials are still there (Settings > API Credentials)."
        )
        return _error(answer, "sign_in", f"it does not know who we are{said}", fix)
    if answer.status == FORBIDDEN:
        fix = f"In Mautic, Settings > Roles: the role of this user needs {', '.join(ABOUT.scopes)}."
        return _error(answer, "scope", f"this user may not do that{said}", fix)
    return None


def _error(answer: Answer, trouble: RemoteTrouble, message: str, fix: str) -> RemoteError:
    return RemoteError(ABOUT.title, trouble, message, fix=fix, status=answer.status)


def _errors(answer: Answer) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except RemoteError:
        return {}
    told = body.get("errors") if isinstance(body, dict) else None
    return told[0] if isinstance(told, list) and told and isinstance(told[0], dict) else {}


def records(body: Any, key: str) -> list[dict[str, Any]]:
    """Return the records of a list, which PHP gives as a list or as an object by id. Raises RemoteError for neither.

    >>> records({"contacts": {"7": {"id": 7}}}, "contacts"), records({"contacts": []}, "contacts")
    ([{'id': 7}], [])
    """
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, dict | list):
        raise odd(ABOUT.title, f"no list of {key}")
    return [one for one in (found.values() if isinstance(found, dict) else found) if isinstance(one, dict)]


def numbers(found: Iterable[Mapping[str, Any]], after: int) -> list[int]:
    """Return the ids of records that come after one. Raises RemoteError where they do not, or are none."""
    ids = [int(str(one.get("id"))) if str(one.get("id")).isdecimal() else 0 for one in found]
    if any(id <= after for id in ids):  # noqa: A001
        raise odd(ABOUT.title, f"records whose id is not greater than {after}")
    return ids


Condition = tuple[str, str, str | None]
"""A column, how it is compared (`gt`, `in`, `isNotNull` …), and with what."""


def where(conditions: Iterable[Condition]) -> dict[str, str]:
    """Write conditions as the query takes them; all of them must be true.

    >>> where([("id", "gt", "7")])
    {'where[0][col]': 'id', 'where[0][expr]': 'gt', 'where[0][val]': '7'}
    """
    params: dict[str, str] = {}
    for at, (column, how, value) in enumerate(conditions):
        params |= {f"where[{at}][col]": column, f"where[{at}][expr]": how}
        if value is not None:
            params[f"where[{at}][val]"] = value
    return params


def when(moment: datetime) -> str:
    """Write a time as Mautic's database has it: UTC, to the second."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def listed(http: Http, path: str, conditions: Iterable[Condition], **params: str | int) -> Any:
    """Return one page of a list, as it is answered."""
    return http.ask("GET", path, params={**where(conditions), **params}).json()


def more_after(body: Any, found: Sequence[Any], before: int = 0) -> bool:
    """Say whether more records fit what was asked than this page has, and `before` it came."""
    total = body.get("total") if isinstance(body, dict) else None
    told = int(str(total)) if str(total).isdecimal() else None
    return bool(found) and (len(found) >= PAGE if told is None else told > before + len(found))


def stats(
    http: Http,
    table: str,
    conditions: Iterable[Condition],
    limit: int,
    *,
    by: str = "id",
    start: int = 0,
    newest: bool = False,
) -> tuple[list[dict[str, Any]], bool] | None:
    """Return rows of a table of `/api/stats`, in an order, and whether there are more; None: it may not be seen."""
    params: dict[str, str | int] = {
        "limit": limit,
        "order[0][col]": by,
        "order[0][dir]": "desc" if newest else "asc",
    }
    if start:
        params["start"] = start
    answer = http.ask("GET", f"/api/stats/{table}", params={**where(conditions), **params}, expect=UNSEEN)
    body = answer.json() if answer.status not in UNSEEN else {}
    if not isinstance(body, dict) or "stats" not in body:
        return None
    rows = records(body, "stats")
    return rows, more_after(body, rows, start)
