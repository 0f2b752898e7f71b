"""Marketo's REST API: signing in, and errors that come with a 200.

Every answer has `success`; what went wrong stands in `errors`, by a code. Those that pass by (too many requests at once
or in 20 seconds, a token that has run out) are waited for or renewed on the way; the others are told in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import Field

from leadlight.connect.auth import OAuth2
from leadlight.connect.http import Answer, Http, Used, Way
from leadlight.connect.protocol import About, Limits, Secret, Settings
from leadlight.connect.refusals import odd
from leadlight.connect.typed import text
from leadlight.errors import RemoteError, RemoteTrouble, UsageError

PAGE = BATCH = 300
PER_DAY = 50_000
RATE_SECONDS = 20.0
BUSY: Mapping[str, float] = {
    "502": 10.0,
    "604": 10.0,
    "606": RATE_SECONDS,
    "608": 30.0,
    "611": 10.0,
    "614": 30.0,
    "615": 2.0,
    "713": 10.0,
}
"""Codes that pass by, and how long one waits."""
EXPIRED = frozenset({"601", "602"})
ADDRESS_MOST = 6_000
"""Characters of a query; Marketo takes 8 KB, and longer ones in the body of a POST."""
SMALL = 4_096
"""An answer that says no is short: longer ones are not looked into twice."""
UNAUTHORIZED = 401
MUNCHKIN = re.compile(r"\d{3}-[A-Za-z]{3}-\d{3}")
USAGE = "/rest/v1/stats/usage.json"

ABOUT = About(
    name="marketo",
    title="Marketo",
    secrets=(
        Secret("client_id", "MARKETO_CLIENT_ID", "Admin > Integration > LaunchPoint: your service, View Details"),
        Secret("client_secret", "MARKETO_CLIENT_SECRET", "beside the client id"),
    ),
    limits=Limits(per_second=5, per_day=PER_DAY, at_once=5, batch=BATCH, page=PAGE),
    documentation="https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/rest-api",
    scopes=(
        "Read-Write Person",
        "Read-Only Activity",
        "Read-Only Activity Metadata",
        "Read-Only Opportunity",
        "Read-Write Schema Custom Field",
        "Execute Campaign",
    ),
)


class MarketoSettings(Settings):
    """What leadlight.yaml may say of a Marketo subscription."""

    munchkin_id: str | None = Field(
        None, description="123-ABC-456, from Admin > Integration > Munchkin; or write `url`"
    )
    created_since: date | None = Field(
        None, description="people created before are not read; five years ago unless told"
    )
    history_days: int = Field(90, ge=0, le=730, description="how far back changes of people are read the first time")
    activity_days: int = Field(90, ge=1, le=760, description="how far back activities are read the first time")
    activity_types: tuple[int, ...] = Field(
        (1, 2, 3, 8, 9, 10, 11, 27, 46, 104), max_length=10, description="ids of the types of activity that are read"
    )
    task_campaign: int | None = Field(
        None, ge=1, description="id of the smart campaign that is requested where `push.tasks` wants a task"
    )
    poll_seconds: float = Field(60.0, gt=0, description="how often is asked whether an export has been made")


def way(settings: Settings, secrets: Mapping[str, str]) -> Way:
    """Say where it is and how requests are signed. Raises UsageError where it is not said."""
    munchkin = settings.munchkin_id if isinstance(settings, MarketoSettings) else None
    if settings.url is None and not (munchkin and MUNCHKIN.fullmatch(munchkin)):
        raise UsageError(
            "marketo: nothing says which subscription is meant",
            fix="Write `munchkin_id: 123-ABC-456` (Admin > Integration > Munchkin), or its REST endpoint as `url`.",
        )
    base = (
        (settings.url or f"https://{munchkin}.mktorest.com").rstrip("/").removesuffix("/rest").removesuffix("/identity")
    )
    sign = OAuth2(
        "/identity/oauth/token",
        "client_credentials",
        client_id=secrets.get("client_id", ""),
        client_secret=secrets.get("client_secret", ""),
        query=True,
        over=lambda answer: answer.status == UNAUTHORIZED or bool(EXPIRED & set(_codes(answer))),
        fix="In Marketo, Admin > Integration > LaunchPoint: your custom service, View Details: copy both again.",
    )
    return Way(base=base, sign=sign, refusal=refusal, busy=busy, used=used)


def busy(answer: Answer) -> float | None:
    """Return the seconds to wait where an answer says that it will pass by."""
    for code, message in _codes(answer).items():
        if code in BUSY:
            told = re.search(r"in '?(\d{1,3})'? secs", message) if code == "606" else None
            return float(told[1]) if told else BUSY[code]
    return None


def used(answer: Answer) -> Used | None:
    """Return how many requests were made today by everybody, where that was asked for; days end in Chicago."""
    if not answer.request.endswith(USAGE):
        return None
    try:
        today = results(answer.json())[0]
    except (RemoteError, IndexError):
        return None
    total = today.get("total")
    return Used(total, 0, _midnight(text(today.get("date")))) if isinstance(total, int) and total >= 0 else None


def _midnight(day: str | None) -> datetime | None:
    """Return when a day of Marketo's ends: at midnight in Chicago.

    >>> _midnight("2026-03-02")
    datetime.datetime(2026, 3, 3, 6, 0)
    """
    try:
        begun = datetime.fromisoformat(day or "").replace(tzinfo=ZoneInfo("America/Chicago"))
    except ValueError:
        return None
    end = begun + timedelta(days=1)
    return end.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)


def refusal(answer: Answer) -> RemoteError | None:
    """Say what a refusal means in Marketo, and what to do there."""
    for code, message in _codes(answer).items():
        return failure(code, message)
    if answer.status == UNAUTHORIZED:
        return failure("601", "")
    return None


def failure(code: str, message: str) -> RemoteError:
    """Return what an error's code means."""
    trouble, words, fix = _meaning(code, message)
    said = f": {' '.join(message.split())[:300]}" if message else ""
    return RemoteError(ABOUT.title, trouble, f"{words} (error {code}{said})", fix=fix)


def _meaning(code: str, message: str) -> tuple[RemoteTrouble, str, str]:
    roles = "In Marketo, Admin > Users & Roles: the role of the API-only user"
    if code in EXPIRED:
        fix = "In Marketo, Admin > Integration > LaunchPoint: look whether the custom service is still there."
        return "sign_in", "it does not accept the token", fix
    if code == "603":
        needs = ", ".join(ABOUT.scopes)
        fix = f"{roles} needs {needs}; and Admin > Integration > Web Services must not shut this address out."
        return "scope", "the API user may not do that", fix
    if code == "607" or (code == "1029" and "quota" in message.lower()):
        return (
            "quota",
            "the day's quota is used up",
            "It begins anew at midnight, US Central time (Admin > Web Services).",
        )
    if code in ("616", "703", "1018"):
        fix = (
            "The subscription does not offer this to its API. Where it is synchronised with Salesforce or Dynamics, "
            "connect that system for its deals, and take out the source."
        )
        return "disabled", "this is not offered", fix
    if code in ("610", "702", "1013"):
        return "absent", "there is no such thing", "Look whether `url` is the REST endpoint (Admin > Web Services)."
    if code in BUSY:
        return "trouble", "it is overloaded or ill", "Try again later; what was read so far is kept."
    if code in ("1003", "1006", "1011"):
        fix = "Look whether the fields that the sources name are still there (Admin > Field Management)."
        return "invalid", "it does not take what it was asked", fix
    return "invalid", "it refuses what it was asked", f"See {ABOUT.documentation.rpartition('/')[0]}/error-codes."


def _codes(answer: Answer) -> dict[str, str]:
    """Return the errors of an answer by their code; none where it went well."""
    if len(answer.body) > SMALL or b'"errors"' not in answer.body:
        return {}
    try:
        return errors_of(answer.json())
    except RemoteError:
        return {}


def errors_of(body: Any) -> dict[str, str]:
    """Return the errors in a body that is no success, by their code."""
    told = body.get("errors") if isinstance(body, dict) and body.get("success") is not True else None
    found = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    return {str(one.get("code")): str(one.get("message") or "") for one in found}


def call(
    http: Http,
    method: str,
    path: str,
    params: Mapping[str, str | int] | None = None,
    *,
    json: Any = None,
    once: bool = False,
) -> dict[str, Any]:
    """Return the body of an answer that is a success; a long query goes in the body of a POST. Raises RemoteError.

    `once`: it is not tried again where nobody can say whether it was done.
    """
    if method == "GET" and len(urlencode(params or {})) > ADDRESS_MOST:
        answer = http.ask("POST", path, params={"_method": "GET"}, form=params)
    else:
        answer = http.ask(method, path, params=params, json=json, retry=not once)
    body = answer.json()
    if isinstance(body, dict) and body.get("success") is True:
        return body
    for code, message in errors_of(body).items():
        raise failure(code, message)
    raise odd(ABOUT.title, f"neither success nor errors to {path}")


def results(body: Any) -> list[dict[str, Any]]:
    """Return the records of an answer; without any, `result` may be absent. Raises RemoteError where it is no list."""
    found = body.get("result", []) if isinstance(body, dict) else None
    if not isinstance(found, list):
        raise odd(ABOUT.title, "result is no list")
    return [one for one in found if isinstance(one, dict)]


def paged(http: Http, path: str, **params: str | int) -> Iterator[list[dict[str, Any]]]:
    """Yield pages of a list that says itself where its next page is."""
    seen: set[str] = set()
    while True:
        body = call(http, "GET", path, params)
        yield results(body)
        token = text(body.get("nextPageToken"))
        if token is None or token in seen or body.get("moreResult") is False:
            return
        seen.add(token)
        params["nextPageToken"] = token


def since_token(http: Http, since: datetime) -> str:
    """Return the token from which activities since a moment are read."""
    body = call(http, "GET", "/rest/v1/activities/pagingtoken.json", {"sinceDatetime": iso(since)})
    token = text(body.get("nextPageToken"))
    if token is None:
        raise odd(ABOUT.title, "no nextPageToken for a moment")
    return token


def iso(at: datetime) -> str:
    """Write a time as Marketo takes it."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
