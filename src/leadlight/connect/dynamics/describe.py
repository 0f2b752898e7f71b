"""Which tables and columns an environment has: EntityDefinitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leadlight.connect.dynamics import odata
from leadlight.connect.dynamics.derived import derived_of
from leadlight.connect.http import Http
from leadlight.connect.protocol import Field, Object
from leadlight.connect.refusals import odd
from leadlight.errors import NotFoundError, RemoteError, did_you_mean
from leadlight.expr.types import Type

CREATED, MODIFIED, STATE = "createdon", "modifiedon", "statecode"
MERGED, MASTER = "merged", "masterid"
TYPES: Mapping[str, Type] = {
    "String": Type.TEXT,
    "Memo": Type.TEXT,
    "Picklist": Type.TEXT,
    "State": Type.TEXT,
    "Status": Type.TEXT,
    "EntityName": Type.TEXT,
    "Lookup": Type.TEXT,
    "Customer": Type.TEXT,
    "Owner": Type.TEXT,
    "Uniqueidentifier": Type.TEXT,
    "Boolean": Type.BOOL,
    "Integer": Type.NUMBER,
    "BigInt": Type.NUMBER,
    "Decimal": Type.NUMBER,
    "Double": Type.NUMBER,
    "Money": Type.NUMBER,
    "DateTime": Type.TIME,
}
SEVERAL = "MultiSelectPicklistType"
"""Choices of which several may be chosen: their own type is Virtual, like that of what is no value."""
LABELS = frozenset({"Picklist", "State", "Status", SEVERAL})
"""Those whose values are numbers with labels: the labels are read."""
LOOKUPS = frozenset({"Lookup", "Customer", "Owner"})
ABOUT = "LogicalName,EntitySetName,PrimaryIdAttribute,ChangeTrackingEnabled,IsAuditEnabled,DisplayName"
COLUMN = (
    "LogicalName,AttributeType,AttributeTypeName,AttributeOf,DisplayName,IsCustomAttribute,IsValidForRead,"
    "IsValidForUpdate,IsAuditEnabled"
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the environment describes it."""

    object: Object
    set: str
    """What its records are asked for by: `leads`."""
    told: Mapping[str, str]
    """Dataverse's own type of each column."""
    tracked: bool
    """Whether it tells what has changed since a token."""
    audited: frozenset[str]
    """Columns whose changes are in the audit log."""

    def has(self, name: str) -> bool:
        """Say whether there is such a column."""
        return name in self.told

    def asked(self, name: str) -> str:
        """Return what a column is called where it is asked for: lookups have a name of their own."""
        return f"_{name}_value" if self.told.get(name) in LOOKUPS else name

    @property
    def path(self) -> str:
        """Where its records are."""
        return f"{odata.ROOT}/{self.set}"


class Environment:
    """What an environment has, asked for once a run."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._known: dict[str, Table] = {}

    def objects(self, names: Sequence[str] | None) -> Sequence[Object]:
        """Return the tables of these names; all that there are, in brief, for None.

        Raises RemoteError; NotFoundError where there is none of a name.
        """
        if names is not None:
            return [self.table(name).object for name in names]
        told = self._get(f"{odata.ROOT}/EntityDefinitions", {"$select": "LogicalName,DisplayName,PrimaryIdAttribute"})
        return [
            Object(one["LogicalName"], _label(one) or one["LogicalName"], (), id=str(one.get("PrimaryIdAttribute")))
            for one in _dicts(told.get("value"), "the list of tables has no `value`")
            if isinstance(one.get("LogicalName"), str)
        ]

    def table(self, name: str) -> Table:
        """Return a table with all its columns. Raises RemoteError, NotFoundError."""
        if name not in self._known:
            self._known[name] = self._described(name)
        return self._known[name]

    def forget(self, name: str) -> None:
        """Ask anew the next time: its columns have changed."""
        self._known.pop(name, None)

    def labels(self, table: str, kind: str) -> Mapping[str, Mapping[str, str]]:
        """Return the labels of the choices of all columns of a kind (`Picklist`, `State`, `Status`), by number."""
        path = f"{_definition(table)}/Attributes/Microsoft.Dynamics.CRM.{kind}AttributeMetadata"
        told = self._get(path, {"$select": "LogicalName", "$expand": "OptionSet($select=Options)"})
        return {
            str(one.get("LogicalName")): _options(one.get("OptionSet"))
            for one in _dicts(told.get("value"), f"the choices of {table} have no `value`")
        }

    def _described(self, name: str) -> Table:
        try:
            told = self._get(_definition(name), {"$select": ABOUT, "$expand": f"Attributes($select={COLUMN})"})
        except RemoteError as error:
            if error.trouble != "absent":
                raise
            known = did_you_mean(name, [one.name for one in self.objects(None)])
            fix = "Write the table's logical name: Power Apps (make.powerapps.com) > Tables > Properties."
            raise NotFoundError(f"{odata.TITLE} has no table {name!r}: {known}", fix=fix) from None
        return _table(name, told)

    def _get(self, path: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        told = self._http.ask("GET", path, params=params, headers=odata.HEADERS).json()
        if not isinstance(told, dict):
            raise odd(odata.TITLE, "a definition is no object")
        return told


def _definition(table: str) -> str:
    return f"{odata.ROOT}/EntityDefinitions(LogicalName={odata.text(odata.name(table))})"


def _table(name: str, told: Mapping[str, Any]) -> Table:
    raw = [
        one
        for one in _dicts(told.get("Attributes"), f"the definition of {name} has no `Attributes`")
        if isinstance(one.get("LogicalName"), str) and one.get("IsValidForRead") and one.get("AttributeOf") is None
    ]
    types = {one["LogicalName"]: _type(one) for one in raw}
    audited = frozenset(
        one["LogicalName"] for one in raw if _said(told, "IsAuditEnabled") and _said(one, "IsAuditEnabled")
    )
    fields = [_field(one, types[one["LogicalName"]], audited) for one in raw if _kind(types[one["LogicalName"]])]
    entity_set, key = told.get("EntitySetName"), told.get("PrimaryIdAttribute")
    if not isinstance(entity_set, str) or not isinstance(key, str):
        raise odd(odata.TITLE, f"the definition of {name} has no `EntitySetName`")
    names = {field.name for field in fields}
    described = Object(
        name,
        _label(told) or name,
        (*fields, *(one.field for one in derived_of(name))),
        id=key,
        created_at=CREATED if CREATED in names else None,
        modified_at=MODIFIED if MODIFIED in names else None,
        whole=MODIFIED not in names,
    )
    tracked = told.get("ChangeTrackingEnabled") is True
    return Table(described, odata.name(entity_set), types, tracked, audited & names)


def _type(told: Mapping[str, Any]) -> str:
    several = told.get("AttributeTypeName")
    if isinstance(several, Mapping) and several.get("Value") == SEVERAL:
        return SEVERAL
    return str(told.get("AttributeType"))


def _kind(told: str) -> Type | None:
    return Type.TEXT if told == SEVERAL else TYPES.get(told)


def _field(told: Mapping[str, Any], own: str, audited: frozenset[str]) -> Field:
    kind = _kind(own)
    assert kind is not None
    return Field(
        odata.name(told["LogicalName"]),
        kind,
        label=_label(told),
        custom=told.get("IsCustomAttribute") is True,
        history=told["LogicalName"] in audited,
        writable=told.get("IsValidForUpdate") is True and own in WRITABLE,
    )


WRITABLE = frozenset({"String", "Memo", "Boolean", "Integer", "BigInt", "Decimal", "Double", "Money", "DateTime"})
"""Types that are written as they are; a choice's label is not."""


def _label(told: Mapping[str, Any]) -> str:
    shown = told.get("DisplayName")
    label = shown.get("UserLocalizedLabel") if isinstance(shown, Mapping) else None
    return str(label.get("Label") or "") if isinstance(label, Mapping) else ""


def _said(told: Mapping[str, Any], name: str) -> bool:
    """Return a property that may be managed: `{"Value": true, …}`."""
    value = told.get(name)
    return value.get("Value") is True if isinstance(value, Mapping) else value is True


def _options(told: Any) -> Mapping[str, str]:
    found = told.get("Options") if isinstance(told, Mapping) else None
    labels: dict[str, str] = {}
    for one in found if isinstance(found, list) else ():
        shown = one.get("Label") if isinstance(one, Mapping) else None
        if isinstance(shown, Mapping):
            labels[str(one.get("Value"))] = _label({"DisplayName": shown})
    return labels


def _dicts(told: Any, otherwise: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(told, list):
        raise odd(odata.TITLE, otherwise)
    return [one for one in told if isinstance(one, dict)]
