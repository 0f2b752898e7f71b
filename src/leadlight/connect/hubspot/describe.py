"""What there is: HubSpot's own objects, the account's custom ones, and two kinds of events; fields are properties."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadlight.connect.hubspot import api
from leadlight.connect.hubspot.values import TYPES
from leadlight.connect.protocol import Field, Object
from leadlight.connect.unknown import no_object
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

if TYPE_CHECKING:
    from leadlight.connect.http import Http

CREATED, MODIFIED = "hs_createdate", "hs_lastmodifieddate"
STANDARD = {
    "contacts": "Contacts",
    "companies": "Companies",
    "deals": "Deals",
    "leads": "Leads",
    "tickets": "Tickets",
    "calls": "Calls",
    "meetings": "Meetings",
    "emails": "E-mails of sales",
    "notes": "Notes",
    "tasks": "Tasks",
}
ACTIVITIES = ("calls", "meetings", "emails", "notes", "tasks")
TYPE_IDS = {
    "0-1": "contacts",
    "0-2": "companies",
    "0-3": "deals",
    "0-5": "tickets",
    "0-27": "tasks",
    "0-46": "notes",
    "0-47": "meetings",
    "0-48": "calls",
    "0-49": "emails",
    "0-136": "leads",
}
"""What webhooks call the objects."""

CUSTOM = re.compile(r"p\d{1,20}_\w{1,100}|2-\d{1,20}")
"""Names of the account's own objects."""

OUTCOME = "outcome"
CLOSED, WON = "hs_is_closed", "hs_is_closed_won"
CONTACT, CONTACTS, COMPANY = "contact", "contacts", "company"
LINKS = {CONTACT: "contacts", CONTACTS: "contacts", COMPANY: "companies"}
"""Fields that are no properties: what a record goes with, by the object that is."""
UNREMEMBERED = {"lastmodifieddate", MODIFIED, "hs_object_id", "hs_all_owner_ids"}
"""Properties whose history says nothing that is not said otherwise."""

EMAIL_EVENTS = Object(
    "email_events",
    "Events of marketing e-mails",
    (
        Field("event", Type.TEXT, "email_ and its type: email_open, email_click, email_bounce …", writable=False),
        Field("type", Type.TEXT, "Type, as HubSpot writes it", writable=False),
        Field("created", Type.TIME, "When it happened", writable=False),
        Field(CONTACT, Type.TEXT, "The contact with the recipient's address", writable=False),
        Field("recipient", Type.TEXT, "Address of the recipient", writable=False),
        Field("subject", Type.TEXT, "Subject, where the event tells it", writable=False),
        Field("url", Type.TEXT, "Address that was clicked", writable=False),
        Field("campaign", Type.TEXT, "Campaign of the e-mail", writable=False),
        Field("app", Type.TEXT, "What sent it", writable=False),
        Field("filtered", Type.BOOL, "HubSpot takes it for a machine's doing", writable=False),
    ),
    created_at="created",
    deletions=False,
)
FORM_SUBMISSIONS = Object(
    "form_submissions",
    "Submissions of forms",
    (
        Field("form", Type.TEXT, "Number of the form", writable=False),
        Field("form_name", Type.TEXT, "Name of the form", writable=False),
        Field("submitted_at", Type.TIME, "When it was sent", writable=False),
        Field(CONTACT, Type.TEXT, "The contact with the address in it", writable=False),
        Field("email", Type.TEXT, "Address in it", writable=False),
        Field("page", Type.TEXT, "Address of the page", writable=False),
    ),
    created_at="submitted_at",
    deletions=False,
)
EVENTS = {one.name: one for one in (EMAIL_EVENTS, FORM_SUBMISSIONS)}


@dataclass(slots=True)
class Catalog:
    """The account's objects, each asked for once."""

    http: Http
    _found: dict[str, Object]
    _custom: dict[str, str] | None = None
    _blind: bool = False
    """Whether the key may not list the account's own objects."""

    def objects(self, names: Sequence[str] | None) -> list[Object]:
        """Return the objects of these names; all that the key may see where none are named. Raises RemoteError."""
        if names is not None:
            return [self.object(name) for name in names]
        found = []
        for name in (*STANDARD, *self._customs()):
            try:
                found.append(self.object(name))
            except RemoteError as error:
                if error.trouble not in ("scope", "disabled", "absent", "invalid"):
                    raise
        return [*found, *EVENTS.values()]

    def object(self, name: str) -> Object:
        """Return an object with all its fields. Raises RemoteError; NotFoundError where there is none."""
        if name in EVENTS:
            return EVENTS[name]
        if name not in self._found:
            title = STANDARD.get(name) or self._customs().get(name)
            if title is None and self._blind and CUSTOM.fullmatch(name):
                title = name  # it may well be there, though the key may not list them
            if title is None:
                known = (*STANDARD, *EVENTS, *self._customs())
                raise no_object("HubSpot has no object", name, known)
            body = self.http.get(api.properties(name), archived="false")
            self._found[name] = _object(name, title, [one for one in api.results(body) if not one.get("archived")])
        return self._found[name]

    def forget(self, name: str) -> None:
        """Ask again for an object's fields the next time: some were made."""
        self._found.pop(name, None)

    def _customs(self) -> dict[str, str]:
        """Return the account's own objects by their full names; none where the key may not see them."""
        if self._custom is None:
            try:
                schemas = api.results(self.http.get(api.SCHEMAS))
            except RemoteError as error:
                if error.trouble not in ("scope", "disabled", "absent"):
                    raise
                schemas, self._blind = [], True
            self._custom = {
                name: _title(schema, name)
                for schema in schemas
                if isinstance(name := schema.get("fullyQualifiedName"), str) and name
            }
        return self._custom


def catalog(http: Http) -> Catalog:
    """Return the account's objects, of which none is known yet."""
    return Catalog(http, {})


def is_record(name: str) -> bool:
    """Say whether an object is one of records, unlike those of events."""
    return name not in EVENTS


def _title(schema: dict[str, Any], name: str) -> str:
    labels = schema.get("labels")
    plural = labels.get("plural") if isinstance(labels, dict) else None
    return plural if isinstance(plural, str) and plural else name


def _object(name: str, title: str, found: list[dict[str, Any]]) -> Object:
    fields = {
        one["name"]: _field(one, history=name not in ACTIVITIES)
        for one in found
        if isinstance(one.get("name"), str) and one["name"]
    }
    for extra in _extra(name):
        fields.setdefault(extra.name, extra)
    created = next((one for one in ("createdate", CREATED) if one in fields), CREATED)
    modified = "lastmodifieddate" if name == "contacts" else MODIFIED
    for when in (created, modified):  # they are always there, whether or not the list of properties shows them
        fields.setdefault(when, Field(when, Type.TIME, writable=False))
    return Object(name, title, tuple(fields.values()), created_at=created, modified_at=modified)


def _field(found: dict[str, Any], *, history: bool) -> Field:
    name, label = str(found["name"]), found.get("label")
    rights = found.get("modificationMetadata")
    fixed = found.get("calculated") is True or (isinstance(rights, dict) and rights.get("readOnlyValue") is True)
    options = tuple(one["value"] for one in api.dicts(found.get("options")) if isinstance(one.get("value"), str))
    return Field(
        name,
        TYPES.get(str(found.get("type")), Type.TEXT),
        label if isinstance(label, str) else "",
        custom=found.get("hubspotDefined") is not True,
        history=history and name not in UNREMEMBERED,
        writable=not fixed,
        options=options,
    )


def _extra(name: str) -> list[Field]:
    if name in ("contacts", "companies"):
        return []
    extra = [
        Field(CONTACT, Type.TEXT, "The first contact it goes with", writable=False),
        Field(CONTACTS, Type.TEXT, "All contacts it goes with", writable=False),
        Field(COMPANY, Type.TEXT, "The (primary) company it goes with", writable=False),
    ]
    if name == "deals":
        label = "won or lost, where it is closed, in whatever pipeline"
        extra.append(Field(OUTCOME, Type.TEXT, label, writable=False, history=True, options=("won", "lost")))
    return extra
