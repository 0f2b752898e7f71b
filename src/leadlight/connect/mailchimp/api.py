"""Mailchimp's API: where it is, what its refusals mean, and which audience is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import Field

from leadlight.connect.auth import Basic, Bearer
from leadlight.connect.http import Answer, Http, Way
from leadlight.connect.protocol import About, Limits, Secret, Settings
from leadlight.connect.refusals import odd, said
from leadlight.connect.unknown import no_object
from leadlight.errors import RemoteError, RemoteTrouble, UsageError

VERSION = "/3.0"
PAGE, BATCH = 1000, 500
AT_ONCE = 10
"""Connections that Mailchimp allows an account at the same time; more are answered with 429."""
SERVER = re.compile(r"[a-z]{2,4}\d{1,3}")
UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404

ABOUT = About(
    name="mailchimp",
    title="Mailchimp",
    secrets=(
        Secret("api_key", "MAILCHIMP_API_KEY", "Profile > Extras > API keys (it ends in -us6)", needed=False),
        Secret("access_token", "MAILCHIMP_ACCESS_TOKEN", "of an OAuth 2 app, instead of a key", needed=False),
        Secret("webhook_secret", "MAILCHIMP_WEBHOOK_SECRET", "your own; stands in the webhook's address", needed=False),
    ),
    limits=Limits(per_second=10, at_once=AT_ONCE, batch=BATCH, page=PAGE),
    documentation="https://mailchimp.com/developer/marketing/api/",
    listens=True,
)


class MailchimpSettings(Settings):
    """What leadlight.yaml may say of a Mailchimp account."""

    audience: str | None = Field(None, description="the audience's id, where the account has several")
    server: str | None = Field(None, description="us6, say: where an access token belongs (a key says it itself)")
    campaign_days: int = Field(180, ge=1, description="how long after it was sent a campaign's activity is read")


def way(settings: Settings, secrets: Mapping[str, str]) -> Way:
    """Say where the account is and how requests are signed. Raises UsageError where neither is told."""
    key, token = secrets.get("api_key"), secrets.get("access_token")
    if not key and not token:
        raise UsageError(
            "mailchimp: neither a key nor an access token is told",
            fix="Make a key under Profile > Extras > API keys, and set MAILCHIMP_API_KEY to it.",
        )
    server = settings.server if isinstance(settings, MailchimpSettings) else None
    server = server or (key or "").rpartition("-")[2]
    if settings.url is None and not SERVER.fullmatch(server):
        raise UsageError(
            "mailchimp: nothing says in which data centre the account is",
            fix="A whole key ends in it (…-us6); with an access token write `server: us6`.",
        )
    base = (settings.url or f"https://{server}.api.mailchimp.com").rstrip("/").removesuffix(VERSION) + VERSION
    return Way(base=base, sign=Basic("leadlight", key) if key else Bearer(str(token)), refusal=refusal)


def refusal(answer: Answer) -> RemoteError | None:
    """Say what a refusal means in Mailchimp, and what to do there."""
    own = said(answer)
    words = f": {own}" if own else ""
    if answer.status == UNAUTHORIZED:
        fix = (
            "In Mailchimp, Profile > Extras > API keys: look whether the key is still enabled, and copy it whole; "
            "its ending (-us6) must be that of your account."
        )
        return _error(answer, "sign_in", f"it does not accept the key{words}", fix)
    if answer.status == FORBIDDEN and "disabled" in (own or "").lower():
        fix = "Sign in to Mailchimp and look what it says of the account: it was disabled there."
        return _error(answer, "disabled", f"the account or its API is disabled{words}", fix)
    if answer.status == FORBIDDEN:
        fix = "In Mailchimp, Profile > Settings > Users: whose key it is must be Manager (or Admin) to write fields."
        return _error(answer, "scope", f"the key's owner may not do that{words}", fix)
    return None


def _error(answer: Answer, trouble: RemoteTrouble, message: str, fix: str) -> RemoteError:
    return RemoteError(ABOUT.title, trouble, message, fix=fix, status=answer.status)


def listed(http: Http, path: str, key: str, **params: str | int) -> tuple[list[dict[str, Any]], int]:
    """Return one page of a list, and how many there are in all. Raises RemoteError where it is no list."""
    body = http.ask("GET", path, params=params).json()
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, list):
        raise odd(ABOUT.title, f"no list of {key} to {path}")
    total = body.get("total_items")
    rows = [one for one in found if isinstance(one, dict)]
    return rows, total if isinstance(total, int) else len(rows)


def part(told: object) -> str:
    """Return an id as it may stand in a path, whoever told it.

    >>> part("../ping")
    '..%2Fping'
    """
    return quote(str(told), safe="")


def audience_of(http: Http, settings: MailchimpSettings) -> str:
    """Return the id of the audience that is meant. Raises NotFoundError, UsageError where that cannot be said."""
    found, _ = listed(http, "/lists", "lists", fields="lists.id,lists.name,total_items", count=PAGE)
    names = {part(one["id"]): str(one.get("name")) for one in found if one.get("id")}
    if settings.audience is not None:
        for id_, name in names.items():
            if settings.audience in (id_, name):
                return id_
        choices = [*names, *names.values()]
        fix = "Write one of them as `audience` of the connection."
        raise no_object("Mailchimp: no audience", settings.audience, choices, fix=fix)
    if len(names) == 1:
        return next(iter(names))
    shown = ", ".join(f"{id_} ({name})" for id_, name in names.items()) or "none"
    raise UsageError(
        f"Mailchimp: the account has {len(names)} audiences: {shown}",
        fix="Write which one is meant as `audience:`; a connection reads one.",
    )
