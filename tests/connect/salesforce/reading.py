"""Salesforce on loopback: what is described, queried, and told of deletions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connect.salesforce import org, soql_engine
from connect.salesforce.wire import DATA, DOTTED, VIRTUAL, error, picked, wired
from connect.stand_in import Call, Record, Reply, route
from connect.stand_in import StandIn as Base

PAGE_LEAST, PAGE_MOST = 200, 2000
LOCATORS_MOST = 10
REPLICATED, ARCHIVED = timedelta(days=30), timedelta(days=365)


class Reading(Base):
    """Its half that is asked; the other halves set what it looks at."""

    hidden: set[tuple[str, str]]
    founded: datetime | None
    """Since when the org lists deletions."""
    purged: list[tuple[str, str, datetime]]
    permission_sets: dict[str, str]
    locators: dict[str, tuple[list[Mapping[str, Any]], list[str], int]]

    # ---------------------------------------------------------------------------------------------------- describe

    @route("GET", DATA + "/sobjects/")
    @route("GET", DATA + "/sobjects")
    def objects(self, _: Call) -> Reply:
        listed = [{"name": name, "label": name, "queryable": True} for name in self.fields]
        return self.ok({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed})

    @route("GET", DATA + "/sobjects/{object}/describe/")
    @route("GET", DATA + "/sobjects/{object}/describe")
    def described(self, call: Call) -> Reply:
        name = call.path["object"]
        if name not in self.fields:
            return error("NOT_FOUND", "The requested resource does not exist", 404)
        log = org.LOGS.get(name)
        related = [] if log is None else [{"childSObject": log[0], "field": log[1], "relationshipName": "Histories"}]
        return self.ok(
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
        if locator not in self.locators:
            return error("INVALID_QUERY_LOCATOR", "invalid query locator", 400)
        rows, fields, size = self.locators[locator]
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
            return error(refused.code, refused.message, 400)
        told = call.headers.get("sforce-query-options", "").removeprefix("batchSize=")
        size = self.saw_page(min(max(int(told or PAGE_MOST), PAGE_LEAST), PAGE_MOST))
        rows = soql_engine.run(query, self._table(query.table, gone=gone))
        locator = f"01g{len(self.calls):015d}"
        self.locators[locator] = (rows, query.fields, size)
        for old in list(self.locators)[:-LOCATORS_MOST]:
            del self.locators[old]
        return self._rows(locator, rows, query.fields, 0, size)

    def _rows(self, locator: str, rows: Sequence[Mapping[str, Any]], fields: list[str], at: int, size: int) -> Reply:
        some = [picked(row, fields) for row in rows[at : at + size]]
        done = at + size >= len(rows)
        body: dict[str, Any] = {"totalSize": len(rows), "done": done, "records": some}
        if not done:
            body["nextRecordsUrl"] = f"/services/data/v66.0/query/{locator}-{at + size}"
        return self.ok(body)

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
                    "OldValue": wired(change.old, kinds.get(change.field, "string")),
                    "NewValue": wired(change.new, kinds.get(change.field, "string")),
                    "CreatedDate": wired(change.at, "datetime"),
                }
                if change.field.endswith("Id"):  # a reference is told twice: by names, and by ids
                    told.append({**one, "OldValue": f"Name of {change.old}", "NewValue": f"Name of {change.new}"})
                told.append(one)
        return told

    def wire(self, record: Record) -> dict[str, Any]:
        """Return a record as it goes over the wire."""
        kinds = self.types(record.object)
        told = {name: wired(record.values.get(name), kind) for name, kind in kinds.items()}
        told |= {
            "attributes": {"type": record.object, "url": f"/services/data/v66.0/sobjects/{record.object}/{record.id}"},
            "Id": record.id,
            "IsDeleted": record.gone,
            "SystemModstamp": wired(record.modified, "datetime"),
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
        old = self.clock.now() - start > REPLICATED or (self.founded is not None and start < self.founded)
        if end - start < timedelta(minutes=1) or old:
            return error("INVALID_REPLICATION_DATE", "start or end is out of range", 400)
        name = call.path["object"]
        binned = [(one.id, one.modified) for one in self.records[name].values() if one.gone]
        found = [*binned, *((id, at) for of, id, at in self.purged if of == name)]  # noqa: A001
        told = [{"id": id, "deletedDate": wired(at, "datetime")} for id, at in found if start <= at <= end]  # noqa: A001
        covered = {"earliestDateAvailable": wired(start, "datetime"), "latestDateCovered": wired(end, "datetime")}
        return self.ok({"deletedRecords": told, **covered})

    @route("GET", DATA + "/sobjects/{object}/{id}")
    def get(self, call: Call) -> Reply:
        record = self.records[call.path["object"]].get(call.path["id"])
        if record is None or record.gone:
            return error("NOT_FOUND", "The requested resource does not exist", 404)
        return self.ok(self.wire(record))

    def ok(self, body: Any, status: int = 200) -> Reply:
        """Answer, and tell how many requests of the day are used."""
        limit = self.per_day or 15_000
        return Reply(body, status, {"Sforce-Limit-Info": f"api-usage={self.today[1]}/{limit}"})
