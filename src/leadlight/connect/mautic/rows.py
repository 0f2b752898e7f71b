"""From a record as Mautic answers it to the values of its fields."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from leadlight.connect.protocol import Field, Row, Value
from leadlight.connect.typed import boolean, moment, number, text, typed

EMAIL = "email"


def contact_values(
    record: Mapping[str, Any], fields: Sequence[Field], companies: Mapping[str, str]
) -> dict[str, Value]:
    """Return the wanted values of a contact; `companies` are the primary companies by contact."""
    utm = next((tag for tag in _several(record.get("utmtags")) if isinstance(tag, dict)), {})
    own = {
        **_common(record),
        "stage": _name_in(record.get("stage"), "name"),
        "tags": [tag.get("tag") for tag in _several(record.get("tags")) if isinstance(tag, dict)],
        "do_not_contact": _channels(record.get("doNotContact")),
        "utm_source": utm.get("utmSource"),
        "utm_medium": utm.get("utmMedium"),
        "utm_campaign": utm.get("utmCampaign"),
        "company_id": companies.get(str(record.get("id"))),
    }
    return _values(record, own, fields)


def company_values(record: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Value]:
    """Return the wanted values of a company."""
    return _values(record, _common(record), fields)


def activity_row(event: Mapping[str, Any], fields: Sequence[Field]) -> Row | None:
    """Return an event of somebody; None for what is nobody's, or has no time."""
    contact, at = text(event.get("contactId")), moment(event.get("timestamp"))
    kind = text(event.get("event"))
    if contact is None or at is None or kind is None:
        return None
    details = _dict(event.get("details"))
    hit, label = _dict(details.get("hit")), event.get("eventLabel")
    stat, log = _dict(details.get("stat")), _dict(details.get("log"))
    clicked = kind == "page.hit" and text(hit.get("source")) == EMAIL and text(hit.get("redirectId")) is not None
    values: dict[str, Value] = {
        "contact": contact,
        "type": "email.click" if clicked else kind,
        "timestamp": at,
        "label": text(label.get("label")) if isinstance(label, dict) else text(label),
        "url": text(hit.get("url")),
        "title": text(hit.get("urlTitle")),
        "referer": text(hit.get("referer")) or text(_dict(details.get("submission")).get("referer")),
        "email": _email(stat) or (text(hit.get("sourceName")) if clicked else None),
        "form": _name_in(details.get("form"), "name"),
        "asset": _name_in(details.get("asset"), "title"),
        "campaign": text(log.get("campaignName")),
        "points": number(log.get("delta")),
        "channel": text(_dict(details.get("dnc")).get("channel")),
        "reason": text(_dict(details.get("dnc")).get("reason")),
    }
    return Row(_event_id(event, kind), {field.name: values.get(field.name) for field in fields})


def stage_row(entry: Mapping[str, Any], fields: Sequence[Field]) -> Row | None:
    """Return a move to a stage; its name stands behind its number: `3: Customer`."""
    id, contact, at = text(entry.get("id")), text(entry.get("lead_id")), moment(entry.get("date_added"))  # noqa: A001
    if id is None or contact is None or at is None:
        return None
    name = text(entry.get("event_name")) or ""
    at_first, _, rest = name.partition(":")
    stage = rest.strip() if at_first.isdecimal() and rest.strip() else name
    values: dict[str, Value] = {"contact": contact, "stage": stage or text(entry.get("stage_id")), "at": at}
    return Row(id, {field.name: values.get(field.name) for field in fields})


def segment_row(
    entry: Mapping[str, Any], names: Mapping[str | None, str | None], fields: Sequence[Field]
) -> Row | None:
    """Return that somebody came into a segment; `names` are the segments' by their id."""
    contact, segment, at = text(entry.get("lead_id")), text(entry.get("leadlist_id")), moment(entry.get("date_added"))
    if contact is None or segment is None or at is None or boolean(entry.get("manually_removed")):
        return None
    values: dict[str, Value] = {"contact": contact, "segment": names.get(segment) or segment, "at": at}
    return Row(f"{contact}-{segment}-{at:%Y%m%d%H%M%S}", {field.name: values.get(field.name) for field in fields})


def _event_id(event: Mapping[str, Any], kind: str) -> str:
    """Return the event's id, which not all kinds have: then it is made of its content."""
    import orjson

    told = text(event.get("eventId"))
    if told is not None:
        return told if told.startswith(kind) else f"{kind}{told}"
    content = {key: event.get(key) for key in ("event", "contactId", "timestamp", "eventLabel", "details")}
    return kind + hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def _values(record: Mapping[str, Any], own: Mapping[str, Any], fields: Sequence[Field]) -> dict[str, Value]:
    stored = _dict(_dict(record.get("fields")).get("all"))
    return {
        field.name: typed(_split(own[field.name] if field.name in own else stored.get(field.name)), field.type)
        for field in fields
    }


def _common(record: Mapping[str, Any]) -> dict[str, Any]:
    owner = _dict(record.get("owner"))
    names = [name for key in ("firstName", "lastName") if (name := text(owner.get(key)))]
    return {
        "dateAdded": record.get("dateAdded"),
        "dateModified": record.get("dateModified"),
        "dateIdentified": record.get("dateIdentified"),
        "lastActive": record.get("lastActive"),
        "points": record.get("points"),
        "owner": " ".join(names),
    }


def _split(value: Any) -> Any:
    """Take the values of a multiple choice apart: `php|js`."""
    return value.split("|") if isinstance(value, str) and "|" in value else value


def _email(stat: Mapping[str, Any]) -> str | None:
    return text(stat.get("emailName")) or text(stat.get("subject")) or text(stat.get("storedSubject"))


def _channels(entries: Any) -> list[str]:
    told = (text(entry.get("channel")) for entry in _several(entries) if isinstance(entry, dict))
    return sorted({channel for channel in told if channel})


def _name_in(value: Any, key: str) -> str | None:
    return text(_dict(value).get(key))


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _several(value: Any) -> Sequence[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
