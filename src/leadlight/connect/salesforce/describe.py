"""Which objects and fields an org has: `sobjects`, their describes, and which fields keep a history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.protocol import Field, Object
from leadlight.connect.refusals import odd
from leadlight.connect.salesforce import soql
from leadlight.connect.salesforce.derived import derived_of
from leadlight.connect.salesforce.values import type_of
from leadlight.errors import NotFoundError, RemoteError, did_you_mean

ID, CREATED, STAMP = "Id", "CreatedDate", "SystemModstamp"
DELETED, MASTER = "IsDeleted", "MasterRecordId"
CONVERTED, CONVERTED_TO = "IsConverted", "ConvertedContactId"
HISTORIES = "Histories"
"""What the relationship from a record to its field history is called, whatever the object."""


@dataclass(frozen=True, slots=True)
class Log:
    """Where the changes of an object's fields are kept."""

    table: str
    """`LeadHistory`, `OpportunityFieldHistory`, `Visit__History` …"""
    record: str
    """Its field that names the record."""


@dataclass(frozen=True, slots=True)
class Sobject:
    """An object as the org describes it."""

    object: Object
    told: Mapping[str, str]
    """Salesforce's own type of each field."""
    log: Log | None
    replicates: bool
    """Whether the org can list what was deleted."""

    def has(self, name: str) -> bool:
        """Say whether there is such a field."""
        return name in self.told


class Org:
    """What an org has, asked for once a run."""

    def __init__(self, http: Http, root: str) -> None:
        """`root` is `/services/data/v66.0`."""
        self._http, self._root = http, root
        self._names: dict[str, str] | None = None
        self._known: dict[str, Sobject] = {}

    def objects(self, names: Sequence[str] | None) -> Sequence[Object]:
        """Return the objects of these names; all that can be read, in brief, for None.

        Raises RemoteError; NotFoundError where there is none of a name.
        """
        if names is None:
            return [Object(name, title, (), id=ID) for name, title in sorted(self._listed().items())]
        return [self.sobject(name).object for name in names]

    def sobject(self, name: str) -> Sobject:
        """Return an object with all its fields. Raises RemoteError, NotFoundError."""
        if name not in self._known:
            self._known[name] = self._described(name)
        return self._known[name]

    def forget(self, name: str) -> None:
        """Ask anew the next time: its fields have changed."""
        self._known.pop(name, None)

    def _listed(self) -> dict[str, str]:
        if self._names is None:
            told = self._http.get(f"{self._root}/sobjects/")
            found = told.get("sobjects") if isinstance(told, dict) else None
            if not isinstance(found, list):
                raise odd(soql.TITLE, "the list of objects has no `sobjects`")
            self._names = {
                str(one["name"]): str(one.get("label") or one["name"])
                for one in found
                if isinstance(one, dict) and one.get("queryable") and isinstance(one.get("name"), str)
            }
        return self._names

    def _described(self, name: str) -> Sobject:
        try:
            answer = self._http.ask("GET", f"{self._root}/sobjects/{soql.name(name)}/describe/")
        except RemoteError as error:
            if error.trouble != "absent":
                raise
            known = did_you_mean(name, self._listed())
            message = f"{soql.TITLE} has no object {name!r}, or its user may not see it: {known}"
            raise NotFoundError(message, fix="Give the integration user's permission set read access to it.") from None
        told = answer.json()
        if not isinstance(told, dict) or not isinstance(told.get("fields"), list):
            raise odd(soql.TITLE, f"the describe of {name} has no `fields`")
        log = _log(told)
        return _sobject(name, told, log, self._tracked(name) if log else frozenset())

    def _tracked(self, name: str) -> frozenset[str]:
        """Return which fields keep a history; none where we may not know (then nothing is read of the past)."""
        condition = f"EntityDefinition.QualifiedApiName = {soql.text(name)} AND IsFieldHistoryTracked = true"
        query = soql.select(["QualifiedApiName"], "FieldDefinition", condition)
        try:
            told = self._http.get(f"{self._root}/tooling/query/", q=query)
        except RemoteError as error:
            if error.trouble in ("scope", "absent", "invalid", "disabled"):
                return frozenset()
            raise
        records = told.get("records") if isinstance(told, dict) else None
        return frozenset(str(one.get("QualifiedApiName")) for one in records or () if isinstance(one, dict))


def _log(told: Mapping[str, Any]) -> Log | None:
    for one in told.get("childRelationships") or ():
        if isinstance(one, dict) and one.get("relationshipName") == HISTORIES:
            table, record = one.get("childSObject"), one.get("field")
            if isinstance(table, str) and isinstance(record, str):
                return Log(soql.name(table), soql.name(record))
    return None


def _sobject(name: str, told: Mapping[str, Any], log: Log | None, tracked: frozenset[str]) -> Sobject:
    raw = [one for one in told["fields"] if isinstance(one, dict) and isinstance(one.get("name"), str)]
    fields = [field for one in raw if (field := _field(one)) is not None]
    types = {one["name"]: str(one.get("type")) for one in raw}
    fields = [replace(field, history=field.name in tracked) for field in fields]
    names = {field.name for field in fields}
    whole = STAMP not in names and "LastModifiedDate" not in names
    described = Object(
        name,
        str(told.get("label") or name),
        (*fields, *(one.field for one in derived_of(name, names))),
        id=ID,
        created_at=CREATED if CREATED in names else None,
        modified_at=STAMP if STAMP in names else None,
        whole=whole,
        deletions=whole or DELETED in names,
    )
    return Sobject(described, types, log if tracked else None, bool(told.get("replicateable")) and DELETED in names)


def _field(told: Mapping[str, Any]) -> Field | None:
    kind = type_of(str(told.get("type")))
    if kind is None:
        return None
    options = told.get("picklistValues")
    return Field(
        told["name"],
        kind,
        label=str(told.get("label") or ""),
        custom=bool(told.get("custom")),
        writable=bool(told.get("updateable")),
        options=tuple(
            str(one["value"])
            for one in (options if isinstance(options, list) else ())
            if isinstance(one, dict) and one.get("active") and isinstance(one.get("value"), str)
        ),
    )
