"""What a Mailchimp audience has: members with merge fields, what they did with campaigns, and their orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.mailchimp.api import listed
from leadlight.connect.protocol import Field, Object, only_read
from leadlight.connect.typed import text
from leadlight.connect.unknown import among
from leadlight.expr.types import Type

MEMBERS, ACTIVITY, ORDERS = "members", "activity", "orders"
OBJECTS = (MEMBERS, ACTIVITY, ORDERS)
FIELDS_PAGE = 200
TYPES = {"number": Type.NUMBER, "date": Type.TIME}
"""Of Mailchimp's kinds of merge field; all others are texts."""

_TIME, _TEXT, _NUMBER = Type.TIME, Type.TEXT, Type.NUMBER

OF_MEMBERS = only_read(
    ("email_address", _TEXT, "Email address"),
    ("full_name", _TEXT, "Full name"),
    ("status", _TEXT, "subscribed, unsubscribed, cleaned, pending or transactional"),
    ("unsubscribe_reason", _TEXT, "Why they unsubscribed"),
    ("created_at", _TIME, "Signed up, or else opted in"),
    ("last_changed", _TIME, "Last changed"),
    ("timestamp_opt", _TIME, "Confirmed their opt-in"),
    ("source", _TEXT, "Where they signed up"),
    ("tags", _TEXT, "Tags"),
    ("language", _TEXT, "Language"),
    ("email_client", _TEXT, "Email client"),
    ("country", _TEXT, "Country, by address of the network"),
    ("member_rating", _NUMBER, "Mailchimp's own rating, 1 to 5"),
    ("vip", Type.BOOL, "Marked as VIP"),
)
OF_ACTIVITY = only_read(
    ("member", _TEXT, "Member"),
    ("type", _TEXT, "open, click, bounce or unsubscribe"),
    ("timestamp", _TIME, "When"),
    ("campaign", _TEXT, "Campaign"),
    ("url", _TEXT, "Address that was clicked"),
    ("reason", _TEXT, "Why they unsubscribed, or which bounce"),
)
OF_ORDERS = only_read(
    ("member", _TEXT, "Member"),
    ("processed_at", _TIME, "When it was placed"),
    ("result", _TEXT, "bought or cancelled"),
    ("total", _NUMBER, "Order total"),
    ("currency", _TEXT, "Currency"),
    ("campaign", _TEXT, "Campaign that led to it"),
)


def describe(http: Http, audience: str, objects: Sequence[str] | None) -> list[Object]:
    """Return the objects (or those named) with all their fields. Raises NotFoundError, RemoteError."""
    return [_object(http, audience, name) for name in among("Mailchimp: no object", objects, OBJECTS)]


def merge_fields(http: Http, audience: str) -> list[Field]:
    """Return the merge fields of an audience, by their tags."""
    found: list[Field] = []
    seen = 0
    while True:
        page, total = listed(http, f"/lists/{audience}/merge-fields", "merge_fields", count=FIELDS_PAGE, offset=seen)
        found += [made for one in page if (made := _field(one)) is not None]
        seen += len(page)
        if not page or seen >= total:
            return found


def _object(http: Http, audience: str, name: str) -> Object:
    if name == ACTIVITY:
        return Object(ACTIVITY, "What members did with campaigns", OF_ACTIVITY, created_at="timestamp", deletions=False)
    if name == ORDERS:
        return Object(ORDERS, "Orders of connected shops", OF_ORDERS, created_at="processed_at", whole=True)
    fields = (*OF_MEMBERS, *merge_fields(http, audience))
    return Object(MEMBERS, "Members", fields, created_at="created_at", modified_at="last_changed")


def _field(told: dict[str, Any]) -> Field | None:
    tag = text(told.get("tag"))
    if tag is None:
        return None
    options = told.get("options")
    choices = options.get("choices") if isinstance(options, dict) else None
    values = (text(choice) for choice in choices) if isinstance(choices, list) else ()
    kind = TYPES.get(str(told.get("type")), Type.TEXT)
    return Field(tag, kind, text(told.get("name")) or tag, custom=True, options=tuple(filter(None, values)))
