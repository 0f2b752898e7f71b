"""Columns that take scores: found, or made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.connect.dynamics import odata
from leadlight.connect.dynamics.describe import Environment, Table
from leadlight.connect.dynamics.values import DECIMALS
from leadlight.connect.http import Http
from leadlight.connect.protocol import Field, PushField, Readied
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

TEXT_MOST = 4000
"""Characters of a single line of text; what is longer is several lines."""
MEMO_MOST = 32_768
RANGE = 100_000_000_000
ENGLISH = 1033
KINDS = {Type.NUMBER: "Decimal", Type.TEXT: "Single line of text", Type.BOOL: "Yes/No", Type.TIME: "Date and time"}
"""What a person chooses in Power Apps."""
DENIED = ("scope", "absent", "invalid", "disabled")


class Columns:
    """Sees that columns are there to be written to."""

    def __init__(self, http: Http, environment: Environment, prefix: str) -> None:
        self._http, self._environment, self._prefix = http, environment, prefix
        self._language: int | None = None

    def ready(self, table: Table, fields: Sequence[PushField], *, dry: bool) -> Sequence[Readied]:
        """Return what became of each; those that are missing are made, unless `dry`. Raises RemoteError."""
        return [self._readied(table, one, dry=dry) for one in fields]

    def _readied(self, table: Table, field: PushField, *, dry: bool) -> Readied:
        own = field.name.lower()
        name = own if own.startswith(f"{self._prefix}_") else f"{self._prefix}_{own}"
        found = table.object.field(own) or table.object.field(name)
        if found is not None:
            return _there(table, found, field)
        if dry:
            return Readied(name, "made")
        try:
            self._make(table.object.name, odata.name(name), field)
        except RemoteError as error:
            if error.trouble not in DENIED:
                raise
            return Readied(name, "missing", _by_hand(table, name, field))
        self._environment.forget(table.object.name)
        return Readied(name, "made")

    def _make(self, table: str, name: str, field: PushField) -> None:
        path = f"{odata.ROOT}/EntityDefinitions(LogicalName={odata.text(table)})/Attributes"
        self._http.ask("POST", path, json=self._definition(name, field), headers=odata.HEADERS, retry=False)

    def _definition(self, name: str, field: PushField) -> dict[str, Any]:
        told: dict[str, Any] = {
            "SchemaName": name,
            "DisplayName": self._label(field.label),
            "Description": self._label(field.description),
            "RequiredLevel": {"Value": "None"},
        }
        return {**told, **self._kind(field)}

    def _kind(self, field: PushField) -> dict[str, Any]:
        if field.type is Type.NUMBER:
            return {**_own("Decimal"), "Precision": DECIMALS, "MinValue": -RANGE, "MaxValue": RANGE}
        if field.type is Type.TIME:
            return {**_own("DateTime"), "Format": "DateAndTime"}
        if field.type is Type.BOOL:
            options = {"TrueOption": {"Value": 1, "Label": self._label("Yes")}}
            options |= {"FalseOption": {"Value": 0, "Label": self._label("No")}}
            return {**_own("Boolean"), "DefaultValue": False, "OptionSet": {**options, "OptionSetType": "Boolean"}}
        if field.length is not None and field.length <= TEXT_MOST:
            return {**_own("String"), "FormatName": {"Value": "Text"}, "MaxLength": field.length}
        return {**_own("Memo"), "Format": "TextArea", "MaxLength": MEMO_MOST}

    def _label(self, text: str) -> dict[str, Any]:
        if self._language is None:
            self._language = self._base_language()
        one = {"@odata.type": "Microsoft.Dynamics.CRM.LocalizedLabel", "Label": text, "LanguageCode": self._language}
        return {"@odata.type": "Microsoft.Dynamics.CRM.Label", "LocalizedLabels": [one]}

    def _base_language(self) -> int:
        """Return the language that labels have to be in."""
        told = self._http.ask(
            "GET", f"{odata.ROOT}/organizations", params={"$select": "languagecode"}, headers=odata.HEADERS
        ).json()
        found = told.get("value") if isinstance(told, dict) else None
        code = (
            found[0].get("languagecode") if isinstance(found, list) and found and isinstance(found[0], dict) else None
        )
        return code if isinstance(code, int) else ENGLISH


def _own(kind: str) -> dict[str, Any]:
    return {
        "@odata.type": f"Microsoft.Dynamics.CRM.{kind}AttributeMetadata",
        "AttributeType": kind,
        "AttributeTypeName": {"Value": f"{kind}Type"},
    }


def _there(table: Table, found: Field, field: PushField) -> Readied:
    if found.writable and found.type is field.type:
        return Readied(found.name, "there")
    why = f"holds {found.type} and not {field.type}" if found.writable else "cannot be written to"
    todo = f"{table.object.name}.{found.name} {why}: name another column under `push: fields:`."
    return Readied(found.name, "missing", todo)


def _by_hand(table: Table, name: str, field: PushField) -> str:
    long = field.type is Type.TEXT and (field.length is None or field.length > TEXT_MOST)
    kind = "Multiple lines of text" if long else KINDS[field.type]
    return (
        f"Power Apps (make.powerapps.com) > Tables > {table.object.title} > Columns > New column: {kind}, "
        f"Display name {field.label!r}, Schema name {name!r}. (Or give the application user the role System "
        "Customizer, and it is made.)"
    )
