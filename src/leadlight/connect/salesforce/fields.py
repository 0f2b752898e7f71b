"""Fields that take scores: found, or made by the Tooling API and opened to the integration user."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.protocol import Field, PushField, Readied
from leadlight.connect.salesforce import soql
from leadlight.connect.salesforce.describe import Org, Sobject
from leadlight.connect.salesforce.query import Query
from leadlight.connect.salesforce.values import SCALE
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

CUSTOM = "__c"
SHORT_TEXT = 255
"""Characters of a text field; what is longer needs a long one."""
LONG_TEXT = 32_768
LINES = 5
PRECISION = 18
KINDS = {Type.NUMBER: "Number(12, 6)", Type.TEXT: "Text(255)", Type.BOOL: "Checkbox", Type.TIME: "Date/Time"}
"""What a person chooses in Setup."""
DENIED = ("scope", "absent", "invalid", "disabled")


class Fields:
    """Sees that fields of an org are there to be written to."""

    def __init__(self, http: Http, root: str, org: Org, query: Query, permission_set: str) -> None:
        self._http, self._root, self._org, self._query, self._set = http, root, org, query, permission_set

    def ready(self, sobject: Sobject, fields: Sequence[PushField], *, dry: bool) -> Sequence[Readied]:
        """Return what became of each; those that are missing are made, unless `dry`. Raises RemoteError."""
        return [self._readied(sobject, one, dry=dry) for one in fields]

    def _readied(self, sobject: Sobject, field: PushField, *, dry: bool) -> Readied:
        found = _found(sobject, field.name)
        name = found.name if found else api_name(field.name)
        found = found or _found(sobject, name)
        if found is not None:
            return _there(sobject, found, field)
        if dry:
            return Readied(name, "made")
        try:
            self._make(sobject.object.name, name, field)
        except RemoteError as error:
            if error.trouble not in DENIED:
                raise
            return Readied(name, "missing", _by_hand(sobject, name, field))
        self._open(f"{sobject.object.name}.{name}", sobject.object.name)
        self._org.forget(sobject.object.name)
        made = self._org.sobject(sobject.object.name).object.field(name)
        if made is not None and made.writable:
            return Readied(name, "made")
        return Readied(
            name, "missing", "It was made, but nobody may write to it yet. " + _closed(sobject, name, self._set)
        )

    def _make(self, table: str, name: str, field: PushField) -> None:
        body = {"FullName": f"{table}.{name}", "Metadata": _metadata(field)}
        self._http.ask("POST", f"{self._root}/tooling/sobjects/CustomField/", json=body, retry=False)

    def _open(self, field: str, table: str) -> None:
        """Let the permission set read and edit a field that was made: nobody may, at first."""
        try:
            asked = soql.select(["Id"], "PermissionSet", f"Name = {soql.text(self._set)}", limit=1)
            parent = next((one["Id"] for one in self._query.all(asked) if soql.is_id(one.get("Id"))), None)
            if parent is None:
                return
            body = {
                "ParentId": parent,
                "SobjectType": table,
                "Field": field,
                "PermissionsRead": True,
                "PermissionsEdit": True,
            }
            self._http.ask("POST", f"{self._root}/sobjects/FieldPermissions/", json=body, retry=False)
        except RemoteError as error:
            if error.trouble not in DENIED:
                raise


def api_name(name: str) -> str:
    """Return what a field of one's own is called in Salesforce.

    >>> api_name("leadlight_next_step"), api_name("Score__c")
    ('Leadlight_Next_Step__c', 'Score__c')
    """
    if name.endswith(CUSTOM):
        return soql.name(name)
    parts = [part for part in re.split(r"[^A-Za-z0-9]+", name) if part]
    return soql.name("_".join(part[:1].upper() + part[1:] for part in parts) + CUSTOM)


def _found(sobject: Sobject, name: str) -> Field | None:
    """Return the field of a name; Salesforce's names know no case."""
    return next((field for field in sobject.object.fields if field.name.lower() == name.lower()), None)


def _there(sobject: Sobject, found: Field, field: PushField) -> Readied:
    if not found.writable:
        return Readied(found.name, "missing", _closed(sobject, found.name, "Leadlight"))
    if found.type is not field.type:
        where = f"{sobject.object.name}.{found.name}"
        return Readied(
            found.name,
            "missing",
            f"{where} holds {found.type} and not {field.type}: name another field under `push: fields:`.",
        )
    return Readied(found.name, "there")


def _metadata(field: PushField) -> dict[str, Any]:
    told: dict[str, Any] = {"label": field.label[:40], "description": field.description[:1000], "required": False}
    if field.type is Type.NUMBER:
        return told | {"type": "Number", "precision": PRECISION, "scale": SCALE}
    if field.type is Type.BOOL:
        return told | {"type": "Checkbox", "defaultValue": "false"}
    if field.type is Type.TIME:
        return told | {"type": "DateTime"}
    if field.length is not None and field.length <= SHORT_TEXT:
        return told | {"type": "Text", "length": SHORT_TEXT}
    return told | {"type": "LongTextArea", "length": LONG_TEXT, "visibleLines": LINES}


def _by_hand(sobject: Sobject, name: str, field: PushField) -> str:
    long = field.type is Type.TEXT and (field.length is None or field.length > SHORT_TEXT)
    kind = f"Text Area (Long), {LONG_TEXT}" if long else KINDS[field.type]
    return (
        f"Setup > Object Manager > {sobject.object.title} > Fields & Relationships > New: {kind}, "
        f"Field Label {field.label!r}, Field Name {name.removesuffix(CUSTOM)!r}; then give the permission set read and "
        "edit access to it. (Or give the integration user `Customize Application`, and it is made.)"
    )


def _closed(sobject: Sobject, name: str, permission_set: str) -> str:
    return (
        f"Setup > Permission Sets > {permission_set} > Object Settings > {sobject.object.title}: tick Read Access and "
        f"Edit Access of {name}, and assign the set to the integration user."
    )
