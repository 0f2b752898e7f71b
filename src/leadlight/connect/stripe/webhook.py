"""Webhooks: that Stripe sent them, and which objects they say have changed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from leadlight.connect.stripe import api
from leadlight.connect.stripe.describe import THINGS

SIGNATURE = "stripe-signature"
TOLERANCE = 300
"""Seconds that a signature may be old, or our clocks apart: Stripe's own libraries allow as much."""
PARTS_MOST = 20


def changed(
    headers: Mapping[str, str], body: bytes, *, secret: str | None, key: str | None, now: datetime
) -> list[str]:
    """Return which objects have changed. Raises PermissionError where Stripe did not send this, just now."""
    signature = {name.lower(): value for name, value in headers.items()}.get(SIGNATURE, "")
    parts = [part.strip().partition("=") for part in signature.split(",")[:PARTS_MOST]]
    stamps = [value for name, _, value in parts if name == "t"]
    signed = [value for name, _, value in parts if name == "v1"]
    if not secret:
        raise PermissionError("no signing secret is known: set STRIPE_WEBHOOK_SECRET")
    if len(stamps) != 1 or not stamps[0].isdecimal() or len(stamps[0]) > len("9999999999") or not signed:
        raise PermissionError("not signed by Stripe")
    if abs(api.seconds(now) - int(stamps[0])) > TOLERANCE:
        raise PermissionError("signed more than five minutes ago, or by another clock")
    own = hmac.new(secret.encode(), stamps[0].encode() + b"." + body, sha256).hexdigest().encode()
    if not any(hmac.compare_digest(one.encode(), own) for one in signed):
        raise PermissionError("signed by someone who does not know the endpoint's signing secret")
    return _objects(body, key or "")


def _objects(body: bytes, key: str) -> list[str]:
    try:
        event = json.loads(body)
    except ValueError:
        return []
    kind = event.get("type") if isinstance(event, dict) else None
    if not isinstance(kind, str) or (event.get("livemode") is True and "_test_" in key):
        return []  # of the real account, while the key reads the sandbox
    noun = kind.rpartition(".")[0]
    return [thing.name for thing in THINGS.values() if thing.noun == noun]
