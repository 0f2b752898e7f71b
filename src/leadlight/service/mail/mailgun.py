"""Mailgun's webhooks: one event each, with an HMAC of time and token under the signing key.

The signature does not cover the event, so a token counts once: who saw one request cannot make another of it.
`client-info.bot` says which machine opened (`apple`, `gmail`, `generic` …).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from leadlight.service.mail.happening import (
    BOUNCE,
    CLICK,
    COMPLAINT,
    DELIVERED,
    OPEN,
    UNSUBSCRIBE,
    Happening,
    first,
    item,
    mapping,
)
from leadlight.service.mail.signatures import Forged, Stale, Window

EVENTS = {
    "delivered": DELIVERED, "opened": OPEN, "clicked": CLICK, "failed": BOUNCE, "complained": COMPLAINT,
    "unsubscribed": UNSUBSCRIBE,
}  # fmt: skip
LONGEST_TOKEN = 200


def read(value: Any, user_argument: str) -> list[Happening] | None:
    """Read the event of a webhook.

    >>> read({"event": "failed", "severity": "temporary", "id": "e1", "timestamp": 1769853600.5,
    ...       "recipient": "ann@acme.example"}, "user_id")[0].properties["bounce"]
    'soft'
    """
    said = item(value)
    if (event := EVENTS.get(str(said.get("event")))) is None:
        return None
    client, headers = mapping(said.get("client-info")), mapping(mapping(said.get("message")).get("headers"))
    campaign = first(said.get("campaigns"))
    properties = {
        "provider": "mailgun", "message": headers.get("message-id"), "url": said.get("url"),
        "campaign": mapping(campaign).get("name") or campaign or first(said.get("tags")),
        "machine": True if client.get("bot") else None, "bot": client.get("bot"),
        "bounce": ("soft" if said.get("severity") == "temporary" else "hard") if event == BOUNCE else None,
        "reason": said.get("reason"),
    }  # fmt: skip
    id = said.get("id")  # noqa: A001 - the provider's word
    user = mapping(said.get("user-variables")).get(user_argument)
    return [Happening(event, f"mailgun:{id}" if id else "", said.get("timestamp"), said.get("recipient"), user,
                      properties, client.get("user-agent"))]  # fmt: skip


def check(key: str, body: Any, window: Window) -> str:
    """Look whether Mailgun signed this, and lately; return the token, which counts once.

    Raises Forged or Stale.
    """
    signed = mapping(mapping(body).get("signature"))
    at, token, signature = (_text(signed, name) for name in ("timestamp", "token", "signature"))
    if not at or not token or not signature or len(token) > LONGEST_TOKEN:
        raise Forged("signature, with its timestamp and token, is missing")
    wanted = hmac.new(key.encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "ignore")):
        raise Forged("the signature is not Mailgun's for this time and token")
    if not window.holds(at):
        raise Stale(f"the signature's time {at!r} is too far from now")
    return token


def _text(signed: Mapping[str, Any], name: str) -> str:
    value = signed.get(name)
    text = str(value) if isinstance(value, str | int) else ""
    return text.encode("utf-8", "ignore").decode()
