"""What a Mautic has: contacts, companies, what contacts did, and how their stage moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.mautic.api import FIELDS_PAGE, listed, records
from leadlight.connect.protocol import Field, Object, only_read
from leadlight.connect.typed import text
from leadlight.connect.unknown import among
from leadlight.expr.types import Type

CONTACTS, COMPANIES, ACTIVITY, STAGES, SEGMENTS = "contacts", "companies", "activity", "stage_changes", "segments"
OBJECTS = (CONTACTS, COMPANIES, ACTIVITY, STAGES, SEGMENTS)

TYPES = {"number": Type.NUMBER, "boolean": Type.BOOL, "date": Type.TIME, "datetime": Type.TIME}
"""Of Mautic's kinds of field; all others are texts."""
OPTIONS_MOST = 500

_TIME, _TEXT, _NUMBER = Type.TIME, Type.TEXT, Type.NUMBER

OF_CONTACTS = (
    Field("dateAdded", _TIME, "Date added", writable=False),
    Field("dateModified", _TIME, "Date modified", writable=False),
    Field("dateIdentified", _TIME, "Date identified", writable=False),
    Field("lastActive", _TIME, "Last active", writable=False),
    Field("points", _NUMBER, "Mautic's own points", writable=False),
    Field("owner", _TEXT, "Owner", writable=False),
    Field("stage", _TEXT, "Stage", writable=False),
    Field("tags", _TEXT, "Tags", writable=False),
    Field("do_not_contact", _TEXT, "Channels that may not be used", writable=False),
    Field("utm_source", _TEXT, "Source of the first visit", writable=False),
    Field("utm_medium", _TEXT, "Medium of the first visit", writable=False),
    Field("utm_campaign", _TEXT, "Campaign of the first visit", writable=False),
    Field("company_id", _TEXT, "Primary company", writable=False),
)
OF_COMPANIES = (
    Field("dateAdded", _TIME, "Date added", writable=False),
    Field("dateModified", _TIME, "Date modified", writable=False),
    Field("owner", _TEXT, "Owner", writable=False),
)
OF_ACTIVITY = only_read(
    ("contact", _TEXT, "Contact"),
    ("type", _TEXT, "Kind: page.hit, email.read, email.click, form.submitted …"),
    ("timestamp", _TIME, "When"),
    ("label", _TEXT, "What it is called"),
    ("url", _TEXT, "Address of the page"),
    ("title", _TEXT, "Title of the page"),
    ("referer", _TEXT, "Where the visit came from"),
    ("email", _TEXT, "Email"),
    ("form", _TEXT, "Form"),
    ("asset", _TEXT, "Asset that was downloaded"),
    ("campaign", _TEXT, "Campaign"),
    ("points", _NUMBER, "Points that Mautic gave"),
    ("channel", _TEXT, "Channel that may not be used any more"),
    ("reason", _TEXT, "Why it may not"),
)
OF_STAGES = (
    Field("contact", _TEXT, "Contact", writable=False),
    Field("stage", _TEXT, "Stage that was entered", writable=False),
    Field("at", _TIME, "When", writable=False),
)

OF_SEGMENTS = (
    Field("contact", _TEXT, "Contact", writable=False),
    Field("segment", _TEXT, "Segment that was entered", writable=False),
    Field("at", _TIME, "When", writable=False),
)


def describe(http: Http, objects: Sequence[str] | None) -> list[Object]:
    """Return the objects (or those named) with all their fields. Raises NotFoundError, RemoteError."""
    return [_object(http, name) for name in among("Mautic: no object", objects, OBJECTS)]


def custom(http: Http, kind: str) -> Iterator[Field]:
    """Yield the fields that Mautic lets one edit, custom ones too; `kind` is contact or company."""
    start, total = 0, 1
    while start < total:
        body = listed(http, f"/api/fields/{kind}", (), start=start, limit=FIELDS_PAGE)
        found = records(body, "fields")
        yield from (made for field in found if (made := _field(field)) is not None)
        start += max(len(found), 1)
        told = str(body.get("total"))
        total = int(told) if told.isdecimal() else 0


def _object(http: Http, name: str) -> Object:
    if name == ACTIVITY:
        return Object(ACTIVITY, "Activity", OF_ACTIVITY, created_at="timestamp", deletions=False)
    if name == STAGES:
        return Object(STAGES, "Changes of stage", OF_STAGES, created_at="at", deletions=False)
    if name == SEGMENTS:
        return Object(SEGMENTS, "Who came into which segment", OF_SEGMENTS, created_at="at", deletions=False)
    first = OF_CONTACTS if name == CONTACTS else OF_COMPANIES
    taken = {field.name for field in first}
    kind = "contact" if name == CONTACTS else "company"
    fields = (*first, *(field for field in custom(http, kind) if field.name not in taken))
    title = "Contacts" if name == CONTACTS else "Companies"
    return Object(name, title, fields, created_at="dateAdded", modified_at="dateModified")


def _field(told: dict[str, Any]) -> Field | None:
    name = told.get("alias")
    if not isinstance(name, str) or not name or told.get("isPublished") is False:
        return None
    properties = told.get("properties")
    listed_options = properties.get("list") if isinstance(properties, dict) else None
    options = listed_options if isinstance(listed_options, list) else []
    values = (text(option.get("value")) if isinstance(option, dict) else text(option) for option in options)
    return Field(
        name,
        TYPES.get(str(told.get("type")), Type.TEXT),
        text(told.get("label")) or name,
        custom=told.get("isFixed") is not True,
        history=True,
        options=tuple(value for value in values if value)[:OPTIONS_MOST],
    )
