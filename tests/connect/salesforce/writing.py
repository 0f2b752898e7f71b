"""Salesforce on loopback: what is written, made, and permitted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connect.salesforce import org
from connect.salesforce.reading import Reading
from connect.salesforce.wire import DATA, error, failed
from connect.stand_in import Call, Reply, route
from leadlight.connect.protocol import Value

BATCH_MOST = 200


class Writing(Reading):
    """Its half that is written to."""

    may_customize: bool

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
            return error("EXCEEDED_ID_LIMIT", "record limit reached. cannot submit more than 200 records", 400)
        assert body["allOrNone"] is False
        answers = []
        for one in records:
            name = one.pop("attributes")["type"]
            unknown = [key for key in one if key != "id" and key not in self.types(name)]
            if unknown:
                return error("INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type {name}", 400)
            answers.append(how(name, one))
        return self.ok(answers)

    def _updated(self, name: str, id: str, values: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        record = self.records[name].get(id)
        if record is None:
            return failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if record.gone:
            return failed("ENTITY_IS_DELETED", "entity is deleted")
        if record.values.get("IsConverted") is True:
            return failed("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        if (why := self.refused.get((name, id))) is not None:
            locked = why == "locked"
            return failed("UNABLE_TO_LOCK_ROW" if locked else "FIELD_CUSTOM_VALIDATION_EXCEPTION", why)
        closed = [key for key in values if key in org.READ_ONLY]
        if closed:
            return failed("INVALID_FIELD_FOR_INSERT_UPDATE", f"Unable to create/update fields: {closed[0]}.")
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
                return failed("FIELD_INTEGRITY_EXCEPTION", "Name ID: id value of incorrect type")
            if not any(str(record) in held and not held[str(record)].gone for held in self.records.values()):
                return failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
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
            return error("INSUFFICIENT_ACCESS", "insufficient access rights on entity: CustomField", 403)
        body = call.json()
        table, _, field = body["FullName"].partition(".")
        meta = body["Metadata"]
        kinds = {"Number": "number", "Text": "text", "LongTextArea": "text", "Checkbox": "bool", "DateTime": "time"}
        if not field.endswith("__c") or meta["type"] not in kinds or field in self.fields[table]:
            return error("INVALID_FIELD", f"cannot make {field}", 400)
        self.new_field(table, field, kinds[meta["type"]])
        self.hidden.add((table, field))
        return self.ok({"id": "00N5g00000FIELDEAA", "success": True, "errors": []}, 201)

    @route("POST", DATA + "/sobjects/FieldPermissions/")
    def permit(self, call: Call) -> Reply:
        body = call.json()
        if body["ParentId"] not in self.permission_sets.values():
            return error("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 400)
        table, _, field = body["Field"].partition(".")
        assert body["PermissionsRead"] is True
        assert body["PermissionsEdit"] is True
        self.hidden.discard((table, field))
        return self.ok({"id": "01k5g00000PERMSEA0", "success": True, "errors": []}, 201)

    # ---------------------------------------------------------------------------- single records, for other clients

    @route("POST", DATA + "/sobjects/{object}/")
    def create(self, call: Call) -> Reply:
        return self.ok(self._created(call.path["object"], call.json()), 201)

    @route("PATCH", DATA + "/sobjects/{object}/{id}")
    def update(self, call: Call) -> Reply:
        told = self._updated(call.path["object"], call.path["id"], call.json())
        if not told["success"]:
            return error(told["errors"][0]["statusCode"], told["errors"][0]["message"], 400)
        return self.ok(None, 204)

    @route("DELETE", DATA + "/sobjects/{object}/{id}")
    def remove(self, call: Call) -> Reply:
        self.delete(call.path["object"], call.path["id"])
        return self.ok(None, 204)
