"""What Dataverse's refusals mean, and what to do in its settings: of whole requests, and of single records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadlight.connect.dynamics.odata import TITLE
from leadlight.connect.http import Answer
from leadlight.connect.protocol import Written
from leadlight.connect.refusals import MESSAGE_MOST
from leadlight.errors import RemoteError, RemoteTrouble

CENTER = "Power Platform admin center > Environments > your environment > Settings > Users + permissions"
APP_USER = f"{CENTER} > Application users"
ROLES = f"{CENTER} > Security roles > the role of the application user"
REGISTRATION = "Microsoft Entra admin center > App registrations > your app"
LATER = "Try again later; what was read so far is kept."
EXPIRED = "0x80044352"
"""The code of a token of change tracking that has run out: after 7 days, unless the organisation says otherwise."""
MISSING = "0x80040217"
DUPLICATE = "0x80040237"
TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal means, and what to do."""

    trouble: RemoteTrouble
    words: str
    fix: str


CODES: Mapping[str, Meaning] = {
    "0x80072560": Meaning(
        "sign_in",
        "the app is no user of this environment",
        f"Add it: {APP_USER} > New app user, with a security role.",
    ),
    "0x80048306": Meaning("scope", "the app may not do this", f"Give the privilege in {ROLES}."),
    "0x80040220": Meaning(
        "scope",
        "the app may not do this",
        f"Give the privilege that is named, for the whole organisation, in {ROLES}.",
    ),
    "0x80042f09": Meaning("scope", "the app has no security role", f"Give it one: {APP_USER} > Edit security roles."),
    "0x8004a112": Meaning(
        "disabled",
        "the environment is switched off, or in administration mode",
        "Switch it on: Power Platform admin center > Environments > your environment > Edit.",
    ),
    "0x80060888": Meaning(
        "absent",
        "there is no such table or column: it was renamed or deleted",
        "Look at its logical name: Power Apps (make.powerapps.com) > Tables > Columns; change it in the source's "
        "`columns`.",
    ),
    MISSING: Meaning("absent", "there is no such record", LATER),
    EXPIRED: Meaning("invalid", f"the token of change tracking has run out ({EXPIRED})", LATER),
}
WORDS: tuple[tuple[str, str], ...] = (
    ("not a member of the organization", "0x80072560"),
    ("is missing prv", "0x80040220"),
    ("administration mode", "0x8004a112"),
    ("is disabled", "0x8004a112"),
    ("could not find a property named", "0x80060888"),
    ("resource not found for the segment", "0x80060888"),
    ("does not exist", MISSING),
    ("version stamp associated with the client has expired", EXPIRED),
)
"""What messages say, where the code varies."""

SIGN_IN: tuple[tuple[str, str, str], ...] = (
    (
        "aadsts7000222",
        "the client secret has run out",
        f"Make another: {REGISTRATION} > Certificates & secrets; write its value into DYNAMICS_CLIENT_SECRET.",
    ),
    (
        "aadsts7000215",
        "the client secret is wrong",
        f"Copy the secret's value, not its id: {REGISTRATION} > Certificates & secrets; DYNAMICS_CLIENT_SECRET.",
    ),
    (
        "aadsts700016",
        "the tenant knows no app of this client id",
        f"Copy the application (client) id: {REGISTRATION} > Overview; DYNAMICS_CLIENT_ID. Look at `tenant`, too.",
    ),
    (
        "aadsts90002",
        "there is no such tenant",
        "Write the directory (tenant) id of Microsoft Entra admin center > App registrations > your app as `tenant`.",
    ),
    (
        "aadsts500011",
        "the tenant has no environment of this address",
        "Look at `url`: Power Platform admin center > Environments > your environment > Environment URL. "
        "(Microsoft Entra admin center > App registrations shows whether the app is of that tenant.)",
    ),
)


def refusal(answer: Answer) -> RemoteError | None:
    """Return what a refused request means; None where it is none of Dataverse's own codes, or passes by."""
    if answer.status == TOO_MANY:
        return None
    code, message = _told(_json(answer))
    meaning = CODES.get(code) or _by_words(message)
    if meaning is None:
        return None
    own = f" ({code}: {message})" if message else f" ({code})"
    return RemoteError(TITLE, meaning.trouble, meaning.words + own, fix=meaning.fix, status=answer.status)


def not_let_in(answer: Answer) -> RemoteError | None:
    """Return what a refused sign-in means; None where it is none of Microsoft's own words."""
    told = _json(answer)
    if not isinstance(told, dict) or not isinstance(told.get("error"), str):
        return None
    own = str(told.get("error_description") or told["error"]).partition(" Trace ID")[0]
    for code, words, fix in SIGN_IN:
        if code in own.lower():
            return RemoteError(TITLE, "sign_in", f"{words} ({code.upper()})", fix=fix, status=answer.status)
    message = f"Microsoft does not let the app in ({_short(own)})"
    fix = f"Look at {REGISTRATION} > Overview and Certificates & secrets, and at `tenant`."
    return RemoteError(TITLE, "sign_in", message, fix=fix, status=answer.status)


AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})
"""Statuses of single records that pass by themselves."""
BUSY = ("sql timeout", "deadlock", "generic sql error", "concurrency", "locked", "try again")


def written(record: str, answer: Answer) -> Written:
    """Return how the write of one record ended."""
    if answer.status // 100 == 2:
        return Written(record)
    code, message = _told(_json(answer))
    meaning = CODES.get(code) or _by_words(message)
    words = f"{code}: {message}" if message else f"the answer was {answer.status}"
    if meaning is not None and meaning.trouble == "scope":
        words = f"{meaning.words} ({words}). {meaning.fix}"
    return Written(
        record,
        words,
        again=answer.status in AGAIN or any(one in message.lower() for one in BUSY),
        gone=answer.status == 404 or is_missing(answer),
    )


def is_missing(answer: Answer) -> bool:
    """Say whether it is a record that is not there."""
    code, message = _told(_json(answer))
    return code == MISSING or _by_words(message) is CODES[MISSING]


def is_duplicate(answer: Answer) -> bool:
    """Say whether a record of this id is there already."""
    code, message = _told(_json(answer))
    return code == DUPLICATE or "duplicate key" in message.lower()


def _by_words(message: str) -> Meaning | None:
    said = message.lower()
    return next((CODES[code] for words, code in WORDS if words in said), None)


def _told(told: Any) -> tuple[str, str]:
    error = told.get("error") if isinstance(told, dict) else None
    if not isinstance(error, dict):
        return "", ""
    code = error.get("code")
    return (code.lower() if isinstance(code, str) else ""), _short(error.get("message"))


def _short(message: Any) -> str:
    return " ".join(message.split())[:MESSAGE_MOST] if isinstance(message, str) else ""


def _json(answer: Answer) -> Any:
    import orjson

    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
