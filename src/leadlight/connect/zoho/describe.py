"""What modules and fields an organisation of Zoho CRM has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.protocol import Field, Object, Value
from leadlight.connect.refusals import odd
from leadlight.connect.typed import text, typed
from leadlight.connect.unknown import no_object
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

SYSTEM = "Zoho CRM"
API = "/crm/v8"
MODULES: Mapping[str, str] = {
    "Leads": "Leads",
    "Contacts": "Contacts",
    "Accounts": "Accounts",
    "Deals": "Deals",
    "Calls": "Calls",
    "Events": "Meetings",
    "Tasks": "Tasks",
    "Campaigns": "Campaigns",
}
"""The modules that are described unless others are named; modules of one's own are read just the same."""
ACTIVITIES = frozenset({"Calls", "Events", "Tasks"})
PERSON = "person"
"""A field of ours on activities: the contact they are with, or the lead."""
CONVERSION = ("Converted_Contact", "Converted_Account")
CREATED, CHANGED = "Created_Time", "Modified_Time"
TYPES = {"boolean": Type.BOOL, "date": Type.TIME, "datetime": Type.TIME}
NUMBERS = frozenset({"double", "integer", "decimal", "currency", "percent", "long", "rollup_summary"})
UNREAD = frozenset(
    {"subform", "fileupload", "imageupload", "profileimage", "multiselectlookup", "multiuserlookup", "consent_lookup"}
)
"""Types that are lists of records or files, and no value."""


@dataclass(frozen=True, slots=True)
class Described:
    """A field as Zoho describes it."""

    field: Field
    form: str
    """Zoho's own word for its type: `text`, `picklist`, `double` …"""


def described(http: Http, module: str) -> dict[str, Described]:
    """Return all fields of a module by their API names. Raises RemoteError; NotFoundError where there is no module."""
    try:
        body = http.get(f"{API}/settings/fields", module=module)
    except RemoteError as error:
        if error.trouble == "absent" and module not in MODULES:
            raise no_object("Zoho CRM has no module", module, MODULES) from None
        raise
    listed = body.get("fields") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise odd(SYSTEM, "`fields` of settings/fields is no list")
    fields = {one.field.name: one for raw in listed if isinstance(raw, dict) and (one := _described(raw)) is not None}
    if module in ACTIVITIES:
        fields[PERSON] = Described(Field(PERSON, Type.TEXT, "Lead or contact", writable=False), "")
    return fields


def object_of(module: str, fields: Mapping[str, Described]) -> Object:
    """Return a module as an object."""
    return Object(
        module,
        MODULES.get(module, module),
        tuple(one.field for one in fields.values()),
        created_at=CREATED if CREATED in fields else None,
        modified_at=CHANGED if CHANGED in fields else None,
    )


def value_of(record: Mapping[str, Any], one: Described) -> Value:
    """Return a value of a record: a lookup is the id of what it leads to, tags are their names."""
    if one.field.name == PERSON:
        return person_of(record)
    return typed(_flat(record.get(one.field.name)), one.field.type)


def person_of(record: Mapping[str, Any]) -> str | None:
    """Return the contact of an activity, or the lead it is about."""
    about = record.get("What_Id") if text(record.get("$se_module")) == "Leads" else None
    return text(_flat(record.get("Who_Id"))) or text(_flat(about))


def _described(raw: Mapping[str, Any]) -> Described | None:
    name, form = text(raw.get("api_name")), text(raw.get("data_type")) or ""
    if name is None or form in UNREAD or name == "id":
        return None
    kind = TYPES.get(form, Type.NUMBER if form in NUMBERS else Type.TEXT)
    if form == "formula":
        kind = {"double": Type.NUMBER, "integer": Type.NUMBER, "boolean": Type.BOOL}.get(
            text(raw.get("json_type")) or "", Type.TEXT
        )
    field = Field(
        name,
        kind,
        text(raw.get("display_label")) or text(raw.get("field_label")) or name,
        custom=raw.get("custom_field") is True,
        writable=raw.get("read_only") is not True and raw.get("field_read_only") is not True and form != "formula",
        options=_options(raw.get("pick_list_values")),
    )
    return Described(field, form)


def _options(listed: Any) -> tuple[str, ...]:
    found = [one.get("actual_value") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return tuple(word for one in found if (word := text(one)) and word != "-None-")


def _flat(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("id")
    if isinstance(value, list):
        return [one.get("name") if isinstance(one, dict) else one for one in value]
    return value
