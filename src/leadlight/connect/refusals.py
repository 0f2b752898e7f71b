"""What it usually means when a system refuses, or cannot be reached: in words, and with what to do.

A vendor's own words (`Way.refusal`) go first; these are for all that they do not cover. Nothing of an answer's body is
shown but a short message in one of the usual places of JSON: pages of HTML say nothing to anyone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from leadlight.errors import RemoteError, RemoteTrouble, shorten

if TYPE_CHECKING:
    from leadlight.connect.protocol import About
    from leadlight.connect.way import Answer

MESSAGE_MOST = 300
"""Characters of a system's own message that are shown."""
DEPTH_MOST = 4
LATER = "Try again later; what was read so far is kept."
MESSAGE_KEYS = ("message", "detail", "error_description", "description", "title", "error_info", "error", "errors")
SERVER_ERROR, SERVER_ERRORS_END = 500, 600

TROUBLES: dict[int, tuple[RemoteTrouble, str]] = {
    400: ("invalid", "does not take what it was asked"),
    401: ("sign_in", "does not accept the key"),
    402: ("quota", "wants its plan paid, or another plan, for this"),
    403: ("scope", "does not allow this"),
    404: ("absent", "knows no such object"),
    405: ("disabled", "does not offer this"),
    406: ("invalid", "cannot answer in JSON"),
    409: ("invalid", "says that this contradicts what it holds"),
    410: ("absent", "says that this is gone"),
    413: ("invalid", "finds this too large"),
    414: ("invalid", "finds the address too long"),
    415: ("invalid", "does not take JSON here"),
    422: ("invalid", "does not take these values"),
    429: ("quota", "says that there were too many requests"),
}


def usual(answer: Answer, about: About) -> RemoteError:
    """Return what a refused request usually means, with what to do."""
    status, system = answer.status, answer.system
    if SERVER_ERROR <= status < SERVER_ERRORS_END:
        message = f"is ill: it answers {status} to {answer.request}, again and again"
        return RemoteError(system, "trouble", message, fix=LATER, status=status)
    if status // 100 == 3:
        message = f"{answer.request} leads elsewhere ({status})"
        return RemoteError(system, "trouble", message, fix="Write the address it has moved to as `url`.", status=status)
    trouble, words = TROUBLES.get(status, ("trouble", "answers in a way that is not understood"))
    own = said(answer)
    message = f"{words} ({status} to {answer.request}" + (f": {own})" if own else ")")
    return RemoteError(system, trouble, message, fix=_fix(status, about), status=status)


def said(answer: Answer) -> str | None:
    """Return the message in a refused request's JSON, on one line and short; None where there is none.

    >>> from leadlight.connect.http import Answer
    >>> said(Answer(400, {}, b'{"status": "error", "errors": [{"detail": "no such field"}]}'))
    'no such field'
    """
    import orjson

    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None
    text = next(_messages(body, DEPTH_MOST), None)
    if text is None:
        return None
    flat = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return flat if len(flat) <= MESSAGE_MOST else flat[: MESSAGE_MOST - 1] + "…"


def not_json(answer: Answer) -> RemoteError:
    """Return what it means that an answer is no JSON."""
    kind = shorten(answer.headers.get("content-type", "nothing").partition(";")[0])
    message = f"answers {kind} and no JSON to {answer.request}"
    fix = "Look whether `url` is the address of its API, and not of a page, a proxy or a sign-in form."
    return RemoteError(answer.system, "trouble", message, fix=fix, status=answer.status)


def odd(system: str, what: str) -> RemoteError:
    """Return what it means that an answer is JSON, but not as the vendor promises: `what` says where and how."""
    fix = "If this goes on, its API has changed: look whether there is a newer Leadlight."
    return RemoteError(system, "trouble", f"answers otherwise than its reference says: {what}", fix=fix)


def too_long_to_wait(answer: Answer, now: datetime, seconds: float) -> RemoteError:
    """Return what it means that a system asks us to wait for longer than a sync should."""
    until = now + timedelta(seconds=min(seconds, timedelta(days=365).total_seconds()))
    message = f"asks us to wait until {until:%Y-%m-%d %H:%M} UTC"
    fix = "What was read so far is kept; the next sync after that goes on."
    return RemoteError(answer.system, "quota", message, fix=fix, status=answer.status)


def broken(system: str, request: str, error: Exception) -> tuple[RemoteError, bool]:
    """Return what it means that a connection failed, and whether the request was certainly never sent."""
    import requests

    text = str(error).lower()
    host = request.partition("://")[2].partition("/")[0]
    if isinstance(error, requests.exceptions.SSLError):
        message = f"the certificate of {host} is not accepted"
        fix = "Look whether `url` is right; for an authority of your own, name its file in REQUESTS_CA_BUNDLE."
        return RemoteError(system, "trouble", message, fix=fix), True
    if isinstance(error, requests.exceptions.ProxyError):
        fix = "Look at HTTPS_PROXY and NO_PROXY in the environment."
        return RemoteError(system, "unreachable", f"the proxy does not lead to {host}", fix=fix), True
    if "name or service" in text or "resolve" in text or "nodename" in text or "getaddrinfo" in text:
        fix = "Look whether `url` is spelt right, and whether this machine may look up names."
        return RemoteError(system, "unreachable", f"there is no host {host}", fix=fix), True
    if "refused" in text:
        fix = "Look whether it is running, and whether `url` and its port are right."
        return RemoteError(system, "unreachable", f"nothing listens at {host}", fix=fix), True
    if isinstance(error, requests.exceptions.ConnectTimeout):
        fix = "Look whether a firewall stands between, and whether `url` is right."
        return RemoteError(system, "unreachable", f"{host} does not answer", fix=fix), True
    if isinstance(error, requests.exceptions.Timeout):
        return RemoteError(system, "unreachable", f"{request} takes too long", fix=LATER), False
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader | UnicodeError):
        fix = "Look whether `url` and the secrets have spaces or line ends in them."
        return RemoteError(system, "invalid", f"{request} cannot be asked", fix=fix), True
    message = f"the connection breaks off at {request}, again and again"
    return RemoteError(system, "unreachable", message, fix=LATER), False


def _fix(status: int, about: About) -> str:
    secret = about.secrets[0] if about.secrets else None
    scopes = f" It needs: {', '.join(about.scopes)}." if about.scopes else ""
    if status == 401:
        where = f"Look at {secret.name} ({secret.variable}): {secret.where}" if secret else "Look at the secrets."
        return f"{where}{scopes}"
    if status == 403:
        return f"Give the key or its user the permission, in the system's own settings.{scopes}"
    if status in (404, 405, 410):
        return f"Look whether `url` and the object's name are right, and whether its API is on. {about.documentation}"
    if status == 429:
        return "Set `per_second` of the connection lower, or try again later; what was read so far is kept."
    if status == 402:
        return "Look at the account's plan and its limits in the system's own settings."
    return f"Look whether the fields that the sources name still exist there; see {about.documentation}"


def _messages(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if value.strip():
            yield value
    elif isinstance(value, list) and depth:
        for one in value[:3]:
            yield from _messages(one, depth - 1)
    elif isinstance(value, dict) and depth:
        for key in MESSAGE_KEYS:
            if key in value:
                yield from _messages(value[key], depth - 1)
