"""What a Marketo subscription has: people (leads), their activities, and opportunities by who plays a part in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.marketo.api import PAGE, call, paged, results
from leadlight.connect.protocol import Field, Object, only_read
from leadlight.connect.refusals import odd
from leadlight.connect.typed import text
from leadlight.connect.unknown import among
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

LEADS, ACTIVITIES, OPPORTUNITIES = "leads", "activities", "opportunities"
OBJECTS = (LEADS, ACTIVITIES, OPPORTUNITIES)
TYPES = {
    "boolean": Type.BOOL,
    "date": Type.TIME,
    "datetime": Type.TIME,
    **dict.fromkeys(("integer", "float", "currency", "percent", "score"), Type.NUMBER),
}
"""Of Marketo's types of data; all others are texts."""
UNTRACKED = frozenset({"id", "createdAt", "updatedAt"})
"""Fields whose changes are no data value changes."""

_TIME, _TEXT, _NUMBER, _BOOL = Type.TIME, Type.TEXT, Type.NUMBER, Type.BOOL

OF_ACTIVITIES = only_read(
    ("lead", _TEXT, "Person"),
    ("type", _TEXT, "Kind: visit_webpage, fill_out_form, click_email, open_email …"),
    ("at", _TIME, "When"),
    ("asset", _TEXT, "Page, form, email or program"),
    ("url", _TEXT, "Address of the page"),
    ("link", _TEXT, "Link that was clicked"),
    ("referrer", _TEXT, "Where the visit came from"),
    ("status", _TEXT, "Status in the program"),
    ("reason", _TEXT, "Why"),
    ("description", _TEXT, "Description"),
)
OF_OPPORTUNITIES = only_read(
    ("lead", _TEXT, "Person"),
    ("opportunity", _TEXT, "Opportunity's id outside Marketo"),
    ("name", _TEXT, "Name"),
    ("role", _TEXT, "The person's part in it"),
    ("stage", _TEXT, "Stage"),
    ("result", _TEXT, "won, lost or open"),
    ("is_closed", _BOOL, "Closed"),
    ("close_date", _TIME, "Close date"),
    ("amount", _NUMBER, "Amount"),
    ("created_at", _TIME, "Created"),
    ("updated_at", _TIME, "Updated"),
)


def describe(http: Http, objects: Sequence[str] | None) -> list[Object]:
    """Return the objects (or those named) with all their fields. Raises NotFoundError, RemoteError."""
    return [_object(http, name) for name in among("Marketo: no object", objects, OBJECTS)]


def lead_fields(http: Http) -> dict[str, Field]:
    """Return the fields of people, by the names that the REST API has for them."""
    described = results(call(http, "GET", "/rest/v1/leads/describe2.json"))
    told = described[0].get("fields") if described else None
    if not isinstance(told, list):
        raise odd("Marketo", "describe2 names no fields")
    custom = _custom(http)
    found = [made for one in told if isinstance(one, dict) and (made := _field(one, custom)) is not None]
    return {field.name: field for field in found}


def _custom(http: Http) -> frozenset[str]:
    """Return which fields are custom; none where this user may not see the schema."""
    try:
        pages = list(paged(http, "/rest/v1/leads/schema/fields.json", batchSize=PAGE))
    except RemoteError as error:
        if error.trouble not in ("scope", "absent"):
            raise
        return frozenset()
    return frozenset(str(one.get("name")) for page in pages for one in page if one.get("isCustom") is True)


def _object(http: Http, name: str) -> Object:
    if name == ACTIVITIES:
        return Object(ACTIVITIES, "Activities", OF_ACTIVITIES, created_at="at", deletions=False)
    if name == OPPORTUNITIES:
        return Object(
            OPPORTUNITIES,
            "Opportunities, by person",
            OF_OPPORTUNITIES,
            created_at="created_at",
            modified_at="updated_at",
            deletions=False,
        )
    fields = tuple(lead_fields(http).values())
    return Object(LEADS, "People", fields, created_at="createdAt", modified_at="updatedAt")


def _field(told: dict[str, Any], custom: frozenset[str]) -> Field | None:
    name = text(told.get("name"))
    if name is None or told.get("isHidden") is True:
        return None
    updateable = told.get("updateable") is not False
    return Field(
        name,
        TYPES.get(str(told.get("dataType")), Type.TEXT),
        text(told.get("displayName")) or name,
        custom=name in custom,
        history=name not in UNTRACKED,
        writable=updateable,
    )
