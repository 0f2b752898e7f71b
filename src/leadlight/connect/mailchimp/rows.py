"""From what Mailchimp answers to rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from leadlight.connect.protocol import Field, Row, Value
from leadlight.connect.typed import moment, number, text, typed

WRITTEN_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
"""How we write times: Mailchimp's own dates have no time of day."""


def member_id(email: str) -> str:
    """Return a member's id: MD5 of the address in lower case, as Mailchimp itself says.

    >>> member_id("Urist.McVankab@freddiesjokes.com")
    '62eeb292278cc15f5817cb78f7790b08'
    """
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def member_values(record: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Value]:
    """Return the wanted values of a member."""
    merged, location = _dict(record.get("merge_fields")), _dict(record.get("location"))
    tags = record.get("tags")
    own = {
        **{name: record.get(name) for name in OWN},
        "created_at": record.get("timestamp_signup") or record.get("timestamp_opt") or record.get("last_changed"),
        "tags": [tag.get("name") for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else None,
        "country": location.get("country_code"),
    }
    return {
        field.name: typed(own[field.name] if field.name in own else _flat(merged.get(field.name)), field.type)
        for field in fields
    }


OWN = (
    "email_address",
    "full_name",
    "status",
    "unsubscribe_reason",
    "last_changed",
    "timestamp_opt",
    "source",
    "language",
    "email_client",
    "member_rating",
    "vip",
)


def held(value: Any, kind: Field) -> Value:
    """Return what a merge field holds, as we wrote it: a time stands in a text."""
    found = typed(_flat(value), kind.type)
    return moment(found) if isinstance(found, str) and WRITTEN_TIME.fullmatch(found) else found


def activity_rows(
    record: Mapping[str, Any], campaign: str, title: str | None, since: datetime | None, fields: Sequence[Field]
) -> Iterator[Row]:
    """Yield what one recipient did with a campaign after a moment."""
    member = text(record.get("email_id"))
    told = record.get("activity")
    if member is None or not isinstance(told, list):
        return
    for one in (one for one in told if isinstance(one, dict)):
        at, kind = moment(one.get("timestamp")), text(one.get("action"))
        if at is None or kind is None or (since is not None and at < since):
            continue
        reason = text(one.get("type")) if kind == "bounce" else None
        yield event(member, campaign, title, kind, at, text(one.get("url")), reason, fields)


def unsubscribe_row(
    record: Mapping[str, Any], campaign: str, title: str | None, since: datetime | None, fields: Sequence[Field]
) -> Row | None:
    """Return that somebody unsubscribed with a campaign after a moment."""
    member, at = text(record.get("email_id")), moment(record.get("timestamp"))
    if member is None or at is None or (since is not None and at < since):
        return None
    return event(member, campaign, title, "unsubscribe", at, None, text(record.get("reason")), fields)


def event(
    member: str,
    campaign: str,
    title: str | None,
    kind: str,
    at: datetime,
    url: str | None,
    reason: str | None,
    fields: Sequence[Field],
) -> Row:
    """Return an event; Mailchimp gives none an id, so that its content makes one."""
    values: dict[str, Value] = {
        "member": member,
        "type": kind,
        "timestamp": at,
        "campaign": title or campaign,
        "url": url,
        "reason": reason,
    }
    return Row(event_id(member, campaign, kind, at, url), {field.name: values.get(field.name) for field in fields})


def event_id(member: str, campaign: str, kind: str, at: datetime, url: str | None) -> str:
    """Return the id of an event, made of its content."""
    content = "\n".join((member, campaign, kind, f"{at:%Y-%m-%dT%H:%M:%S}", url or ""))
    return f"{campaign}-{hashlib.sha256(content.encode()).hexdigest()[:24]}"


def order_row(record: Mapping[str, Any], fields: Sequence[Field]) -> Row | None:
    """Return an order of somebody whose address is told."""
    id_, email = text(record.get("id")), text(_dict(record.get("customer")).get("email_address"))
    if id_ is None or email is None:
        return None
    values: dict[str, Value] = {
        "member": member_id(email),
        "processed_at": moment(record.get("processed_at_foreign")),
        "result": "cancelled" if text(record.get("cancelled_at_foreign")) else "bought",
        "total": number(record.get("order_total")),
        "currency": text(record.get("currency_code")),
        "campaign": text(record.get("campaign_id")),
    }
    store = text(record.get("store_id"))
    key = f"{store}:{id_}" if store else id_
    return Row(key, {field.name: values.get(field.name) for field in fields})


def _flat(value: Any) -> Any:
    """Write an address as one text: Mailchimp gives its parts."""
    if not isinstance(value, dict):
        return value
    parts = (text(value.get(part)) for part in ("addr1", "addr2", "city", "state", "zip", "country"))
    return ", ".join(part for part in parts if part)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
