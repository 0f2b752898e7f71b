"""Amazon SES's events, as SNS brings them: of a configuration set (`eventType`) or feedback (`notificationType`).

An event of several recipients is one of each. Tags are lists; `ses:` tags are SES's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

EVENTS = {
    "Delivery": DELIVERED, "Open": OPEN, "Click": CLICK, "Bounce": BOUNCE, "Complaint": COMPLAINT,
    "Subscription": UNSUBSCRIBE,
}  # fmt: skip
RECIPIENTS = {"Delivery": "recipients", "Bounce": "bouncedRecipients", "Complaint": "complainedRecipients"}
CAMPAIGN = "campaign"
"""The tag that names it; else the configuration set does."""


def read(value: Any, user_argument: str, *, notification: str) -> list[Happening] | None:
    """Read an event; `notification` is SNS's id of the message that brought it.

    >>> said = {"eventType": "Bounce", "mail": {"messageId": "m1"}, "bounce": {"bounceType": "Permanent",
    ...         "timestamp": "2026-01-31T10:00:00.000Z", "bouncedRecipients": [{"emailAddress": "a@x.example"}]}}
    >>> [(one.event, one.id) for one in read(said, "user_id", notification="n1")]
    [('email_bounce', 'ses:n1:a@x.example')]
    """
    said = item(value)
    kind = str(said.get("eventType") or said.get("notificationType"))
    if kind not in EVENTS:
        return None
    mail, told = mapping(said.get("mail")), mapping(said.get(kind.lower()))
    if kind == "Subscription" and not _unsubscribed(told):
        return None
    tags = mapping(mail.get("tags"))
    properties = {
        "provider": "ses", "message": mail.get("messageId"), "url": told.get("link"),
        "campaign": first(tags.get(CAMPAIGN)) or first(tags.get("ses:configuration-set")),
        "bounce": ("hard" if told.get("bounceType") == "Permanent" else "soft") if kind == "Bounce" else None,
        "reason": told.get("bounceSubType") or told.get("complaintFeedbackType"),
    }  # fmt: skip
    recipients = list(_recipients(kind, mail, told))
    user = tags.get(user_argument) if len(recipients) == 1 else None  # of several, it cannot be everybody's
    return [
        Happening(EVENTS[kind], f"ses:{notification}:{recipient}", told.get("timestamp") or mail.get("timestamp"),
                  recipient, user, properties, told.get("userAgent"))
        for recipient in recipients
    ]  # fmt: skip


def _recipients(kind: str, mail: Mapping[str, Any], told: Mapping[str, Any]) -> Iterable[Any]:
    listed = told.get(RECIPIENTS[kind]) if kind in RECIPIENTS else None
    for one in listed if isinstance(listed, list) else mail.get("destination") or [None]:
        yield one.get("emailAddress") if isinstance(one, Mapping) else one


def _unsubscribed(told: Mapping[str, Any]) -> bool:
    return mapping(told.get("newTopicPreferences")).get("unsubscribeAll") is True
