"""Webhooks: that HubSpot sent them, and which objects they say have changed."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from urllib.parse import unquote

from leadlight.connect.hubspot import api
from leadlight.connect.hubspot.describe import STANDARD, TYPE_IDS

SIGNATURE, TIMESTAMP = "x-hubspot-signature-v3", "x-hubspot-request-timestamp"
AGE_MOST = 5 * 60 * 1000
"""Milliseconds after which HubSpot's own rule is not to believe a request."""
SINGULAR = {"company": "companies"}


def changed(headers: Mapping[str, str], body: bytes, *, url: str, secret: str | None, now: datetime) -> list[str]:
    """Return which objects have changed. Raises PermissionError where HubSpot did not send this, just now."""
    found = {name.lower(): value for name, value in headers.items()}
    stamp, signature = found.get(TIMESTAMP, ""), found.get(SIGNATURE, "")
    if not secret:
        raise PermissionError("no client secret of the app is known: set HUBSPOT_CLIENT_SECRET")
    if not stamp.isdecimal() or len(stamp) > len("9999999999999") or not signature:
        raise PermissionError("not signed by HubSpot")
    if abs(api.millis(now) - int(stamp)) > AGE_MOST:
        raise PermissionError("signed more than five minutes ago, or by another clock")
    if not any(hmac.compare_digest(signature.encode(), own) for own in _signatures(secret, url, body, stamp)):
        raise PermissionError("signed by someone who does not know the app's client secret")
    return _objects(body)


def _signatures(secret: str, url: str, body: bytes, stamp: str) -> list[bytes]:
    """Return what it may be signed with: HubSpot decodes a few marks in the address before it signs it."""
    addresses = dict.fromkeys((url, unquote(url)))
    texts = (b"POST" + address.encode() + body + stamp.encode() for address in addresses)
    return [base64.b64encode(hmac.new(secret.encode(), text, sha256).digest()) for text in texts]


def _objects(body: bytes) -> list[str]:
    try:
        told = json.loads(body)
    except ValueError:
        return []
    names = (_object(event) for event in api.dicts(told if isinstance(told, list) else [told]))
    return list(dict.fromkeys(name for name in names if name is not None))


def _object(event: Mapping[str, object]) -> str | None:
    """Return the object of an event: `object.creation` names its type's number, `contact.creation` itself."""
    kind, number = str(event.get("subscriptionType", "")).partition(".")[0], event.get("objectTypeId")
    if isinstance(number, str) and number:
        return TYPE_IDS.get(number, number)
    name = SINGULAR.get(kind, f"{kind}s")
    return name if name in STANDARD else None
