"""What an account of ActiveCampaign has: the fields of everybody, and its own by their personalization tags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leadlight.connect.activecampaign.way import Asker
from leadlight.connect.protocol import Field, Object
from leadlight.connect.refusals import odd
from leadlight.connect.typed import text
from leadlight.connect.unknown import no_object
from leadlight.expr.types import Type

SYSTEM = "ActiveCampaign"
PAGE = 100
FIELDS_MOST = 5_000
TYPES = {"number": Type.NUMBER, "currency": Type.NUMBER, "date": Type.TIME, "datetime": Type.TIME}


@dataclass(frozen=True, slots=True)
class Kind:
    """An object, and how ActiveCampaign gives it."""

    name: str
    title: str
    fields: tuple[Field, ...]
    created: str | None
    changed: str | None
    described: tuple[str, str] | None = None
    """Where its custom fields are described, and under which key."""
    deletions: bool = True


@dataclass(frozen=True, slots=True)
class Described:
    """A field as ActiveCampaign describes it."""

    field: Field
    number: str | None = None
    """The number of a custom field."""
    form: str = ""
    """ActiveCampaign's own word for its type."""


def _field(name: str, kind: Type = Type.TEXT, label: str = "") -> Field:
    return Field(name, kind, label or name, writable=False)


CONTACTS = Kind(
    "contacts",
    "Contacts",
    (
        _field("email", label="E-mail"),
        _field("firstName", label="First name"),
        _field("lastName", label="Last name"),
        _field("phone", label="Phone"),
        _field("account", label="Account"),
        _field("tags", label="Tags"),
        _field("sentcnt", Type.NUMBER, "E-mails sent"),
        _field("bounced_hard", Type.NUMBER, "Hard bounces"),
        _field("bounced_soft", Type.NUMBER, "Soft bounces"),
        _field("anonymized", Type.BOOL, "Anonymized"),
        _field("cdate", Type.TIME, "Created"),
        _field("udate", Type.TIME, "Last changed"),
    ),
    created="cdate",
    changed="udate",
    described=("fields", "fields"),
)
ACCOUNTS = Kind(
    "accounts",
    "Accounts",
    (
        _field("name", label="Name"),
        _field("accountUrl", label="Website"),
        _field("owner", label="Owner"),
        _field("createdTimestamp", Type.TIME, "Created"),
        _field("updatedTimestamp", Type.TIME, "Last changed"),
    ),
    created="createdTimestamp",
    changed="updatedTimestamp",
    described=("accountCustomFieldMeta", "accountCustomFieldMeta"),
)
DEALS = Kind(
    "deals",
    "Deals",
    (
        _field("title", label="Title"),
        _field("status", label="Status (open, won, lost)"),
        _field("value", Type.NUMBER, "Value, in whole units of the currency"),
        _field("currency", label="Currency"),
        _field("contact", label="Primary contact"),
        _field("account", label="Account"),
        _field("stage", label="Stage"),
        _field("pipeline", label="Pipeline"),
        _field("owner", label="Owner"),
        _field("percent", Type.NUMBER, "Percent"),
        _field("closed", Type.TIME, "Won or lost at"),
        _field("cdate", Type.TIME, "Created"),
        _field("mdate", Type.TIME, "Last changed"),
    ),
    created="cdate",
    changed="mdate",
    described=("dealCustomFieldMeta", "dealCustomFieldMeta"),
)
ACTIVITIES = Kind(
    "activities",
    "Activities of contacts",
    (
        _field("contact", label="Contact"),
        _field("kind", label="What happened (email_open, email_sent …)"),
        _field("reference_type", label="Reference type"),
        _field("reference_action", label="Reference action"),
        _field("reference_id", label="Reference"),
        _field("tstamp", Type.TIME, "When"),
    ),
    created="tstamp",
    changed=None,
    deletions=False,
)
KINDS = {kind.name: kind for kind in (CONTACTS, ACCOUNTS, DEALS, ACTIVITIES)}


def kind_of(name: str) -> Kind:
    """Return an object by its name. Raises NotFoundError."""
    if name not in KINDS:
        raise no_object("ActiveCampaign has no object", name, KINDS)
    return KINDS[name]


def described(asker: Asker, kind: Kind) -> dict[str, Described]:
    """Return all fields of an object by their names. Raises RemoteError."""
    fields = {field.name: Described(field) for field in kind.fields}
    if kind.described is None:
        return fields
    for raw in walked(asker, *kind.described, most=FIELDS_MOST):
        number, title = text(raw.get("id")), text(raw.get("title")) or text(raw.get("fieldLabel"))
        name = slug(text(raw.get("perstag")) or text(raw.get("personalization")) or title or "")
        if number is None or not name:
            continue
        form = text(raw.get("type")) or text(raw.get("fieldType")) or ""
        own = name if name not in fields else f"{name}_{number}"
        fields[own] = Described(Field(own, TYPES.get(form, Type.TEXT), title or own, custom=True), number, form)
    return fields


def object_of(kind: Kind, fields: Mapping[str, Described]) -> Object:
    """Return an object with its fields."""
    listed = tuple(one.field for one in fields.values())
    return Object(
        kind.name, kind.title, listed, created_at=kind.created, modified_at=kind.changed, deletions=kind.deletions
    )


def slug(name: str) -> str:
    """Return a tag or title as one writes it in YAML.

    >>> slug("%JOB_TITLE%"), slug("Job title")
    ('job_title', 'job_title')
    """
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")


def walked(
    asker: Asker, path: str, key: str, params: Mapping[str, Any] | None = None, *, most: int | None = None
) -> Iterator[Mapping[str, Any]]:
    """Yield all records of a list, page after page by offset. Raises RemoteError."""
    offset = 0
    while most is None or offset < most:
        body = asker.get(path, {"limit": PAGE, "offset": offset, **(params or {})}).json()
        found = items(body, key)
        yield from found
        if not more(body, offset, len(found)):
            return
        offset += len(found)


def items(body: Any, key: str) -> list[Mapping[str, Any]]:
    """Return the records of an answer. Raises RemoteError."""
    found = body.get(key) if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise odd(SYSTEM, f"`{key}` is no list of records")
    return found


def beside(body: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return records that are sent along with others; none where there are none."""
    found = body.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def more(body: Any, offset: int, count: int) -> bool:
    """Say whether a list goes on after a page of so many records (ActiveCampaign writes numbers as texts)."""
    meta = body.get("meta") if isinstance(body, dict) else None
    told = text(meta.get("total")) if isinstance(meta, dict) else None
    if count == 0:
        return False
    return offset + count < int(told) if told is not None and told.isdecimal() else count >= PAGE
