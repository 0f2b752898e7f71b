"""Who asks: the key of a request, wherever its client puts it, and what it may do."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from leadlight.service.keys import Key, Keys
from leadlight.service.problems import Problem

PERSON = "leadlight.person"
"""Where a request's scope says which person or machine of an issuer asks; `door` has looked at their proof."""
ASKER = "leadlight.asker"
"""Where it says who was let in, when somebody was."""
NEEDED = "leadlight.needed"
"""Where it says what was needed: `ingest`, `read` or `manage`."""
TOLD = "leadlight.headers"
"""Where it keeps headers that the answer gets, whatever it is."""

UNPROVEN = "leadlight.unproven"
"""Where it says that somebody is logged in who has not shown that a page of ours asked for this change."""

SPENT = "leadlight.spent"
"""Where it says among which key's requests it was counted, over all processes, and how long that one has to wait."""

MAX_SECRET = 512
"""Characters of a key, at most: what is longer is none, and is not looked at."""


def secrets_of(request: Request, body: Any = None) -> list[str]:
    """Return the keys a request brings, first the one that counts.

    The user of basic authorization, a bearer's token or the bare header; else the body's `writeKey`; else the header
    `X-Write-Key`.
    """
    found = [_authorization(request.headers.get("authorization", ""))]
    if isinstance(body, Mapping) and isinstance(body.get("writeKey"), str):
        found.append(body["writeKey"])
    found.append(request.headers.get("x-write-key", "").partition(":")[0])
    return [secret for secret in found if 0 < len(secret) <= MAX_SECRET]


def _authorization(header: str) -> str:
    kind, _, rest = header.strip().partition(" ")
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest[: 4 * MAX_SECRET], validate=True).decode("utf-8", "ignore").partition(":")[0]
        except (binascii.Error, ValueError):
            return ""
    return rest.strip() if kind.lower() == "bearer" else header.strip()


def allowed(keys: Keys, request: Request, scope: str, body: Any = None) -> Key:
    """Return the key of a request that may do this; a person or a machine with a token counts as one.

    Raises Problem: 401 without a key that is known, 403 where the key may do other things only, 429 where it is too
    fast, or where wrong keys came from the same address too often.
    """
    request.scope[NEEDED] = scope
    if request.scope.get(UNPROVEN):
        raise Problem(
            403, "a change needs the header X-CSRF-Token, with `csrf` of /v1/me, and to come from a page here"
        )
    found = request.scope.get(PERSON) or _known(keys, request, body)
    request.scope[ASKER] = found
    if not found.may(scope):
        raise Problem(403, f"{found.name!r} may {', '.join(found.scopes)}, but this needs {scope}")
    if found.requests is not None or found.events is not None:
        spend(keys, request, found, "requests", found.requests)
    return found


def _known(keys: Keys, request: Request, body: Any) -> Key:
    """Return the key of a request.

    One that is right is let in also from an address that has shown wrong ones: others may be behind it.
    """
    shown = secrets_of(request, body)
    found = next((key for secret in shown if (key := keys.find(secret))), None)
    if found is not None:
        return found
    where = request.client.host if request.client else ""
    if shown and request.scope[NEEDED] != "ingest":  # clients that send calls would take a 429 as "later", for ever
        if wait := keys.misses.wait(where):
            raise too_often(wait)
        keys.misses.note(where)
    raise Problem(401, "no key that is known: send one as basic authorization's user, or as a bearer's token",
                  headers={"WWW-Authenticate": "Bearer"})  # fmt: skip


def too_often(wait: float) -> Problem:
    """Return the answer to somebody who guesses."""
    return Problem(429, "too many wrong keys or passwords from this address",
                   headers={"Retry-After": str(math.ceil(wait))})  # fmt: skip


async def count_request(keys: Keys, request: Request, body: Any = None) -> None:
    """Count a request against what its key may send over all processes of a store; `allowed` goes by what came of it.

    It may have to wait for the store, which `allowed` must not. One that was counted already is not again.
    """
    if keys.shared is None or SPENT in request.scope or request.scope.get(PERSON):
        return
    key = next((found for secret in secrets_of(request, body) if (found := keys.find(secret))), None)
    if key is not None and key.requests is not None:
        request.scope[SPENT] = key.id, await keys.shared.take(key.id, "requests", key.requests)


def spend(keys: Keys, request: Request, key: Key, what: str, rate: float | None, amount: float = 1.0) -> None:
    """Take requests or events from what a key may send a second, and tell the client what is left.

    Raises Problem 429 where nothing is left.
    """
    counted, wait = request.scope.get(SPENT), 0.0
    if what == "requests" and counted is not None and counted[0] == key.id:
        wait = counted[1]
    elif rate is not None:
        wait = keys.limits.take(key.id, what, rate, amount)
    _tell(keys, request, key, what, rate, wait)


def _tell(keys: Keys, request: Request, key: Key, what: str, rate: float | None, wait: float) -> None:
    request.scope[TOLD] = (keys.limits if keys.shared is None else keys.shared).headers(key.id, key.rates)
    if wait:
        raise Problem(429, f"{key.name!r} may send {rate:g} {what} a second",
                      headers={"Retry-After": str(math.ceil(wait))})  # fmt: skip


async def taken(keys: Keys, request: Request, events: int) -> None:
    """Count the events of a request against its key's limit, where it has one.

    Raises Problem 429 where the key has sent too many.
    """
    key = request.scope.get(ASKER)
    if key is None or key.events is None or not events:
        return
    if keys.shared is None:
        spend(keys, request, key, "events", key.events, events)
    else:
        _tell(keys, request, key, "events", key.events, await keys.shared.take(key.id, "events", key.events, events))


def trusted(request: Request) -> bool:
    """Say whether who asks may join two people (`alias`): nobody may with a key that anybody can see."""
    key = request.scope.get(ASKER)
    return key is None or "ingest" in key.scopes
