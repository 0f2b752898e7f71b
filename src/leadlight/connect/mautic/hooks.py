"""Webhooks of a Mautic: signed with the secret that stands beside the webhook."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from leadlight.connect.mautic.describe import ACTIVITY, COMPANIES, CONTACTS, OBJECTS, SEGMENTS, STAGES

HEADER = "webhook-signature"
MEANT = (
    ("mautic.lead_post_", (CONTACTS,)),
    ("mautic.lead_points", (CONTACTS, ACTIVITY)),
    ("mautic.lead_stage", (CONTACTS, STAGES)),
    ("mautic.lead_list", (SEGMENTS,)),
    ("mautic.lead_c", (CONTACTS, ACTIVITY)),
    ("mautic.company_", (COMPANIES,)),
    ("mautic.", (ACTIVITY,)),
)
"""What has changed, by how an event's name begins; the first that fits."""


def changed(headers: Mapping[str, str], body: bytes, secret: str | None) -> list[str]:
    """Return which objects have changed. Raises PermissionError where it is not signed with the webhook's secret."""
    import orjson

    if not secret:
        raise PermissionError("no secret of Mautic's webhook is told: set MAUTIC_WEBHOOK_SECRET")
    told = {name.lower(): value for name, value in headers.items()}.get(HEADER, "")
    right = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    if not hmac.compare_digest(right, told.encode()):
        raise PermissionError("the signature is not that of Mautic's webhook: compare its secret, Settings > Webhooks")
    try:
        events = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise PermissionError("the webhook's body is no JSON") from None
    found = {
        name
        for event in (events if isinstance(events, dict) else ())
        for name in next((names for begins, names in MEANT if event.startswith(begins)), ())
    }
    return [name for name in OBJECTS if name in found]
