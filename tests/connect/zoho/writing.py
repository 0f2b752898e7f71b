"""Zoho CRM on loopback: fields, records, tasks and notes that are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connect.stand_in import Call, Reply, route
from connect.zoho.reading import BATCH, TEXT, TYPES, Reading


class Writing(Reading):
    """Its half that is written to."""

    @route("POST", "/crm/v8/settings/fields")
    def make_fields(self, call: Call) -> Reply:
        module, asked = call.params["module"], call.json()["fields"]
        if len(asked) > 5:
            return self.error(400, "LIMIT_EXCEEDED", "too many fields")
        answers = []
        for one in asked:
            name = one["field_label"].replace(" ", "_")
            if name in self.fields[module]:
                answers.append(
                    {"code": "DUPLICATE_DATA", "message": "duplicate data", "status": "error", "details": {}}
                )
                continue
            self.forms[module, name], self.labels[module, name] = one["data_type"], one["field_label"]
            self.new_field(module, name, TYPES[one["data_type"]])
            answers.append({"code": "SUCCESS", "message": "field created", "status": "success", "details": {"id": "1"}})
        return Reply({"fields": answers}, 201)

    @route("PUT", "/crm/v8/{module}")
    def update(self, call: Call) -> Reply:
        module, data = call.path["module"], call.json()["data"]
        self.saw_batch(len(data))
        if len(data) > BATCH:
            return self.error(400, "LIMIT_EXCEEDED", "too many records")
        answers = [self.updated(module, place, one) for place, one in enumerate(data)]
        failed = sum(one["status"] == "error" for one in answers)
        return Reply({"data": answers}, 200 if not failed else 400 if failed == len(answers) else 207)

    def updated(self, module: str, place: int, one: Mapping[str, Any]) -> dict[str, Any]:
        id, why = one["id"], self.refused.get((module, one["id"]))  # noqa: A001
        if id not in self.alive(module) or self.held(module, id).values.get("Converted_Contact"):
            return self.refusal("INVALID_DATA", "the id given seems to be invalid", "id", place)
        if why == "locked":
            return self.refusal("RECORD_LOCKED", "the record is locked", "id", place)
        if why is not None:
            return self.refusal("INVALID_DATA", why, next(name for name in one if name != "id"), place)
        values: dict[str, Any] = {}
        for name, value in one.items():
            kind = self.fields[module].get(name)
            if name == "id" or kind is None:  # fields that there are not are passed over
                continue
            if value is not None and isinstance(value, str) is (kind in ("number", "bool")):
                return self.refusal("INVALID_DATA", "invalid data", name, place)
            if kind == "text" and value is not None and len(value) > TEXT:
                return self.refusal("INVALID_DATA", "invalid data", name, place)
            if kind == "time" and value is not None:
                value = datetime.fromisoformat(value)
                assert value.utcoffset() == timedelta(0)
                value = value.replace(tzinfo=None)
            values[name] = float(value) if kind == "number" and value is not None else value
        self.edit(module, id, **values)
        return {"code": "SUCCESS", "details": {"id": id}, "message": "record updated", "status": "success"}

    @staticmethod
    def refusal(code: str, words: str, name: str, place: int) -> dict[str, Any]:
        details = {"api_name": name, "json_path": f"$.data[{place}].{name}"}
        return {"code": code, "details": details, "message": words, "status": "error"}

    @route("POST", "/crm/v8/{module}")
    def insert(self, call: Call) -> Reply:
        module, answers = call.path["module"], []
        self.saw_batch(len(call.json()["data"]))
        for place, one in enumerate(call.json()["data"]):
            about = one.get("Who_Id") or one.get("What_Id") or one["Parent_Id"]
            name = "Contacts" if "Who_Id" in one else one.get("$se_module") or about["module"]["api_name"]
            key = next(key for key in ("Who_Id", "What_Id", "Parent_Id") if key in one)
            if about["id"] not in self.alive(name):
                answers.append(self.refusal("INVALID_DATA", "the related id given seems to be invalid", key, place))
                continue
            words = one.get("Description") or one["Note_Content"]
            flat = {
                field: value for field, value in one.items() if isinstance(value, str) and field in self.fields[module]
            }
            made = self.add(module, **flat, **{key: about["id"]})
            self.notes.append({**one, "record": about["id"], "text": words, "id": made})
            answers.append({"code": "SUCCESS", "details": {"id": made}, "message": "record added", "status": "success"})
        failed = sum(one["status"] == "error" for one in answers)
        return Reply({"data": answers}, 201 if not failed else 400 if failed == len(answers) else 207)
