"""How one gets in to Zoho CRM, in which of its data centres, how much one may ask, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from leadlight.connect.auth import OAuth2
from leadlight.connect.http import UNAUTHORIZED, Answer, Way
from leadlight.connect.protocol import About, Limits, Secret, Settings
from leadlight.connect.typed import text
from leadlight.errors import RemoteError, shorten

Region = Literal["us", "eu", "in", "au", "jp", "ca", "cn", "sa", "uk"]
REGIONS: Mapping[str, tuple[str, str]] = {
    "us": ("www.zohoapis.com", "accounts.zoho.com"),
    "eu": ("www.zohoapis.eu", "accounts.zoho.eu"),
    "in": ("www.zohoapis.in", "accounts.zoho.in"),
    "au": ("www.zohoapis.com.au", "accounts.zoho.com.au"),
    "jp": ("www.zohoapis.jp", "accounts.zoho.jp"),
    "ca": ("www.zohoapis.ca", "accounts.zohocloud.ca"),
    "cn": ("www.zohoapis.com.cn", "accounts.zoho.com.cn"),
    "sa": ("www.zohoapis.sa", "accounts.zoho.sa"),
    "uk": ("www.zohoapis.uk", "accounts.zoho.uk"),
}
CONSOLE = "In Zoho's API console (api-console.zoho.eu, or of your own region): your Self Client"
SCOPES = (
    "ZohoCRM.modules.ALL",
    "ZohoCRM.settings.fields.ALL",
    "ZohoCRM.settings.modules.READ",
    "ZohoCRM.notifications.ALL",
)
WORDS_MOST = 300

ABOUT = About(
    name="zoho",
    title="Zoho CRM",
    secrets=(
        Secret("client_id", "ZOHO_CLIENT_ID", f"{CONSOLE}, Client Secret."),
        Secret("client_secret", "ZOHO_CLIENT_SECRET", f"{CONSOLE}, Client Secret."),
        Secret(
            "refresh_token",
            "ZOHO_REFRESH_TOKEN",
            f"{CONSOLE}, Generate Code with the scopes {','.join(SCOPES)}; within minutes the code is exchanged for a "
            "refresh token (see Leadlight's page on Zoho).",
        ),
        Secret("webhook_token", "ZOHO_WEBHOOK_TOKEN", "The token that the notification channel was made with.", False),
    ),
    limits=Limits(per_second=5, per_day=5000, batch=100, page=200),
    documentation="https://www.zoho.com/crm/developer/docs/api/v8/",
    scopes=SCOPES,
    listens=True,
)
"""A page costs one credit of the day, 100 records written cost ten: so many requests stay under 50,000 credits."""


class ZohoSettings(Settings):
    """What leadlight.yaml may say of a connection to Zoho CRM."""

    region: Region = Field("us", description="the data centre your account is in, as in crm.zoho.eu: us, eu, in, au …")
    history: bool = Field(
        False, description="read what fields were before, too: a request more (a credit) for each record that changed"
    )
    accounts: str | None = Field(None, description="where tokens are got, where it is not the region's usual address")


def way(settings: ZohoSettings, secrets: Mapping[str, str]) -> Way:
    """Return the way in: an access token for an hour, by the refresh token, from the region's accounts server."""
    api, accounts = REGIONS[settings.region]
    tokens = (settings.accounts or f"https://{accounts}").rstrip("/")
    sign = OAuth2(
        f"{tokens}/oauth/v2/token",
        "refresh_token",
        fix=(
            f"{CONSOLE}: are client id, client secret and refresh token those of one client, and is `region: "
            f"{settings.region}` the data centre your account is in? Zoho gives at most ten tokens in ten minutes: if "
            "that is what it says, wait."
        ),
        client_id=secrets["client_id"],
        client_secret=secrets["client_secret"],
        refresh_token=secrets["refresh_token"],
        scheme="Zoho-oauthtoken",
        over=lambda answer: answer.status == UNAUTHORIZED and code_of(answer) != "OAUTH_SCOPE_MISMATCH",
    )
    return Way(settings.url or f"https://{api}", sign, refusal=refusal, hosts=(tokens.partition("://")[2],))


def refusal(answer: Answer) -> RemoteError | None:
    """Say what a refusal means in Zoho's settings."""
    code, own = code_of(answer), words_of(answer)
    shown, status = f" ({code}: {own})" if own else f" ({code})", answer.status
    if code == "OAUTH_SCOPE_MISMATCH":
        fix = f"{CONSOLE}, Generate Code with all of: {','.join(SCOPES)}; then exchange it for a new refresh token."
        return RemoteError("Zoho CRM", "scope", f"the token lacks a scope{shown}", fix=fix, status=status)
    if code in ("INVALID_TOKEN", "INVALID_OAUTHTOKEN", "AUTHENTICATION_FAILURE") or status == UNAUTHORIZED:
        fix = f"The refresh token was revoked, or belongs to another region. {CONSOLE}: make a new one."
        return RemoteError("Zoho CRM", "sign_in", f"does not accept the token{shown}", fix=fix, status=status)
    if code == "NO_PERMISSION" and "api" in permissions_of(answer).lower():
        fix = "In Zoho: Setup, Security Control, Profiles, the profile of the user: switch on «Zoho CRM API Access»."
        return RemoteError("Zoho CRM", "disabled", f"the user may not use the API{shown}", fix=fix, status=status)
    if code in ("NO_PERMISSION", "AUTHORIZATION_FAILED", "PERMISSION_DENIED"):
        named = permissions_of(answer)
        fix = (
            "In Zoho: Setup, Security Control, Profiles: the profile of the user who made the token needs "
            f"{named or 'access to this module and its fields'}."
        )
        return RemoteError("Zoho CRM", "scope", f"does not allow this{shown}", fix=fix, status=status)
    if code in ("INVALID_MODULE", "INVALID_URL_PATTERN", "NOT_SUPPORTED"):
        fix = "In Zoho: Setup, Customization, Modules and Fields: is the module there, under this API name?"
        return RemoteError("Zoho CRM", "absent", f"knows no such module{shown}", fix=fix, status=status)
    if code == "LIMIT_EXCEEDED" and status in (403, 429):
        fix = (
            "They come back 24 hours after they were used; see Setup, Developer Hub, APIs and SDKs, Usage. "
            "What was read so far is kept."
        )
        return RemoteError(
            "Zoho CRM", "quota", f"the API credits of 24 hours are used up{shown}", fix=fix, status=status
        )
    return None


def body_of(answer: Answer) -> Mapping[str, Any]:
    """Return an answer's JSON object, else nothing."""
    import orjson

    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def code_of(answer: Answer) -> str:
    """Return Zoho's word for what is wrong.

    >>> code_of(Answer(401, {}, b'{"code": "INVALID_TOKEN", "message": "invalid oauth token", "status": "error"}'))
    'INVALID_TOKEN'
    """
    return text(body_of(answer).get("code")) or str(answer.status)


def words_of(answer: Answer) -> str:
    """Return Zoho's own message."""
    message = body_of(answer).get("message")
    return shorten(message, WORDS_MOST)[1:-1] if isinstance(message, str) else ""


def permissions_of(answer: Answer) -> str:
    """Return the permissions that are missing, as Zoho calls them."""
    details = body_of(answer).get("details")
    listed = details.get("permissions") if isinstance(details, dict) else None
    names = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    return ", ".join(names)[:WORDS_MOST]
