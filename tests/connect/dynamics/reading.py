"""Dataverse on loopback: what is described, asked for, and told of changes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from connect.dynamics import environment, odata_engine
from connect.dynamics.wire import (
    API,
    EXPIRED,
    FORMATTED,
    LANGUAGE,
    LOOKUP,
    MISSING,
    PAGE_MOST,
    VIRTUAL,
    asked_as,
    beyond,
    error,
    label,
    labelled,
    picked,
    token,
    untoken,
    wired,
)
from connect.stand_in import Call, Record, Reply, route
from connect.stand_in import StandIn as Base
from leadlight.connect.protocol import Value


class Reading(Base):
    """Its half that is asked."""

    tracked: set[str]
    tokens_expired: bool
    may_customize: bool
    may_audit: bool
    last_rows: tuple[Any, list[Mapping[str, Any]]]
    parties: list[tuple[str, str, int]]
    choices: dict[str, list[str]]

    # ---------------------------------------------------------------------------------------------------- describe

    @route("GET", API + "/EntityDefinitions")
    def tables(self, _: Call) -> Reply:
        listed = [
            {**labelled(name), "LogicalName": name, "PrimaryIdAttribute": environment.key_of(name)}
            for name in self.fields
        ]
        return Reply({"value": listed})

    @route("GET", API + "/EntityDefinitions(LogicalName='{table}')")
    def table(self, call: Call) -> Reply:
        name = call.path["table"]
        if name not in self.fields:
            return error(MISSING, f"Could not find an entity with name {name} and id 0.", 404)
        key = environment.key_of(name)
        columns = [self._column(name, key, "Uniqueidentifier")]
        columns += [
            self._column(name, column, environment.own_type(column, kind)) for column, kind in self.fields[name].items()
        ]
        hidden = {**self._column(name, "owneridname", "String"), "AttributeOf": "ownerid"}
        image = self._column(name, "entityimage", "Virtual")
        return Reply(
            {
                **labelled(name),
                "LogicalName": name,
                "EntitySetName": environment.SETS[name],
                "PrimaryIdAttribute": key,
                "ChangeTrackingEnabled": name in self.tracked,
                "IsAuditEnabled": {"Value": True, "CanBeChanged": True},
                "Attributes": [*columns, hidden, image],
            }
        )

    def _column(self, table: str, column: str, own: str) -> dict[str, Any]:
        several = own == "MultiSelect"
        return {
            **labelled(column),
            "LogicalName": column,
            "AttributeType": "Virtual" if several else own,
            "AttributeTypeName": {"Value": "MultiSelectPicklistType" if several else f"{own}Type"},
            "AttributeOf": None,
            "IsCustomAttribute": column.startswith("new_"),
            "IsValidForRead": True,
            "IsValidForUpdate": column not in ("createdon", "modifiedon", environment.key_of(table)),
            "IsAuditEnabled": {"Value": column in environment.AUDITED},
        }

    @route(
        "GET",
        API + "/EntityDefinitions(LogicalName='{table}')/Attributes/Microsoft.Dynamics.CRM.{kind}AttributeMetadata",
    )
    def options(self, call: Call) -> Reply:
        name, kind = call.path["table"], call.path["kind"].removesuffix("Picklist") or "Picklist"
        told = []
        for column, type_ in self.fields[name].items():
            own = environment.own_type(column, type_)
            if own == kind and own in ("Picklist", "State", "MultiSelect"):
                labels = self._labels(name, column)
                options = [{"Value": number, "Label": label(text)} for text, number in labels.items()]
                told.append({"LogicalName": column, "OptionSet": {"Options": options}})
        return Reply({"value": told})

    def _labels(self, table: str, column: str) -> dict[str, int]:
        if column == "statecode":
            return {label: number for number, label in enumerate(environment.STATES[table])}
        return {label: number for number, label in enumerate(self.choices[column], 1)}

    @route("GET", API + "/organizations")
    def organizations(self, _: Call) -> Reply:
        return Reply({"value": [{"organizationid": str(UUID(int=1)), "languagecode": LANGUAGE}]})

    @route("POST", API + "/EntityDefinitions(LogicalName='{table}')/Attributes")
    def make_column(self, call: Call) -> Reply:
        if not self.may_customize:
            return error("0x80040220", "Principal user is missing prvCreateAttribute privilege", 403)
        body, name = call.json(), call.path["table"]
        column = body["SchemaName"].lower()
        kind = {"Decimal": "number", "String": "text", "Memo": "text", "Boolean": "bool", "DateTime": "time"}[
            body["AttributeType"]
        ]
        assert body["@odata.type"] == f"Microsoft.Dynamics.CRM.{body['AttributeType']}AttributeMetadata"
        assert body["DisplayName"]["LocalizedLabels"][0]["LanguageCode"] == LANGUAGE
        if "_" not in column or column in self.fields[name]:
            return error("0x80047013", f"Attribute {column} cannot be made", 400)
        self.new_field(name, column, kind)
        return Reply(None, 204, {"OData-EntityId": f"{self.url}{API}/EntityDefinitions/Attributes"})

    # ------------------------------------------------------------------------------------------------------- query

    @route("GET", API + "/{set}")
    def listed(self, call: Call) -> Reply:
        name = call.path["set"]
        prefer = call.headers.get("prefer", "")
        found = re.search(r"odata\.maxpagesize=(\d+)", prefer)
        size = self.saw_page(min(int(found.group(1)) if found else PAGE_MOST, PAGE_MOST))
        columns = self._columns_of(name)
        if columns is None:
            return error("0x80060888", f"Resource not found for the segment '{name}'.", 404)
        asked = [one for one in call.params.get("$select", "").split(",") if one]
        unknown = [one for one in asked if one not in columns]
        if unknown:
            return error("0x80060888", f"Could not find a property named '{unknown[0]}' on type 'mscrm.{name}'.", 400)
        if "$deltatoken" in call.params or "odata.track-changes" in prefer:
            return self._tracked(call, name, asked, size)
        if name == "audits" and not self.may_audit:
            return error("0x80040220", "Principal user is missing prvReadAuditSummary privilege", 403)
        try:
            where = odata_engine.condition(call.params["$filter"], columns) if "$filter" in call.params else None
            key = self._key(name)
            by = odata_engine.order(call.params.get("$orderby", key), columns)
        except odata_engine.RefusedError as refused:
            return error("0x80060888", str(refused), 400)
        by = by if any(column == key for column, _ in by) else [*by, (key, False)]
        rows = self._rows_of(name, call.params.get("$filter", ""), where, by)
        after = untoken(call.params.get("$skiptoken"))
        if after is not None:
            place = next((at for at, row in enumerate(rows) if beyond(row, by, after)), len(rows))
            rows = rows[place:]
        body: dict[str, Any] = {"value": [picked(row, asked, key) for row in rows[:size]]}
        if len(rows) > size:
            body["@odata.nextLink"] = self._link(
                call, "$skiptoken", token([rows[size - 1].get(column) for column, _ in by])
            )
        return Reply(body)

    def _rows_of(
        self, name: str, told: str, where: odata_engine.Condition | None, by: Sequence[tuple[str, bool]]
    ) -> list[Mapping[str, Any]]:
        """Return the rows that a question is about, in its order; those of the page before where it was the same."""
        asked = (name, told, tuple(by), self._last_order, len(self.parties))
        if self.last_rows[0] != asked:
            rows = [row for row in self._table(name) if where is None or where(row)]
            self.last_rows = asked, odata_engine.ordered(rows, by)
        return self.last_rows[1]

    def _tracked(self, call: Call, name: str, asked: list[str], size: int) -> Reply:
        """Answer with what has changed since a version, and the link to what changes after that."""
        table = next(of for of, set_ in environment.SETS.items() if set_ == name)
        forbidden = [one for one in ("$filter", "$orderby", "$expand", "$top") if one in call.params]
        if forbidden or table not in self.tracked:
            return error(
                "0x80060888", f"The {forbidden} query parameter isn't supported when Change Tracking is enabled.", 400
            )
        if self.tokens_expired and "$deltatoken" in call.params:
            return error(
                EXPIRED, "Version stamp associated with the client has expired. Please perform a full sync.", 400
            )
        since = int(call.params.get("$deltatoken", "0"))
        after, start = untoken(call.params.get("$skiptoken")) or ([False, since], self._last_order)
        records = [one for one in self.changed_since(table, gone=True) if one.order > since and (since or not one.gone)]
        records.sort(key=lambda one: (one.gone, one.order))  # those that were deleted come last
        records = [one for one in records if [one.gone, one.order] > after]
        body: dict[str, Any] = {"value": [self._change(one, name, asked) for one in records[:size]]}
        if len(records) > size:
            last = records[size - 1]
            body["@odata.nextLink"] = self._link(call, "$skiptoken", token([[last.gone, last.order], start]))
        else:
            body["@odata.deltaLink"] = self._link(call, "$deltatoken", str(start))
        return Reply(body)

    def _change(self, one: Record, name: str, asked: list[str]) -> dict[str, Any]:
        if not one.gone:
            return picked(self.wire(one), asked, environment.key_of(one.object))
        return {
            "@odata.context": f"{self.url}{API}/$metadata#{name}/$deletedEntity",
            "id": one.id,
            "reason": "deleted",
        }

    def _link(self, call: Call, name: str, value: str) -> str:
        dropped = {name, "$skiptoken"}
        kept = [(key, one) for key, one in call.query if key not in dropped]
        query = "&".join(f"{key}={quote(one)}" for key, one in [*kept, (name, value)])
        return f"{self.url}{call.url}?{query}"

    def _columns_of(self, name: str) -> dict[str, str] | None:
        """Return what may be asked for of an entity set, with the kinds of literals they are held against."""
        if name in VIRTUAL:
            return VIRTUAL[name]
        table = next((of for of, set_ in environment.SETS.items() if set_ == name), None)
        if table is None:
            return None
        found = {environment.key_of(table): "guid"}
        for column, kind in self.fields[table].items():
            own = environment.own_type(column, kind)
            labelled = own in ("State", "Picklist")
            found[asked_as(column, own)] = "guid" if own in environment.LOOKUPS else "number" if labelled else kind
        return found

    def _key(self, name: str) -> str:
        if name in VIRTUAL:
            return next(iter(VIRTUAL[name]))
        return environment.key_of(next(of for of, set_ in environment.SETS.items() if set_ == name))

    def _table(self, name: str) -> list[Mapping[str, Any]]:
        if name == "audits":
            return self._audits()
        if name == "activityparties":
            return [
                {
                    "activitypartyid": str(UUID(int=number + 1)),
                    "_activityid_value": activity,
                    "_partyid_value": party,
                    f"_partyid_value{LOOKUP}": self._kind(party),
                    "participationtypemask": mask,
                }
                for number, (activity, party, mask) in enumerate(self.parties)
            ]
        table = next(of for of, set_ in environment.SETS.items() if set_ == name)
        return [self.wire(record) for record in self.records[table].values() if not record.gone]

    def _audits(self) -> list[Mapping[str, Any]]:
        told: list[Mapping[str, Any]] = []
        for table, records in self.records.items():
            for record in records.values():
                for number, change in enumerate(record.history):
                    if change.field not in environment.AUDITED or record.gone:
                        continue
                    old, new = (self._audited(table, change.field, value) for value in (change.old, change.new))
                    data = {"changedAttributes": [{"logicalName": change.field, "oldValue": old, "newValue": new}]}
                    told.append(
                        {
                            "auditid": str(UUID(int=(record.order << 32) | number)),
                            "_objectid_value": record.id,
                            "objecttypecode": table,
                            "operation": 2,
                            "createdon": wired(change.at, "createdon"),
                            "changedata": json.dumps(data),
                        }
                    )
        return told

    def _audited(self, table: str, column: str, value: Value) -> str | None:
        own = environment.own_type(column, self.fields[table].get(column, "text"))
        if value is None:
            return None
        if own in ("Picklist", "State"):
            return str(self._labels(table, column)[str(value)])
        if own == "MultiSelect":
            return ",".join(str(self._labels(table, column)[one]) for one in str(value).split(";"))
        if own in environment.LOOKUPS:
            return f"{self._kind(str(value))},{value}"
        if isinstance(value, datetime):
            return value.strftime("%m/%d/%Y %H:%M:%S")
        return str(value)

    def _kind(self, id: str) -> str:  # noqa: A002
        return next((name for name, records in self.records.items() if id in records), "systemuser")

    def wire(self, record: Record) -> dict[str, Any]:
        """Return a record as it goes over the wire."""
        told: dict[str, Any] = {"@odata.etag": f'W/"{record.order}"', environment.key_of(record.object): record.id}
        for column, kind in self.fields[record.object].items():
            own, value = environment.own_type(column, kind), record.values.get(column)
            asked = asked_as(column, own)
            told[asked] = wired(value, column)
            if value is None:
                continue
            if own in ("Picklist", "State"):
                told[asked] = self._number(record.object, column, str(value))
                told[asked + FORMATTED] = value
            elif own == "MultiSelect":
                chosen = str(value).split(";")
                told[asked] = ",".join(str(self._number(record.object, column, one)) for one in chosen)
                told[asked + FORMATTED] = "; ".join(chosen)
            elif own in environment.LOOKUPS:
                told[asked + LOOKUP] = self._kind(str(value))
            elif own == "Integer" and isinstance(value, float):
                told[asked] = int(value)
        return told

    def _number(self, table: str, column: str, label: str) -> int:
        if column != "statecode" and label not in self.choices[column]:
            self.choices[column].append(label)
        return self._labels(table, column)[label]
