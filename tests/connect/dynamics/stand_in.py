"""Dataverse on loopback, written from the published reference of its Web API: Entra tokens, OData, change tracking."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from connect.dynamics import environment, odata_engine
from connect.stand_in import RETRY_AFTER, Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base
from leadlight.connect.protocol import Value

API = "/api/data/v9.2"
PAGE_MOST = 5000
LANGUAGE = 1031
FORMATTED = "@OData.Community.Display.V1.FormattedValue"
LOOKUP = "@Microsoft.Dynamics.CRM.lookuplogicalname"
MISSING, DUPLICATE, EXPIRED = "0x80040217", "0x80040237", "0x80044352"


class StandIn(Base):
    system = "dynamics"
    people = Kind("lead", text="jobtitle", number="numberofemployees", history="jobtitle", more={"lastname": "Doe"})
    accounts = Kind("account", text="name", number="numberofemployees", history="name")
    deals = Kind("opportunity", text="name", number="estimatedvalue")
    events = Kind("phonecall", text="subject", writes=False)
    secrets: Mapping[str, str] = {
        "client_id": "11111111-2222-3333-4444-555555555555",
        "client_secret": "stand-in~client~secret",
    }
    lacks: Mapping[str, str] = {"webhook": "Dataverse sends a fixed key and signs no content (see test_dynamics.py)"}
    words: Mapping[str, str] = {
        "sign_in": "App registrations",
        "scope": "Security roles",
        "disabled": "Power Platform admin center",
        "absent": "make.powerapps.com",
    }

    # ------------------------------------------------------------------------------------------ what vendors say

    def schema(self) -> Schema:
        return {name: dict(columns) for name, columns in environment.SCHEMA.items()}

    def settings(self) -> dict[str, Any]:
        return {"url": self.url, "tenant": "contoso.onmicrosoft.com", "login": self.url}

    def reset(self) -> None:
        super().reset()
        self.tracked = set(environment.TRACKED)
        self.tokens_expired = False
        """Whether tokens of change tracking have run out."""
        self.may_customize = self.may_audit = self.updates_multiple = True
        self.parties: list[tuple[str, str, int]] = []
        """Who took part: activity, party, participationtypemask."""
        self.choices = {name: list(labels) for name, labels in environment.CHOICES.items()}
        self._tokens_given = 0

    def authorised(self, call: Call) -> Reply | None:
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens or self.revoked:
            return Reply(b"", 401, {"WWW-Authenticate": "Bearer"})
        if self.scope_missing:
            return _error("0x80040220", "Principal user (Id=1, type=2) is missing prvReadLead privilege", 403)
        if self.disabled:
            return _error("0x8004A112", "The environment is in administration mode.", 403)
        if call.headers.get("odata-version") != "4.0":
            return _error("0x0", "OData-Version is missing", 400)
        return None

    def too_many(self) -> Reply:
        message = "Number of requests exceeded the limit of 6000 over time window of 300 seconds."
        return Reply(_error("0x80072322", message, 429).body, 429, {"Retry-After": str(RETRY_AFTER)})

    def new_id(self, name: str, number: int) -> str:
        kind = sorted(environment.SETS).index(name)
        return str(UUID(int=(0x60C4E274 << 96) | (0x4D87 << 64) | (0x8 << 60) | (kind << 40) | number))

    def custom_name(self, name: str) -> str:
        return f"new_{name}"

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002, ARG002
        values["modifiedon"] = at
        for column, value in (("createdon", at), ("statecode", environment.STATES.get(name, [None])[0])):
            if column in values and values[column] is None:
                values[column] = value
        for column, kind in self.fields[name].items():
            if kind == "bool" and values.get(column) is None:
                values[column] = False

    # ------------------------------------------------------------------------------------------- the system's life

    def merge(self, name: str, loser: str, winner: str) -> str:
        state = {} if name == "lead" else {"statecode": "Inactive"}
        self.edit(name, loser, merged=True, masterid=winner, **state)
        self.edit(name, winner)
        return winner

    def convert(self, name: str, id: str) -> str:  # noqa: A002
        lead = self.held(name, id).values
        kept = {key: lead.get(key) for key in ("emailaddress1", "firstname", "lastname", "jobtitle")}
        contact = self.add("contact", originatingleadid=id, **kept)
        self.edit(name, id, statecode="Qualified")
        return contact

    # ----------------------------------------------------------------------------------------------------- sign-in

    @route("POST", "/{tenant}/oauth2/v2.0/token", open=True)
    def token(self, call: Call) -> Reply:
        form = call.form()
        if form.get("grant_type") != "client_credentials" or form.get("scope") != f"{self.url}/.default":
            return _refused("AADSTS500011: The resource principal was not found in the tenant.")
        if form.get("client_id") != self.secrets["client_id"]:
            return _refused("AADSTS700016: Application with identifier 'x' was not found in the directory 'Contoso'.")
        if form.get("client_secret") != self.secrets["client_secret"]:
            return _refused("AADSTS7000215: Invalid client secret provided.")
        if self.revoked:
            return _refused("AADSTS7000222: The provided client secret keys for app 'x' are expired.")
        self._tokens_given += 1
        token = f"eyJ0-stand-in-access-token-{self._tokens_given}"
        self.tokens.add(token)
        return Reply({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token})

    # ---------------------------------------------------------------------------------------------------- describe

    @route("GET", API + "/EntityDefinitions")
    def tables(self, _: Call) -> Reply:
        listed = [
            {**_labelled(name), "LogicalName": name, "PrimaryIdAttribute": environment.key_of(name)}
            for name in self.fields
        ]
        return Reply({"value": listed})

    @route("GET", API + "/EntityDefinitions(LogicalName='{table}')")
    def table(self, call: Call) -> Reply:
        name = call.path["table"]
        if name not in self.fields:
            return _error(MISSING, f"Could not find an entity with name {name} and id 0.", 404)
        key = environment.key_of(name)
        columns = [self._column(name, key, "Uniqueidentifier")]
        columns += [
            self._column(name, column, environment.own_type(column, kind)) for column, kind in self.fields[name].items()
        ]
        hidden = {**self._column(name, "owneridname", "String"), "AttributeOf": "ownerid"}
        image = self._column(name, "entityimage", "Virtual")
        return Reply(
            {
                **_labelled(name),
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
            **_labelled(column),
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
                options = [{"Value": number, "Label": _label(text)} for text, number in labels.items()]
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
            return _error("0x80040220", "Principal user is missing prvCreateAttribute privilege", 403)
        body, name = call.json(), call.path["table"]
        column = body["SchemaName"].lower()
        kind = {"Decimal": "number", "String": "text", "Memo": "text", "Boolean": "bool", "DateTime": "time"}[
            body["AttributeType"]
        ]
        assert body["@odata.type"] == f"Microsoft.Dynamics.CRM.{body['AttributeType']}AttributeMetadata"
        assert body["DisplayName"]["LocalizedLabels"][0]["LanguageCode"] == LANGUAGE
        if "_" not in column or column in self.fields[name]:
            return _error("0x80047013", f"Attribute {column} cannot be made", 400)
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
            return _error("0x80060888", f"Resource not found for the segment '{name}'.", 404)
        asked = [one for one in call.params.get("$select", "").split(",") if one]
        unknown = [one for one in asked if one not in columns]
        if unknown:
            return _error("0x80060888", f"Could not find a property named '{unknown[0]}' on type 'mscrm.{name}'.", 400)
        if "$deltatoken" in call.params or "odata.track-changes" in prefer:
            return self._tracked(call, name, asked, size)
        if name == "audits" and not self.may_audit:
            return _error("0x80040220", "Principal user is missing prvReadAuditSummary privilege", 403)
        try:
            where = odata_engine.condition(call.params["$filter"], columns) if "$filter" in call.params else None
            key = self._key(name)
            by = odata_engine.order(call.params.get("$orderby", key), columns)
        except odata_engine.RefusedError as refused:
            return _error("0x80060888", str(refused), 400)
        by = by if any(column == key for column, _ in by) else [*by, (key, False)]
        rows = odata_engine.ordered([row for row in self._table(name) if where is None or where(row)], by)
        after = _untoken(call.params.get("$skiptoken"))
        if after is not None:
            place = next((at for at, row in enumerate(rows) if _beyond(row, by, after)), len(rows))
            rows = rows[place:]
        body: dict[str, Any] = {"value": [_picked(row, asked, key) for row in rows[:size]]}
        if len(rows) > size:
            body["@odata.nextLink"] = self._link(
                call, "$skiptoken", _token([rows[size - 1].get(column) for column, _ in by])
            )
        return Reply(body)

    def _tracked(self, call: Call, name: str, asked: list[str], size: int) -> Reply:
        """Answer with what has changed since a version, and the link to what changes after that."""
        table = next(of for of, set_ in environment.SETS.items() if set_ == name)
        forbidden = [one for one in ("$filter", "$orderby", "$expand", "$top") if one in call.params]
        if forbidden or table not in self.tracked:
            return _error(
                "0x80060888", f"The {forbidden} query parameter isn't supported when Change Tracking is enabled.", 400
            )
        if self.tokens_expired and "$deltatoken" in call.params:
            return _error(
                EXPIRED, "Version stamp associated with the client has expired. Please perform a full sync.", 400
            )
        since = int(call.params.get("$deltatoken", "0"))
        after, start = _untoken(call.params.get("$skiptoken")) or (since, self._last_order)
        records = sorted(self.records[table].values(), key=lambda one: one.order)
        records = [one for one in records if one.order > after and (since or not one.gone)]
        records.sort(key=lambda one: (one.gone, one.order))
        told: list[dict[str, Any]] = []
        for one in records[:size]:
            if one.gone:
                context = f"{self.url}{API}/$metadata#{name}/$deletedEntity"
                told.append({"@odata.context": context, "id": one.id, "reason": "deleted"})
            else:
                told.append(_picked(self.wire(one), asked, environment.key_of(table)))
        body: dict[str, Any] = {"value": told}
        if len(records) > size and not records[size - 1].gone:
            body["@odata.nextLink"] = self._link(call, "$skiptoken", _token([records[size - 1].order, start]))
        elif len(records) > size:
            body["value"] += [{"@odata.context": "…/$deletedEntity", "id": one.id} for one in records[size:]]
            body["@odata.deltaLink"] = self._link(call, "$deltatoken", str(start))
        else:
            body["@odata.deltaLink"] = self._link(call, "$deltatoken", str(start))
        return Reply(body)

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
            found[_asked(column, own)] = "guid" if own in environment.LOOKUPS else "number" if labelled else kind
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
                            "createdon": _wired(change.at, "createdon"),
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
            asked = _asked(column, own)
            told[asked] = _wired(value, column)
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

    # ------------------------------------------------------------------------------------------------------- write

    @route("POST", API + "/{set}/Microsoft.Dynamics.CRM.UpdateMultiple")
    def update_all(self, call: Call) -> Reply:
        if not self.updates_multiple:
            return _error("0x80060888", "Resource not found for the segment 'UpdateMultiple'.", 404)
        name = self._named(call.path["set"])
        targets = call.json()["Targets"]
        self.saw_batch(len(targets))
        writes = []
        for one in targets:
            assert one.pop("@odata.type") == f"Microsoft.Dynamics.CRM.{name}"
            id = one.pop(environment.key_of(name))  # noqa: A001
            refused = self._refusal(name, id, one)
            if refused is not None:
                return refused
            writes.append((id, one))
        for id, values in writes:  # noqa: A001
            self._take(name, id, values)
        return Reply(None, 204)

    @route("PATCH", API + "/{set}({id})")
    def update(self, call: Call) -> Reply:
        name, id, values = self._named(call.path["set"]), call.path["id"], call.json()  # noqa: A001
        if call.headers.get("if-match") != "*" and id not in self.records[name]:
            self.add(name, id=id, **values)  # an upsert, as Dataverse does
            return Reply(None, 201)
        self.saw_batch(1)
        refused = self._refusal(name, id, values)
        if refused is not None:
            return refused
        self._take(name, id, values)
        return Reply(None, 204)

    def _refusal(self, name: str, id: str, values: Mapping[str, Any]) -> Reply | None:  # noqa: A002
        unknown = [key for key in values if key not in self.fields[name]]
        if unknown:
            return _error("0x80048d19", f"The property '{unknown[0]}' does not exist on type 'mscrm.{name}'.", 400)
        record = self.records[name].get(id)
        if record is None or record.gone:
            return _error(MISSING, f"Entity '{name}' With Id = {id} Does Not Exist", 404)
        why = self.refused.get((name, id))
        if why is None:
            return None
        return (
            _error("0x80044150", "Generic SQL error: deadlock.", 500)
            if why == "locked"
            else _error("0x80040265", why, 400)
        )

    def _take(self, name: str, id: str, values: Mapping[str, Any]) -> None:  # noqa: A002
        self.edit(name, id, **{key: self._taken(name, key, value) for key, value in values.items()})

    def _taken(self, name: str, key: str, value: Any) -> Value:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return round(float(value), 6)
        if self.fields[name][key] == "time":
            return datetime.fromisoformat(value).replace(tzinfo=None)
        return str(value)

    @route("POST", API + "/tasks")
    def make_task(self, call: Call) -> Reply:
        return self._made(call, "task", "regardingobjectid", "_task", "description")

    @route("POST", API + "/annotations")
    def make_annotation(self, call: Call) -> Reply:
        return self._made(call, "annotation", "objectid", "", "notetext")

    def _made(self, call: Call, table: str, lookup: str, suffix: str, text: str) -> Reply:
        body = call.json()
        (bind,) = [key for key in body if key.endswith("@odata.bind")]
        target = re.fullmatch(r"/(\w+)\(([0-9a-f-]{36})\)", body.pop(bind))
        assert target is not None
        name, id = self._named(target.group(1)), target.group(2)  # noqa: A001
        assert bind == f"{lookup}_{name}{suffix}@odata.bind"
        held = self.records[name].get(id)
        if held is None or held.gone:
            return _error(MISSING, f"Entity '{name}' With Id = {id} Does Not Exist", 404)
        own = body.pop(environment.key_of(table), None)
        if own is not None and own in self.records[table]:
            return _error(DUPLICATE, "Cannot insert duplicate key.", 412)
        values = {key: self._taken(table, key, value) for key, value in body.items()}
        self.add(table, id=own, **{**values, lookup: id})
        self.notes.append({**body, "record": id, "text": body[text], "subject": body["subject"], "table": table})
        return Reply(None, 204, {"OData-EntityId": f"{self.url}{API}/{table}s({own})"})

    def _named(self, entity_set: str) -> str:
        return next(of for of, set_ in environment.SETS.items() if set_ == entity_set)


VIRTUAL = {
    "audits": {
        "auditid": "guid",
        "_objectid_value": "guid",
        "objecttypecode": "text",
        "operation": "number",
        "createdon": "time",
        "changedata": "text",
    },
    "activityparties": {
        "activitypartyid": "guid",
        "_activityid_value": "guid",
        "_partyid_value": "guid",
        "participationtypemask": "number",
    },
}


def _error(code: str, message: str, status: int) -> Reply:
    return Reply({"error": {"code": code, "message": message}}, status)


def _refused(message: str) -> Reply:
    told = f"{message} Trace ID: 5a1f Correlation ID: 9b2e Timestamp: 2026-03-02 09:00:00Z"
    return Reply({"error": "invalid_client", "error_description": told, "error_codes": [7]}, 401)


def _label(text: str) -> dict[str, Any]:
    return {"UserLocalizedLabel": {"Label": text, "LanguageCode": LANGUAGE}}


def _labelled(name: str) -> dict[str, Any]:
    return {"DisplayName": _label(name.title())}


def _asked(column: str, own: str) -> str:
    return f"_{column}_value" if own in environment.LOOKUPS else column


def _wired(value: Value, column: str) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat() if column in environment.DAYS else value.isoformat(timespec="seconds") + "Z"
    return value


def _token(value: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _untoken(told: str | None) -> Any:
    return None if told is None else json.loads(base64.urlsafe_b64decode(told))


def _beyond(row: Mapping[str, Any], by: Sequence[tuple[str, bool]], after: Sequence[Any]) -> bool:
    """Whether a row comes after the last one of a page."""
    for (column, down), last in zip(by, after, strict=True):
        value = row.get(column)
        if value != last:
            return (value is not None and (last is None or value > last)) != down
    return False


def _picked(row: Mapping[str, Any], asked: Sequence[str], key: str) -> dict[str, Any]:
    """Return the asked columns of a row, its key and its annotations."""
    wanted = {*asked, key}
    return {
        name: value for name, value in row.items() if not asked or name.partition("@")[0] in wanted or name[0] == "@"
    }
