"""Webhooks of Dataverse: a step of its Plug-in Registration Tool posts what changed, with a key of our own."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

HEADER, CODE = "x-leadlight-key", "code"
SECRET = "webhook_key"
TABLE = "PrimaryEntityName"


def changed(headers: Mapping[str, str], body: bytes, *, url: str, secrets: Mapping[str, str]) -> list[str]:
    """Return the table that changed. Raises PermissionError where the key is not ours.

    Dataverse signs nothing: it sends the key in a header (HttpHeader) or in the address (WebhookKey). So no more is
    believed than that something changed in a table, and that is read by our own token.
    """
    key = secrets.get(SECRET, "")
    if not key:
        raise PermissionError("no key of the webhook is known: set DYNAMICS_WEBHOOK_KEY")
    named = {name.lower(): value for name, value in headers.items()}
    given = named.get(HEADER) or dict(parse_qsl(urlsplit(url).query)).get(CODE, "")
    if not hmac.compare_digest(given.encode(), key.encode()):
        raise PermissionError("not sent with the key of the webhook")
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    table = told.get(TABLE) if isinstance(told, dict) else None
    if not isinstance(table, str) or not table:
        raise PermissionError("not what Dataverse sends")
    return [table]
