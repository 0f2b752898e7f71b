"""HubSpot's API: where things are, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from leadlight.connect.records import id_of as record_id
from leadlight.connect.records import records_of
from leadlight.connect.refusals import said
from leadlight.errors import RemoteError, shorten

if TYPE_CHECKING:
    from leadlight.connect.http import Answer, Used

VERSION = "2026-09"
"""The version of the API that is spoken, as it stands in every path."""
BASE = "https://api.hubapi.com"
TITLE = "HubSpot"
KEYS = "Development > Keys > Service keys"
PROPERTIES = "Settings > Data Management > Properties"

TOKEN = f"/oauth/{VERSION}/token"
SCHEMAS = f"/crm-object-schemas/{VERSION}/schemas"
FORMS = f"/marketing/forms/{VERSION}"
SUBMISSIONS = "/form-integrations/v1/submissions/forms"
"""Not in the dated versions yet; likewise e-mail events."""
EMAIL_EVENTS = "/email/public/v1/events"

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 401, 403, 404, 429
CONFLICT, LOCKED, MIGRATING = 409, 423, 477
LOCKED_SECONDS = 2.0
NAMES_MOST = 6
"""Names of scopes that a message shows."""


def objects(name: str, *more: str) -> str:
    """Return the path of an object's records.

    >>> objects("contacts", "batch", "read")
    '/crm/objects/2026-09/contacts/batch/read'
    """
    return "/".join((f"/crm/objects/{VERSION}", quote(name, safe=""), *more))


def properties(name: str, *more: str) -> str:
    """Return the path of an object's properties."""
    return "/".join((f"/crm/properties/{VERSION}", quote(name, safe=""), *more))


def associations(name: str, to: str) -> str:
    """Return the path that reads which records of another object go with those of this one."""
    return f"/crm/associations/{VERSION}/{quote(name, safe='')}/{quote(to, safe='')}/batch/read"


def millis(at: datetime) -> int:
    """Return a naive UTC time as milliseconds since 1970.

    >>> millis(datetime(1970, 1, 2))
    86400000
    """
    return round(at.replace(tzinfo=UTC).timestamp() * 1000)


def dicts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the dicts of what should be a list of them."""
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


results = partial(records_of, key="results", title=TITLE)
"""Returns the `results` of an answer. Raises RemoteError where they are no list of records."""
id_of = partial(record_id, title=TITLE)
"""Returns a record's id. Raises RemoteError where it has none."""


def after(body: Any) -> str | None:
    """Return where the next page begins; None after the last one."""
    place = body.get("paging") if isinstance(body, dict) else None
    place = place.get("next") if isinstance(place, dict) else None
    found = place.get("after") if isinstance(place, dict) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) and found != "" else None


def used(answer: Answer) -> Used | None:
    """Return what is used of the day's quota; not told to OAuth apps, nor by the search."""
    from leadlight.connect.http import Used

    of = answer.headers.get("x-hubspot-ratelimit-daily", "")
    left = answer.headers.get("x-hubspot-ratelimit-daily-remaining", "")
    return Used(int(of) - int(left), int(of)) if of.isdecimal() and left.isdecimal() else None


def busy(answer: Answer) -> float | None:
    """Return the seconds to wait where HubSpot locks what was asked for, or moves the account elsewhere.

    >>> from leadlight.connect.http import Answer
    >>> busy(Answer(423, {}, b"")), busy(Answer(477, {"retry-after": "60"}, b"")), busy(Answer(404, {}, b""))
    (2.0, 60.0, None)
    """
    if answer.status not in (LOCKED, MIGRATING):
        return None
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() and len(told) < len("1000000") else LOCKED_SECONDS


def refusal(answer: Answer) -> RemoteError | None:
    """Return what a refused request means, with what to do in HubSpot's settings."""
    told = _body(answer)
    category = told.get("category")
    if answer.status == UNAUTHORIZED:
        words = "the token has run out" if category == "EXPIRED_AUTHENTICATION" else "does not know the token"
        fix = f"Copy it again from {KEYS} (or the app's Auth tab) into HUBSPOT_TOKEN; a rotated or deleted one is void."
        return RemoteError(TITLE, "sign_in", words, fix=fix, status=answer.status)
    if answer.status == FORBIDDEN and category == "MISSING_SCOPES":
        scopes = _scopes(told)
        named = ", ".join(scopes[:NAMES_MOST]) or "a scope (see the connection's documentation)"
        fix = f"{KEYS}: open the key, add the scope, save (an app has to be installed again), or take its source out."
        return RemoteError(TITLE, "scope", f"the key lacks {named}", fix=fix, status=answer.status)
    if answer.status == FORBIDDEN:
        words = f"does not allow this: {said(answer) or 'no reason given'}"
        fix = "Look whether the account's plan has this object and its owner may see it, or take its source out."
        return RemoteError(TITLE, "disabled", words, fix=fix, status=answer.status)
    if answer.status == TOO_MANY and told.get("policyName") == "DAILY":
        words = "all of the account's requests of today are used up"
        fix = "It goes on after midnight in the account's time zone; what was read so far is kept."
        return RemoteError(TITLE, "quota", words, fix=fix, status=answer.status)
    if "PROPERTY_DOESNT_EXIST" in (said(answer) or ""):
        words = f"does not know a field: {said(answer)}"
        fix = f"It was renamed or deleted: look at {PROPERTIES}, and write its internal name into leadlight.yaml."
        return RemoteError(TITLE, "absent", words, fix=fix, status=answer.status)
    return None


def _body(answer: Answer) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except RemoteError:
        return {}
    return told if isinstance(told, dict) else {}


def _scopes(told: Mapping[str, Any]) -> list[str]:
    """Return the scopes that an error names, of which one is enough or all are wanted: it does not say which."""
    found: list[str] = []
    for error in (told, *dicts(told.get("errors"))):
        context = error.get("context")
        for key in ("requiredGranularScopes", "requiredScopes", "missingScopes"):
            named = context.get(key) if isinstance(context, dict) else None
            found += [shorten(one) for one in named if isinstance(one, str)] if isinstance(named, list) else []
    return list(dict.fromkeys(found))
