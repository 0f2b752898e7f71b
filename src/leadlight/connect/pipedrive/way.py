"""How one gets in to Pipedrive, how much one may ask, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from leadlight.connect.auth import Key, OAuth2
from leadlight.connect.http import Answer, Used, Way
from leadlight.connect.protocol import About, Limits, Secret, Settings
from leadlight.connect.refusals import said
from leadlight.errors import RemoteError, UsageError, shorten

API = "https://api.pipedrive.com"
TOKENS = "https://oauth.pipedrive.com/oauth/token"
BUDGET = 30_000
"""Tokens a day of the smallest plan with one seat."""
LIST_COSTS = 10
"""Tokens that a page of a list costs in API v2 (in v1 it is twice that, and a write is half)."""
FAIR_USE = 10_000
"""Writes a day of accounts that are not counted in tokens yet: `x-daily-requests-left` counts down from there."""
WORDS_MOST = 300
MIDNIGHT = "It begins anew at midnight UTC; for more, see Settings, Billing. What was read so far is kept."
PERSONAL = (
    "In Pipedrive: your name (top right), Company settings, Personal preferences, API. If there is no API, an "
    "administrator switches it on under Users, Permission sets, «Use API»."
)
APP = "In Pipedrive: your name, Developer Hub (under Tools and apps), your private app, OAuth & access scopes."
HOOKS = "In Pipedrive: Settings, Tools and apps, Webhooks, the webhook's HTTP auth"

ABOUT = About(
    name="pipedrive",
    title="Pipedrive",
    secrets=(
        Secret("token", "PIPEDRIVE_API_TOKEN", PERSONAL, needed=False),
        Secret("client_id", "PIPEDRIVE_CLIENT_ID", APP, needed=False),
        Secret("client_secret", "PIPEDRIVE_CLIENT_SECRET", APP, needed=False),
        Secret("refresh_token", "PIPEDRIVE_REFRESH_TOKEN", f"{APP} One gets it by installing the app.", needed=False),
        Secret("webhook_user", "PIPEDRIVE_WEBHOOK_USER", f"{HOOKS} user name", needed=False),
        Secret("webhook_password", "PIPEDRIVE_WEBHOOK_PASSWORD", f"{HOOKS} password", needed=False),
    ),
    limits=Limits(per_second=8, per_day=BUDGET // LIST_COSTS, batch=100, page=500),
    documentation="https://developers.pipedrive.com/docs/api/v1",
    scopes=("contacts:full", "deals:full", "leads:read", "activities:full", "admin (to make fields)"),
    listens=True,
)


class PipedriveSettings(Settings):
    """What leadlight.yaml may say of a connection to Pipedrive."""

    history: bool = Field(
        False, description="read what fields were before, too: a request more (20 tokens) for each record that changed"
    )
    tokens: str | None = Field(None, description="where OAuth tokens are got, where it is not the usual address")


def way(settings: PipedriveSettings, secrets: Mapping[str, str]) -> Way:
    """Return the way in: by a personal API token, or by an app's refresh token. Raises UsageError without either."""
    base = settings.url or API
    if "token" in secrets:
        sign: Key | OAuth2 = Key("x-api-token", secrets["token"])
        hosts: tuple[str, ...] = ()
    elif {"client_id", "client_secret", "refresh_token"} <= set(secrets):
        if settings.url is None:
            raise UsageError(
                "with the token of an app, Pipedrive wants to be asked at your company's own address",
                fix="Write it into leadlight.yaml as `url:` of the connection: https://COMPANY.pipedrive.com",
            )
        tokens = settings.tokens or TOKENS
        hosts = (tokens.partition("://")[2].partition("/")[0],)
        sign = OAuth2(
            tokens,
            "refresh_token",
            fix=f"The app was uninstalled, or its secret was changed: install it again and take the new token. {APP}",
            client_id=secrets["client_id"],
            client_secret=secrets["client_secret"],
            refresh_token=secrets["refresh_token"],
            basic=True,
        )
    else:
        wanted = ", ".join(secret.variable for secret in ABOUT.secrets[1:4])
        raise UsageError(
            f"Pipedrive wants PIPEDRIVE_API_TOKEN in the environment, or {wanted}", fix=ABOUT.secrets[0].where
        )
    return Way(base, sign, refusal=refusal, used=used, hosts=hosts)


def refusal(answer: Answer) -> RemoteError | None:
    """Say what a refusal means in Pipedrive's settings."""
    own = words_of(answer)
    shown = f": {own}" if own else ""
    if answer.status == 401:
        message = f"does not accept the token{shown}"
        return RemoteError("Pipedrive", "sign_in", message, fix=PERSONAL, status=401)
    if answer.status == 402:
        fix = "In Pipedrive: Settings, Billing."
        return RemoteError("Pipedrive", "disabled", f"the account is closed or unpaid{shown}", fix=fix, status=402)
    if answer.status == 403 and "scope" in own.lower():
        fix = f"Give the app these scopes and install it again: {', '.join(ABOUT.scopes)}. {APP}"
        return RemoteError("Pipedrive", "scope", f"the app lacks a scope{shown}", fix=fix, status=403)
    if answer.status == 403:
        fix = (
            "In Pipedrive: Settings, Users, Permission sets: the user of the token must see all records (visibility), "
            f"and may use the API; to make fields it must be an administrator. {PERSONAL}"
        )
        return RemoteError("Pipedrive", "scope", f"does not allow this{shown}", fix=fix, status=403)
    if answer.status == 410:
        fix = "Look whether there is a newer Leadlight: Pipedrive has closed this part of its API."
        return RemoteError("Pipedrive", "disabled", f"has closed {answer.request}{shown}", fix=fix, status=410)
    if answer.status == 429 and ("daily" in own.lower() or "budget" in own.lower()):
        return RemoteError("Pipedrive", "quota", f"the day's API budget is used up{shown}", fix=MIDNIGHT, status=429)
    return None


def words_of(answer: Answer) -> str:
    """Return Pipedrive's own words for what is wrong: `error`; its `error_info` is the same address always.

    >>> words_of(Answer(400, {}, b'{"success": false, "error": "Bad name", "error_info": "See the reference"}'))
    'Bad name'
    """
    import orjson

    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return ""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, str):
        return said(answer) or ""
    return shorten(error, WORDS_MOST)[1:-1]


def used(answer: Answer) -> Used | None:
    """Return how many of the day's requests are used, where an answer tells how many are left."""
    left = answer.headers.get("x-daily-requests-left", "")
    return Used(max(0, FAIR_USE - int(left)), FAIR_USE) if left.isdecimal() else None
