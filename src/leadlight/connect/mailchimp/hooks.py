"""Webhooks of Mailchimp, which are not signed: a secret stands in their address (`…?secret=…`)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from urllib.parse import parse_qs, parse_qsl, urlsplit

from leadlight.connect.mailchimp.describe import ACTIVITY, MEMBERS

MEANT: dict[str, Sequence[str]] = {
    "subscribe": (MEMBERS,),
    "unsubscribe": (MEMBERS, ACTIVITY),
    "profile": (MEMBERS,),
    "upemail": (MEMBERS,),
    "cleaned": (MEMBERS, ACTIVITY),
    "campaign": (ACTIVITY,),
}


def changed(body: bytes, url: str, secret: str | None) -> list[str]:
    """Return which objects have changed. Raises PermissionError where the address does not hold the secret.

    An empty body is how Mailchimp looks whether the address is there (by GET): nothing has changed then.
    """
    if not secret:
        raise PermissionError("no secret of Mailchimp's webhook is told: set MAILCHIMP_WEBHOOK_SECRET")
    told = parse_qs(urlsplit(url).query).get("secret", [""])[-1]
    if not hmac.compare_digest(told.encode(), secret.encode()):
        raise PermissionError(
            "the webhook's address does not end in ?secret= and MAILCHIMP_WEBHOOK_SECRET: "
            "correct it in Mailchimp, Audience > Settings > Webhooks"
        )
    kind = dict(parse_qsl(body.decode("utf-8", "replace"), max_num_fields=1000)).get("type", "") if body else ""
    return list(MEANT.get(kind, ()))
