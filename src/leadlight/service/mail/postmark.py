"""Postmark's webhooks: one record each. They are not signed; a password in their address or a header of yours is all
that Postmark offers, so give them one that is long and use https.

Postmark says no id of an open or click: message, recipient, time and link together are one.
"""

from __future__ import annotations

import base64
import binascii
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
    item,
    mapping,
)
from leadlight.service.mail.signatures import Forged

EVENTS = {
    "Delivery": (DELIVERED, "DeliveredAt"), "Open": (OPEN, "ReceivedAt"), "Click": (CLICK, "ReceivedAt"),
    "Bounce": (BOUNCE, "BouncedAt"), "SpamComplaint": (COMPLAINT, "BouncedAt"),
    "SubscriptionChange": (UNSUBSCRIBE, "ChangedAt"),
}  # fmt: skip
SOFT = frozenset({"Transient", "SoftBounce", "DnsError", "SpamNotification", "Blocked", "AutoResponder"})
UNSUBSCRIBED = "ManualSuppression"
"""Why sending was stopped, where the recipient asked for it; else it follows a bounce or complaint told by itself."""


def read(value: Any, user_argument: str) -> list[Happening] | None:
    """Read a record.

    >>> read({"RecordType": "Click", "MessageID": "m1", "Recipient": "ann@acme.example", "OriginalLink": "https://a.b",
    ...       "ReceivedAt": "2026-01-31T10:00:00Z", "Metadata": {"user_id": "crm-1"}}, "user_id")[0].user
    'crm-1'
    """
    said = item(value)
    event, moment = EVENTS.get(str(said.get("RecordType")), (None, ""))
    if event is None or (event == UNSUBSCRIBE and not _unsubscribed(said)):
        return None
    address = said.get("Recipient") or said.get("Email")
    properties = {
        "provider": "postmark", "message": said.get("MessageID"), "url": said.get("OriginalLink"),
        "campaign": said.get("Tag"),
        "bounce": ("soft" if said.get("Type") in SOFT else "hard") if event == BOUNCE else None,
        "reason": said.get("Type") if event == BOUNCE else None,
    }  # fmt: skip
    user = mapping(said.get("Metadata")).get(user_argument)
    return [Happening(event, _id(said, moment, address), said.get(moment), address, user, properties,
                      said.get("UserAgent"))]  # fmt: skip


def _unsubscribed(said: Mapping[str, Any]) -> bool:
    return said.get("SuppressSending") is True and said.get("SuppressionReason") in (None, UNSUBSCRIBED)


def _id(said: Mapping[str, Any], moment: str, address: Any) -> str:
    parts = (said.get("RecordType"), said.get("MessageID"), said.get("ID"), address, said.get(moment),
             said.get("OriginalLink"))  # fmt: skip
    text = "\n".join("" if part is None else str(part) for part in parts)
    return f"postmark:{hashlib.sha256(text.encode('utf-8', 'ignore')).hexdigest()[:32]}"


def check_password(user: str, password: str, headers: Mapping[str, str]) -> None:
    """Look whether the basic authorization is the one that was given to Postmark.

    Raises Forged.
    """
    kind, _, rest = headers.get("authorization", "").strip().partition(" ")
    try:
        said = base64.b64decode(rest, validate=True) if kind.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        said = b""
    if not hmac.compare_digest(said, f"{user}:{password}".encode()):
        raise Forged("the user and password are not those of mail.postmark")


def check_token(header: str, token: str, headers: Mapping[str, str]) -> None:
    """Look whether the header holds the token.

    Raises Forged.
    """
    if not hmac.compare_digest(headers.get(header.lower(), "").encode("utf-8", "ignore"), token.encode()):
        raise Forged(f"the header {header} does not hold the token of mail.postmark")
