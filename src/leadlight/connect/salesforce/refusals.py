"""What Salesforce's refusals mean, and what to do in its Setup: of whole requests, and of single records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadlight.connect.http import Answer, Used
from leadlight.connect.protocol import Written
from leadlight.connect.refusals import MESSAGE_MOST
from leadlight.connect.salesforce.soql import TITLE
from leadlight.errors import RemoteError, RemoteTrouble

APPS = "Setup > External Client App Manager"
USER = "the integration user's permission set (Setup > Permission Sets > Leadlight)"
KEYS = (
    f"Look at {APPS} > your app > Settings > OAuth Settings > Consumer Key and Secret, and write them into "
    "SALESFORCE_CLIENT_ID and SALESFORCE_CLIENT_SECRET."
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error code means."""

    trouble: RemoteTrouble
    words: str
    fix: str


LATER = "Try again later; what was read so far is kept."
UNREPLICATED = "INVALID_REPLICATION_DATE"
"""The code where deletions of a time are not listed: the org is younger, or its clock is another."""

CODES: Mapping[str, Meaning] = {
    "INVALID_SESSION_ID": Meaning(
        "sign_in",
        "the session has ended or was revoked",
        f"Look whether the integration user is active, and whether {APPS} > your app > Policies still lets it in.",
    ),
    "INVALID_AUTH_HEADER": Meaning("sign_in", "the token is no token", KEYS),
    "API_DISABLED_FOR_ORG": Meaning(
        "disabled",
        "the API is switched off for this org or user",
        f"Switch `API Enabled` on under System Permissions of {USER}; editions below Enterprise have no API.",
    ),
    "API_CURRENTLY_DISABLED": Meaning(
        "disabled", "the API is switched off for this user at the moment", f"Switch `API Enabled` on in {USER}."
    ),
    "FUNCTIONALITY_NOT_ENABLED": Meaning(
        "disabled", "this is not switched on in the org", "Look which of the objects that are read its edition has."
    ),
    "UNSUPPORTED_API_VERSION": Meaning(
        "disabled", "this version of the API was retired", "Write a newer one as `version` of the connection: v66.0."
    ),
    "INSUFFICIENT_ACCESS": Meaning("scope", "the user may not do this", f"Give the permission in {USER}."),
    "INSUFFICIENT_ACCESS_OR_READONLY": Meaning(
        "scope", "the user may not change this", f"Give edit access to the object and its fields in {USER}."
    ),
    "INVALID_TYPE": Meaning(
        "absent",
        "there is no such object, or the user may not see it",
        f"Look at its API name in Setup > Object Manager, and give read access to it in {USER}.",
    ),
    "INVALID_FIELD": Meaning(
        "absent",
        "there is no such field, or the user may not see it: it was renamed, deleted or hidden",
        f"Look at its API name in Setup > Object Manager > Fields & Relationships; give read access in {USER}, "
        "or change the name in the source's `columns`.",
    ),
    "NOT_FOUND": Meaning("absent", "there is no such thing", "Look at `version` and `url` of the connection."),
    "MALFORMED_QUERY": Meaning(
        "invalid", "the query is not understood", "Look at the names of fields that the sources give."
    ),
    "INVALID_QUERY_LOCATOR": Meaning("invalid", "INVALID_QUERY_LOCATOR: the rest of a query was forgotten", LATER),
    UNREPLICATED: Meaning("invalid", "it does not list deletions of that time", LATER),
    "REQUEST_LIMIT_EXCEEDED": Meaning(
        "quota",
        "the org's requests of the last 24 hours are used up",
        "Look at Setup > Company Information > API Requests, Last 24 Hours. " + LATER,
    ),
    "QUERY_TIMEOUT": Meaning("trouble", "a query takes too long", "Name fewer fields in `columns`. " + LATER),
    "SERVER_UNAVAILABLE": Meaning("trouble", "it is not available", LATER),
}

CONCURRENT = Meaning("trouble", "too many long requests run at once", LATER)

SIGN_IN: Mapping[str, Meaning] = {
    "invalid_client_id": Meaning("sign_in", "it knows no app of this consumer key", KEYS),
    "invalid_client": Meaning("sign_in", "the consumer secret is wrong", KEYS),
    "invalid_app_access": Meaning(
        "sign_in",
        "the user is not approved for the app",
        f"Assign it under {APPS} > your app > Policies > App Policies.",
    ),
    "inactive_user": Meaning("sign_in", "the user is not active", "Activate it under Setup > Users."),
    "inactive_org": Meaning("sign_in", "the org is locked, closed or suspended", "Ask whoever owns the org."),
    "rate_limit_exceeded": Meaning("quota", "there were too many sign-ins", LATER),
    "unsupported_grant_type": Meaning(
        "disabled",
        "the app may not sign in so",
        f"Switch on {APPS} > your app > Settings > Flow Enablement > Client Credentials Flow.",
    ),
    "invalid_scope": Meaning(
        "scope", "the app's scopes do not allow this", f"Add `Manage user data via APIs (api)` under {APPS} > your app."
    ),
}
GRANTS: tuple[tuple[str, Meaning], ...] = (
    (
        "no client credentials user",
        Meaning(
            "sign_in",
            "the app has no user to run as",
            f"Name one under {APPS} > your app > Policies > Client Credentials Flow > Run As.",
        ),
    ),
    (
        "not supported on this domain",
        Meaning(
            "sign_in",
            "this address signs nobody in by client credentials",
            "Write your org's own address as `url`: https://COMPANY.my.salesforce.com (Setup > My Domain).",
        ),
    ),
    (
        "expired",
        Meaning(
            "sign_in",
            "the refresh token has run out or was revoked",
            "Get another by signing in once more, and write it into SALESFORCE_REFRESH_TOKEN.",
        ),
    ),
    (
        "",
        Meaning(
            "sign_in",
            "it does not let us in",
            "Look at Setup > Login History of the integration user: IP ranges, hours, a locked user or password.",
        ),
    ),
)

AGAIN = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "QUERY_TIMEOUT",
        "SERVER_UNAVAILABLE",
        "REQUEST_RUNNING_TOO_LONG",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "PROCESSING_HALTED",
        "UNKNOWN_EXCEPTION",
    }
)
"""Record errors that pass by themselves."""
GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND", "CANNOT_UPDATE_CONVERTED_LEAD"})
RECORD_FIXES: Mapping[str, str] = {
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "a validation rule of the org refuses it: let the rule pass by the "
    "integration user (Setup > Object Manager > Validation Rules)",
    "REQUIRED_FIELD_MISSING": "the record lacks a required field: fill it in Salesforce",
    "INVALID_FIELD_FOR_INSERT_UPDATE": f"the field may not be written: give edit access in {USER}",
    "INSUFFICIENT_ACCESS_OR_READONLY": f"the user may not edit this record: give edit access in {USER}",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "the user may not see the record's owner, account or parent",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "a trigger or flow of the org stops it: see Setup > Apex Triggers, Flows",
    "CANNOT_UPDATE_CONVERTED_LEAD": "the lead was converted and is read only; its contact goes on",
    "STRING_TOO_LONG": "the text is too long for the field: make the field longer",
    "NUMBER_OUTSIDE_VALID_RANGE": "the number is too large for the field: give it more digits",
    "STORAGE_LIMIT_EXCEEDED": "the org's storage is full (Setup > Storage Usage)",
    "UNABLE_TO_LOCK_ROW": "somebody else is changing it just now",
}


def refusal(answer: Answer) -> RemoteError | None:
    """Return what a refused request means; None where it is none of Salesforce's own codes."""
    code, message = _first(_json(answer))
    meaning = CODES.get(code)
    if code == "INVALID_SESSION_ID" and "not valid for use" in message.lower():
        meaning = SIGN_IN["invalid_scope"]
    if code == "REQUEST_LIMIT_EXCEEDED" and "concurrent" in message.lower():
        meaning = CONCURRENT
    if meaning is None:
        return None
    own = f" ({code}: {message})" if message else f" ({code})"
    return RemoteError(TITLE, meaning.trouble, meaning.words + own, fix=meaning.fix, status=answer.status)


def not_let_in(answer: Answer) -> RemoteError | None:
    """Return what a refused sign-in means; None where it is none of Salesforce's own words."""
    told = _json(answer)
    code = told.get("error") if isinstance(told, dict) else None
    if not isinstance(code, str) or not isinstance(told, dict):
        return None
    message = _short(told.get("error_description"))
    meaning = SIGN_IN.get(code)
    if code == "invalid_grant":
        meaning = next(one for words, one in GRANTS if words in message.lower())
    if meaning is None:
        return None
    said = f"{meaning.words} ({code}: {message})" if message else f"{meaning.words} ({code})"
    return RemoteError(TITLE, meaning.trouble, said, fix=meaning.fix, status=answer.status)


def used(answer: Answer) -> Used | None:
    """Return what `Sforce-Limit-Info` tells of the day's requests: the org's, of the last 24 hours.

    >>> used(Answer(200, {"sforce-limit-info": "api-usage=18/5000; per-app-api-usage=17/250(appName=x)"}, b""))
    Used(used=18, of=5000, until=None)
    """
    for part in answer.headers.get("sforce-limit-info", "").split(";"):
        name, _, figures = part.strip().partition("=")
        taken, _, of = figures.partition("/")
        if name == "api-usage" and taken.isdecimal() and of.isdecimal():
            return Used(int(taken), int(of))
    return None


def busy(answer: Answer) -> float | None:
    """Return the seconds to wait where too many long requests run at once."""
    code, message = _first(_json(answer)) if answer.status == FORBIDDEN else ("", "")
    if code != "REQUEST_LIMIT_EXCEEDED" or "concurrent" not in message.lower():
        return None
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isdecimal() else CONCURRENT_SECONDS


FORBIDDEN = 403
CONCURRENT_SECONDS = 5.0


def written(record: str, told: Any) -> Written:
    """Return how the write of one record ended, by what the org says of it."""
    if isinstance(told, dict) and told.get("success") is True:
        return Written(record)
    errors = told.get("errors") if isinstance(told, dict) else None
    code, message = _first(errors)
    fix = RECORD_FIXES.get(code)
    words = f"{fix} ({code}: {message})" if fix and message else fix or f"{code}: {message}"
    return Written(record, words, again=code in AGAIN, gone=code in GONE)


def _first(told: Any) -> tuple[str, str]:
    one = told[0] if isinstance(told, list) and told else told
    if not isinstance(one, dict):
        return "", ""
    code = one.get("errorCode") or one.get("statusCode")
    return (code if isinstance(code, str) else "", _short(one.get("message")))


def _short(message: Any) -> str:
    return " ".join(message.split())[:MESSAGE_MOST] if isinstance(message, str) else ""


def _json(answer: Answer) -> Any:
    import orjson

    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
