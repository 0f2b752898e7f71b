"""Who asks: the key of a request, wherever its client puts it, and what it may do."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from leadlight.service.keys import Key, Keys
from leadlight.service.problems import Problem


def secrets_of(request: Request, body: Any = None) -> list[str]:
    """Return the keys a request brings, first the one that counts.

    The user of basic authorization, a bearer's token or the bare header; else the body's `writeKey`; else the header
    `X-Write-Key`.
    """
    found = [_authorization(request.headers.get("authorization", ""))]
    if isinstance(body, Mapping) and isinstance(body.get("writeKey"), str):
        found.append(body["writeKey"])
    found.append(request.headers.get("x-write-key", "").partition(":")[0])
    return [secret for secret in found if secret]


def _authorization(header: str) -> str:
    kind, _, rest = header.strip().partition(" ")
    if kind.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode("utf-8", "ignore").partition(":")[0]
        except (binascii.Error, ValueError):
            return ""
    return rest.strip() if kind.lower() == "bearer" else header.strip()


def allowed(keys: Keys, request: Request, scope: str, body: Any = None) -> Key:
    """Return the key of a request that may do this.

    Raises Problem: 401 without a key that is known, 403 where the key may do other things only.
    """
    found = next((key for secret in secrets_of(request, body) if (key := keys.find(secret))), None)
    if found is None:
        raise Problem(401, "no key that is known: send one as basic authorization's user, or as a bearer's token",
                      headers={"WWW-Authenticate": "Bearer"})  # fmt: skip
    if scope not in found.scopes:
        raise Problem(403, f"the key {found.name!r} may {', '.join(found.scopes)}, but this needs {scope}")
    return found
