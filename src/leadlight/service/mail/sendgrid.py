"""SendGrid's Event Webhook: a list of events, signed with SendGrid's private key (ECDSA over P-256).

The signature is made of the header with the time and the body as sent. `sg_machine_open` tells opens that Apple's Mail
Privacy Protection made. Custom arguments stand among an event's own fields.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from leadlight.errors import UsageError
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
)
from leadlight.service.mail.signatures import Forged, Stale, Window

SIGNATURE, TIME = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
EVENTS = {
    "delivered": DELIVERED, "open": OPEN, "click": CLICK, "bounce": BOUNCE, "spamreport": COMPLAINT,
    "unsubscribe": UNSUBSCRIBE, "group_unsubscribe": UNSUBSCRIBE,
}  # fmt: skip


def read(value: Any, user_argument: str) -> list[Happening] | None:
    """Read one event.

    >>> read({"email": "ann@acme.example", "event": "open", "timestamp": 1769853600, "sg_event_id": "e1",
    ...       "sg_machine_open": True, "category": ["spring"]}, "user_id")[0].properties["machine"]
    True
    """
    said = item(value)
    if (event := EVENTS.get(str(said.get("event")))) is None:
        return None
    properties = {
        "provider": "sendgrid", "message": said.get("sg_message_id"), "url": said.get("url"),
        "campaign": said.get("marketing_campaign_name") or first(said.get("category")),
        "machine": True if said.get("sg_machine_open") is True else None,
        "bounce": _kind(said) if event == BOUNCE else None, "reason": said.get("reason"),
    }  # fmt: skip
    id = said.get("sg_event_id")  # noqa: A001 - the provider's word
    return [Happening(event, f"sendgrid:{id}" if id else "", said.get("timestamp"), said.get("email"),
                      said.get(user_argument), properties, said.get("useragent"))]  # fmt: skip


def _kind(said: Mapping[str, Any]) -> str:
    return "soft" if said.get("type") == "blocked" else "hard"


def public_key(text: str) -> EllipticCurvePublicKey:
    """Read the verification key, bare base64 as SendGrid shows it or PEM.

    Raises UsageError.
    """
    try:
        if "BEGIN" in text:
            key = load_pem_public_key(text.encode())
        else:
            key = load_der_public_key(base64.b64decode(text.strip(), validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, EllipticCurvePublicKey):
        raise UsageError(
            "mail.sendgrid.public_key is no verification key",
            fix="Copy it from SendGrid: Settings, Mail Settings, Event Webhook, Signature Verification.",
        )
    return key


def check(key: EllipticCurvePublicKey, headers: Mapping[str, str], body: bytes, window: Window) -> None:
    """Look whether SendGrid signed this, and lately.

    Raises Forged or Stale.
    """
    at, signature = headers.get(TIME, ""), headers.get(SIGNATURE, "")
    if not at or not signature:
        raise Forged(f"the headers {SIGNATURE} and {TIME} are missing: turn signed events on")
    try:
        key.verify(base64.b64decode(signature, validate=True), at.encode() + body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        raise Forged("the signature is not SendGrid's for this body") from None
    if not window.holds(at):
        raise Stale(f"the signature's time {at!r} is too far from now")
