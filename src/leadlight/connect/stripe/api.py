"""Stripe's API: its version, its lists, and what its refusals mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from leadlight.connect.records import id_of as record_id
from leadlight.connect.records import records_of
from leadlight.errors import RemoteError, shorten

if TYPE_CHECKING:
    from leadlight.connect.http import Answer, Http

VERSION = "2026-10-28.endive"
"""The version of the API that is spoken; what webhooks and events hold is of the account's own version."""
BASE = "https://api.stripe.com"
TITLE = "Stripe"
KEYS = "Developers > API keys"
PAGE = 100

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 401, 403, 404, 429
PERMISSION = re.compile(r"\brak_([a-z_]{1,60})_(read|write)\b")
MESSAGE_MOST = 300


records = partial(records_of, key="data", title=TITLE)
"""Returns the `data` of an answer. Raises RemoteError where they are no list of records."""
id_of = partial(record_id, title=TITLE)
"""Returns a record's id. Raises RemoteError where it has none."""


def listed(http: Http, path: str, **params: Any) -> tuple[list[dict[str, Any]], bool]:
    """Return a page of a list, the newest first, and whether there are more."""
    body = http.ask("GET", path, params={"limit": PAGE, **params}).json()
    found = records(body)
    return found, bool(found) and body.get("has_more") is True


def through(http: Http, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    """Yield all records of a list, page by page, the newest first."""
    after: str | None = None
    while True:
        found, more = listed(http, path, **params, **({"starting_after": after} if after else {}))
        yield from found
        if not more or id_of(found[-1]) == after:
            return
        after = id_of(found[-1])


def seconds(at: datetime) -> int:
    """Return a naive UTC time as seconds since 1970."""
    return int(at.replace(tzinfo=UTC).timestamp())


def error_of(answer: Answer) -> Mapping[str, Any]:
    """Return the error that an answer tells; empty where it tells none."""
    try:
        body = answer.json()
    except RemoteError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def is_gone(answer: Answer) -> bool:
    """Say whether an answer means that the record is not there (any more)."""
    return answer.status == NOT_FOUND or error_of(answer).get("code") == "resource_missing"


def refusal(answer: Answer) -> RemoteError | None:
    """Return what a refused request means, with what to do in Stripe's settings."""
    error = error_of(answer)
    code, message = error.get("code"), str(error.get("message") or "")
    if answer.status == UNAUTHORIZED:
        words = "the API key has expired" if code == "api_key_expired" else "does not know the API key"
        fix = f"{KEYS}: copy a restricted key (rk_…) into STRIPE_API_KEY; one that was rolled or deleted is void."
        return RemoteError(TITLE, "sign_in", words, fix=fix, status=answer.status)
    needed = PERMISSION.search(message)
    if answer.status == FORBIDDEN and needed:
        what, how = needed.group(1).replace("_", " "), needed.group(2)
        fix = f"{KEYS}: edit the restricted key and set {what!r} to {how.capitalize()}."
        words = f"the key may not {how} {what}s"
        return RemoteError(TITLE, "scope", words, fix=fix, status=answer.status)
    if answer.status == FORBIDDEN:
        words = f"does not allow this: {shorten(message, MESSAGE_MOST) or 'no reason given'}"
        fix = "Look at the account's status in Stripe's Dashboard: it may be restricted, or wait for activation."
        return RemoteError(TITLE, "disabled", words, fix=fix, status=answer.status)
    if answer.status == TOO_MANY and code == "lock_timeout":
        words, fix = "the record is in use by another request", "It is tried again the next time."
        return RemoteError(TITLE, "trouble", words, fix=fix, status=answer.status)
    return None
