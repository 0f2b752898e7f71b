"""Dataverse on loopback: what is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connect.dynamics import environment
from connect.dynamics.reading import Reading
from connect.dynamics.wire import (
    API,
    DUPLICATE,
    MISSING,
    error,
)
from connect.stand_in import Call, Reply, route
from leadlight.connect.protocol import Value


class Writing(Reading):
    """Its half that is written to."""

    updates_multiple: bool

    # ------------------------------------------------------------------------------------------------------- write

    @route("POST", API + "/{set}/Microsoft.Dynamics.CRM.UpdateMultiple")
    def update_all(self, call: Call) -> Reply:
        if not self.updates_multiple:
            return error("0x80060888", "Resource not found for the segment 'UpdateMultiple'.", 404)
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
            return error("0x80048d19", f"The property '{unknown[0]}' does not exist on type 'mscrm.{name}'.", 400)
        record = self.records[name].get(id)
        if record is None or record.gone:
            return error(MISSING, f"Entity '{name}' With Id = {id} Does Not Exist", 404)
        why = self.refused.get((name, id))
        if why is None:
            return None
        return (
            error("0x80044150", "Generic SQL error: deadlock.", 500)
            if why == "locked"
            else error("0x80040265", why, 400)
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
            return error(MISSING, f"Entity '{name}' With Id = {id} Does Not Exist", 404)
        own = body.pop(environment.key_of(table), None)
        if own is not None and own in self.records[table]:
            return error(DUPLICATE, "Cannot insert duplicate key.", 412)
        values = {key: self._taken(table, key, value) for key, value in body.items()}
        self.add(table, id=own, **{**values, lookup: id})
        self.notes.append({**body, "record": id, "text": body[text], "subject": body["subject"], "table": table})
        return Reply(None, 204, {"OData-EntityId": f"{self.url}{API}/{table}s({own})"})

    def _named(self, entity_set: str) -> str:
        return next(of for of, set_ in environment.SETS.items() if set_ == entity_set)
