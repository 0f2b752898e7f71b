"""Salesforce on loopback, written from its published REST reference: OAuth 2, describe, SOQL, collections, Tooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connect.salesforce import org, soql_engine
from connect.stand_in import RETRY_AFTER, Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base
from leadlight.connect.protocol import Value

DATA = "/services/data/{version}"
BATCH_MOST, PAGE_LEAST, PAGE_MOST = 200, 200, 2000
LOCATORS_MOST = 10
PERMISSION_SET = "0PS5g000000SETAAA4"
REPLICATED, ARCHIVED = timedelta(days=30), timedelta(days=365)


class StandIn(Base):
    system = "salesforce"
    people = Kind("Lead", text="Title", number="NumberOfEmployees", history="Title", more={"LastName": "Doe"})
    accounts = Kind("Account", text="Name", number="NumberOfEmployees", history="Name")
    deals = Kind("Opportunity", text="Name", number="Amount", history="StageName")
    events = Kind("Event", text="Subject", writes=False)
    secrets: Mapping[str, str] = {
        "client_id": "3MVG9-stand-in-consumer-key",
        "client_secret": "stand-in-consumer-secret",
    }
    lacks: Mapping[str, str] = {
        "elsewhere": "links to the next page are paths, they name no host",
        "webhook": "Salesforce tells of changes by streams, not by webhooks",
    }
    words: Mapping[str, str] = {
        "sign_in": "External Client App Manager",
        "scope": "External Client App Manager",
        "disabled": "Permission Sets",
        "absent": "Object Manager",
    }

    # ------------------------------------------------------------------------------------------ what vendors say

    def schema(self) -> Schema:
        return {name: dict(fields) for name, fields in org.SCHEMA.items()}

    def reset(self) -> None:
        super().reset()
        self.may_customize = True
        self.permission_sets = {"Leadlight": PERMISSION_SET}
        self.hidden: set[tuple[str, str]] = set()
        """Fields that were made and that nobody may see yet."""
        self.purged: list[tuple[str, str, datetime]] = []
        """What was deleted for good: object, id, when it was deleted."""
        self._locators: dict[str, tuple[list[Mapping[str, Any]], list[str], int]] = {}
        self._tokens_given = 0

    def authorised(self, call: Call) -> Reply | None:
        if call.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens or self.revoked:
            return _error("INVALID_SESSION_ID", "Session expired or invalid", 401)
        if self.scope_missing:
            return _error("INVALID_SESSION_ID", "This session is not valid for use with the REST API", 401)
        if self.disabled:
            return _error("API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", 403)
        if self.per_day is not None and self.today[1] > self.per_day:
            return _error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)
        return None

    def too_many(self) -> Reply:
        told = _error("REQUEST_LIMIT_EXCEEDED", "ConcurrentPerOrgLongTxn Limit exceeded.", 403)
        return Reply(told.body, told.status, {"Retry-After": str(RETRY_AFTER)})

    def new_id(self, name: str, number: int) -> str:
        return f"{org.PREFIXES[name]}5g{number:010d}AA0"

    def custom_name(self, name: str) -> str:
        return f"{name}__c"

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002, ARG002
        for field in org.STAMPS:
            if field != "CreatedDate" or values.get(field) is None:
                values[field] = at
        for field, kind in self.fields[name].items():
            if kind == "bool" and values.get(field) is None:
                values[field] = False
        if name == "CampaignMember":
            values["LeadOrContactId"] = values.get("ContactId") or values.get("LeadId")

    # ------------------------------------------------------------------------------------------- the system's life

    def merge(self, name: str, loser: str, winner: str) -> str:
        for other, fields in (("Task", ("WhoId",)), ("OpportunityContactRole", ("ContactId",))):
            for record in list(self.records[other].values()):
                for field in fields:
                    if record.values.get(field) == loser:
                        self.edit(other, record.id, **{field: winner})
        return super().merge(name, loser, winner)

    def convert(self, name: str, id: str) -> str:  # noqa: A002
        lead = self.held(name, id).values
        account = self.add("Account", Name=lead.get("Company"))
        kept = {key: lead.get(key) for key in ("Email", "FirstName", "LastName", "Title", "Phone", "LeadSource")}
        contact = self.add("Contact", AccountId=account, **kept)
        self.edit(name, id, IsConverted=True, ConvertedContactId=contact, ConvertedAccountId=account)
        return contact

    def purge(self, name: str, id: str) -> None:  # noqa: A002
        """Delete a record for good, past the bin."""
        self.purged.append((name, id, self.clock.now()))
        del self.records[name][id]

    def forget_queries(self) -> None:
        """Forget the rest of all queries, as after two days."""
        self._locators.clear()

    # ----------------------------------------------------------------------------------------------------- sign-in

    @route("POST", "/services/oauth2/token", open=True)
    def token(self, call: Call) -> Reply:
        form = call.form()
        if form.get("client_id") != self.secrets["client_id"]:
            return Reply({"error": "invalid_client_id", "error_description": "client identifier invalid"}, 400)
        if form.get("client_secret") != self.secrets["client_secret"]:
            return Reply({"error": "invalid_client", "error_description": "invalid client credentials"}, 400)
        if form.get("grant_type") not in ("client_credentials", "refresh_token"):
            return Reply({"error": "unsupported_grant_type", "error_description": "grant type not supported"}, 400)
        refreshed = form["grant_type"] == "refresh_token"
        if self.revoked or (refreshed and form.get("refresh_token") != "stand-in-refresh-token"):
            told = "expired access/refresh token" if refreshed else "no client credentials user enabled"
            return Reply({"error": "invalid_grant", "error_description": told}, 400)
        self._tokens_given += 1
        token = f"00D5g!stand-in-access-token-{self._tokens_given}"
        self.tokens.add(token)
        return Reply(
            {
                "access_token": token,
                "signature": "c2lnbmF0dXJl",
                "scope": "api",
                "instance_url": self.url,
                "id": f"{self.url}/id/00D5g0000000001EAA/0055g0000000001AAA",
                "token_type": "Bearer",
                "issued_at": "1772442000000",
            }
        )

    # ---------------------------------------------------------------------------------------------------- describe

    @route("GET", DATA + "/sobjects/")
    @route("GET", DATA + "/sobjects")
    def objects(self, _: Call) -> Reply:
        listed = [{"name": name, "label": name, "queryable": True} for name in self.fields]
        return self._ok({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})

    @route("GET", DATA + "/sobjects/{object}/describe/")
    @route("GET", DATA + "/sobjects/{object}/describe")
    def described(self, call: Call) -> Reply:
        name = call.path["object"]
        if name not in self.fields:
            return _error("NOT_FOUND", "The requested resource does not exist", 404)
        log = org.LOGS.get(name)
        related = [] if log is None else [{"childSObject": log[0], "field": log[1], "relationshipName": "Histories"}]
        return self._ok(
            {
                "name": name,
                "label": name,
                "custom": False,
                "queryable": True,
                "replicateable": True,
                "childRelationships": [
                    {"childSObject": "Task", "field": "WhoId", "relationshipName": "Tasks"},
                    *related,
                ],
                "fields": [
                    {
                        "name": field,
                        "label": field,
                        "type": told,
                        "custom": field.endswith("__c"),
                        "updateable": field not in org.READ_ONLY and field != "Id",
                        "picklistValues": [],
                    }
                    for field, told in self.types(name).items()
                ],
            }
        )

    def types(self, name: str) -> dict[str, str]:
        """Return the types of all fields of an object that may be seen."""
        if name not in self.fields:
            return VIRTUAL.get(name, {})
        own = {field: org.own_type(field, kind) for field, kind in self.fields[name].items()}
        own = {field: told for field, told in own.items() if (name, field) not in self.hidden}
        extra = {"MasterRecordId": "reference"} if name in ("Lead", "Contact", "Account") else {}
        return {"Id": "id", "IsDeleted": "boolean", **own, **extra}

    # ------------------------------------------------------------------------------------------------------- query

    @route("GET", DATA + "/query/")
    @route("GET", DATA + "/query")
    def query(self, call: Call) -> Reply:
        return self._query(call, gone=False)

    @route("GET", DATA + "/queryAll/")
    @route("GET", DATA + "/queryAll")
    def query_all(self, call: Call) -> Reply:
        return self._query(call, gone=True)

    @route("GET", DATA + "/tooling/query/")
    def tooling_query(self, call: Call) -> Reply:
        return self._query(call, gone=False)

    @route("GET", DATA + "/query/{locator}")
    def more(self, call: Call) -> Reply:
        locator, _, offset = call.path["locator"].rpartition("-")
        if locator not in self._locators:
            return _error("INVALID_QUERY_LOCATOR", "invalid query locator", 400)
        rows, fields, size = self._locators[locator]
        return self._rows(locator, rows, fields, int(offset), size)

    def _query(self, call: Call, *, gone: bool) -> Reply:
        try:
            query = soql_engine.parse(call.params.get("q", ""))
            types = self.types(query.table)
            if not types:
                raise soql_engine.RefusedError("INVALID_TYPE", f"sObject type '{query.table}' is not supported.")
            for name in query.named():
                if name not in types and name not in DOTTED.get(query.table, ()):
                    message = f"No such column '{name}' on entity '{query.table}'."
                    raise soql_engine.RefusedError("INVALID_FIELD", message)
            soql_engine.check_types(query, types)
        except soql_engine.RefusedError as refused:
            return _error(refused.code, refused.message, 400)
        told = call.headers.get("sforce-query-options", "").removeprefix("batchSize=")
        size = self.saw_page(min(max(int(told or PAGE_MOST), PAGE_LEAST), PAGE_MOST))
        rows = soql_engine.run(query, self._table(query.table, gone=gone))
        locator = f"01g{len(self.calls):015d}"
        self._locators[locator] = (rows, query.fields, size)
        for old in list(self._locators)[:-LOCATORS_MOST]:
            del self._locators[old]
        return self._rows(locator, rows, query.fields, 0, size)

    def _rows(self, locator: str, rows: Sequence[Mapping[str, Any]], fields: list[str], at: int, size: int) -> Reply:
        some = [_picked(row, fields) for row in rows[at : at + size]]
        done = at + size >= len(rows)
        body: dict[str, Any] = {"totalSize": len(rows), "done": done, "records": some}
        if not done:
            body["nextRecordsUrl"] = f"/services/data/v66.0/query/{locator}-{at + size}"
        return self._ok(body)

    def _table(self, name: str, *, gone: bool) -> list[Mapping[str, Any]]:
        if name == "FieldDefinition":
            return [
                {"QualifiedApiName": field, "EntityDefinition": {"QualifiedApiName": of}, "IsFieldHistoryTracked": True}
                for of, fields in org.TRACKED.items()
                for field in fields
            ]
        if name == "PermissionSet":
            return [{"Id": id, "Name": label} for label, id in self.permission_sets.items()]  # noqa: A001
        if name == "TaskStatus":
            return [
                {"ApiName": "Open", "IsClosed": False, "SortOrder": 1},
                {"ApiName": "Erledigt", "IsClosed": True, "SortOrder": 2},
            ]
        for of, (log, record) in org.LOGS.items():
            if name == log:
                return self._log(of, record)
        records = self.records[name].values()
        return [self.wire(one) for one in records if gone or not (one.gone or self._archived(one))]

    def _archived(self, record: Record) -> bool:
        """Whether a record is an activity of long ago, which only queryAll tells of."""
        day = record.values.get("ActivityDate")
        return isinstance(day, datetime) and day < self.clock.now() - ARCHIVED

    def _log(self, of: str, field: str) -> list[Mapping[str, Any]]:
        kinds = self.types(of)
        told: list[Mapping[str, Any]] = []
        for record in self.records[of].values():
            for index, change in enumerate(record.history):
                if change.field not in org.TRACKED.get(of, ()) or record.gone:
                    continue
                one = {
                    "Id": f"0175g{record.order:05d}{index:05d}AAA",
                    field: record.id,
                    "Field": change.field.removesuffix("Id"),
                    "OldValue": _wired(change.old, kinds.get(change.field, "string")),
                    "NewValue": _wired(change.new, kinds.get(change.field, "string")),
                    "CreatedDate": _wired(change.at, "datetime"),
                }
                if change.field.endswith("Id"):  # a reference is told twice: by names, and by ids
                    told.append({**one, "OldValue": f"Name of {change.old}", "NewValue": f"Name of {change.new}"})
                told.append(one)
        return told

    def wire(self, record: Record) -> dict[str, Any]:
        """Return a record as it goes over the wire."""
        kinds = self.types(record.object)
        told = {name: _wired(record.values.get(name), kind) for name, kind in kinds.items()}
        told |= {
            "attributes": {"type": record.object, "url": f"/services/data/v66.0/sobjects/{record.object}/{record.id}"},
            "Id": record.id,
            "IsDeleted": record.gone,
            "SystemModstamp": _wired(record.modified, "datetime"),
        }
        if "MasterRecordId" in kinds:
            told["MasterRecordId"] = record.into if record.gone else None
        if record.object == "CampaignMember":
            campaign = self.records["Campaign"].get(str(record.values.get("CampaignId")))
            told["Campaign"] = None if campaign is None else self.wire(campaign)
        return told

    @route("GET", DATA + "/sobjects/{object}/deleted/")
    def deleted(self, call: Call) -> Reply:
        start, end = (datetime.fromisoformat(call.params[key]).replace(tzinfo=None) for key in ("start", "end"))
        if end - start < timedelta(minutes=1) or self.clock.now() - start > REPLICATED:
            return _error("INVALID_REPLICATION_DATE", "start or end is out of range", 400)
        name = call.path["object"]
        binned = [(one.id, one.modified) for one in self.records[name].values() if one.gone]
        found = [*binned, *((id, at) for of, id, at in self.purged if of == name)]  # noqa: A001
        told = [{"id": id, "deletedDate": _wired(at, "datetime")} for id, at in found if start <= at <= end]  # noqa: A001
        covered = {"earliestDateAvailable": _wired(start, "datetime"), "latestDateCovered": _wired(end, "datetime")}
        return self._ok({"deletedRecords": told, **covered})

    # ------------------------------------------------------------------------------------------------------- write

    @route("PATCH", DATA + "/composite/sobjects")
    def update_many(self, call: Call) -> Reply:
        return self._collection(call, lambda name, one: self._updated(name, str(one.pop("id", "")), one))

    @route("POST", DATA + "/composite/sobjects")
    def create_many(self, call: Call) -> Reply:
        return self._collection(call, self._created)

    def _collection(self, call: Call, how: Any) -> Reply:
        body = call.json()
        records = body["records"]
        self.saw_batch(len(records))
        if len(records) > BATCH_MOST:
            return _error("EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records", 400)
        assert body["allOrNone"] is False
        answers = []
        for one in records:
            name = one.pop("attributes")["type"]
            unknown = [key for key in one if key != "id" and key not in self.types(name)]
            if unknown:
                return _error("INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type {name}", 400)
            answers.append(how(name, one))
        return self._ok(answers)

    def _updated(self, name: str, id: str, values: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        record = self.records[name].get(id)
        if record is None:
            return _failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if record.gone:
            return _failed("ENTITY_IS_DELETED", "entity is deleted")
        if record.values.get("IsConverted") is True:
            return _failed("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        if (why := self.refused.get((name, id))) is not None:
            locked = why == "locked"
            return _failed("UNABLE_TO_LOCK_ROW" if locked else "FIELD_CUSTOM_VALIDATION_EXCEPTION", why)
        closed = [key for key in values if key in org.READ_ONLY]
        if closed:
            return _failed("INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {closed[0]}.")
        self.edit(name, id, **{key: self._taken(name, key, value) for key, value in values.items()})
        return {"id": id, "success": True, "errors": []}

    def _created(self, name: str, values: dict[str, Any]) -> dict[str, Any]:
        held = {key: self._taken(name, key, value) for key, value in values.items()}
        if name == "Task":
            held["IsClosed"] = values.get("Status") == "Erledigt"
            text = str(values.get("Description"))
            key = text.rpartition("\n")[2].removeprefix("Leadlight ")
            record = values.get("WhoId") or values.get("WhatId")
            if (str(record)[:3] in ("00Q", "003")) != ("WhoId" in values):
                return _failed("FIELD_INTEGRITY_EXCEPTION", "Name ID: id value of incorrect type")
            if not any(str(record) in held and not held[str(record)].gone for held in self.records.values()):
                return _failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
            self.notes.append({**values, "record": record, "text": text, "subject": values.get("Subject"), "key": key})
        return {"id": self.add(name, **held), "success": True, "errors": []}

    def _taken(self, name: str, key: str, value: Any) -> Value:
        """Return what was written as it is kept: numbers to the field's decimals, times without zone."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return round(float(value), 6)
        if self.fields[name].get(key) == "time":
            return datetime.fromisoformat(value).replace(tzinfo=None)
        return str(value)

    # ------------------------------------------------------------------------------------------------------ fields

    @route("POST", DATA + "/tooling/sobjects/CustomField/")
    def make_field(self, call: Call) -> Reply:
        if not self.may_customize:
            return _error("INSUFFICIENT_ACCESS", "insufficient access rights on entity: CustomField", 403)
        body = call.json()
        table, _, field = body["FullName"].partition(".")
        meta = body["Metadata"]
        kinds = {"Number": "number", "Text": "text", "LongTextArea": "text", "Checkbox": "bool", "DateTime": "time"}
        if not field.endswith("__c") or meta["type"] not in kinds or field in self.fields[table]:
            return _error("INVALID_FIELD", f"cannot make {field}", 400)
        self.new_field(table, field, kinds[meta["type"]])
        self.hidden.add((table, field))
        return self._ok({"id": "00N5g00000FIELDEAA", "success": True, "errors": []}, 201)

    @route("POST", DATA + "/sobjects/FieldPermissions/")
    def permit(self, call: Call) -> Reply:
        body = call.json()
        if body["ParentId"] not in self.permission_sets.values():
            return _error("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 400)
        table, _, field = body["Field"].partition(".")
        assert body["PermissionsRead"] is True
        assert body["PermissionsEdit"] is True
        self.hidden.discard((table, field))
        return self._ok({"id": "01k5g00000PERMSEA0", "success": True, "errors": []}, 201)

    # ---------------------------------------------------------------------------- single records, for other clients

    @route("POST", DATA + "/sobjects/{object}/")
    def create(self, call: Call) -> Reply:
        return self._ok(self._created(call.path["object"], call.json()), 201)

    @route("GET", DATA + "/sobjects/{object}/{id}")
    def get(self, call: Call) -> Reply:
        record = self.records[call.path["object"]].get(call.path["id"])
        if record is None or record.gone:
            return _error("NOT_FOUND", "The requested resource does not exist", 404)
        return self._ok(self.wire(record))

    @route("PATCH", DATA + "/sobjects/{object}/{id}")
    def update(self, call: Call) -> Reply:
        told = self._updated(call.path["object"], call.path["id"], call.json())
        if not told["success"]:
            return _error(told["errors"][0]["statusCode"], told["errors"][0]["message"], 400)
        return self._ok(None, 204)

    @route("DELETE", DATA + "/sobjects/{object}/{id}")
    def remove(self, call: Call) -> Reply:
        self.delete(call.path["object"], call.path["id"])
        return self._ok(None, 204)

    def _ok(self, body: Any, status: int = 200) -> Reply:
        limit = self.per_day or 15_000
        return Reply(body, status, {"Sforce-Limit-Info": f"api-usage={self.today[1]}/{limit}"})


HISTORY = {
    "Id": "id",
    "Field": "picklist",
    "OldValue": "anyType",
    "NewValue": "anyType",
    "CreatedDate": "datetime",
}
VIRTUAL = {
    **{log: {**HISTORY, record: "reference"} for log, record in org.LOGS.values()},
    "FieldDefinition": {
        "QualifiedApiName": "string",
        "EntityDefinition.QualifiedApiName": "string",
        "IsFieldHistoryTracked": "boolean",
    },
    "PermissionSet": {"Id": "id", "Name": "string"},
    "TaskStatus": {"ApiName": "string", "IsClosed": "boolean", "SortOrder": "int"},
}
DOTTED = {"CampaignMember": ("Campaign.Name", "Campaign.Type")}


def _error(code: str, message: str, status: int) -> Reply:
    return Reply([{"message": message, "errorCode": code}], status)


def _failed(code: str, message: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": []}]}


def _wired(value: Value, kind: str) -> Any:
    if isinstance(value, datetime):
        return value.date().isoformat() if kind == "date" else value.isoformat(timespec="milliseconds") + "+0000"
    return int(value) if isinstance(value, float) and kind == "int" and value.is_integer() else value


def _picked(row: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return the asked fields of a row; related ones nested, as Salesforce does."""
    found: dict[str, Any] = {"attributes": row.get("attributes", {"type": "Name"})}
    for name in fields:
        head, _, rest = name.partition(".")
        value = row.get(head)
        if rest:
            inner = found.get(head) or {"attributes": {"type": head}}
            value = {**inner, rest: value.get(rest)} if isinstance(value, Mapping) else None
        found[head] = value
    return found
