"""Pipedrive on loopback: fields, records, tasks and notes that are written."""

from __future__ import annotations

from connect.pipedrive.reading import FIELDS, TYPES, VARCHAR, Reading, key_of
from connect.stand_in import Call, Reply, route


class Writing(Reading):
    """Its half that is written to."""

    @route("POST", "/api/v2/{described}")
    def add_field(self, call: Call) -> Reply:
        if call.path["described"] == "activities":
            return self.add_activity(call)
        name = next(key for key, path in FIELDS.items() if path == call.path["described"])
        body = call.json()
        field = "_".join(body["field_name"].lower().split())
        if field in self.fields[name]:
            return self.error(400, "A field with this name already exists")
        self.forms[name, field], self.titles[name, field] = body["field_type"], body["field_name"]
        self.new_field(name, field, TYPES[body["field_type"]])
        return Reply({"success": True, "data": {"field_code": key_of(name, field), **body}}, 201)

    @route("PATCH", "/api/v2/{object}/{id}")
    def update(self, call: Call) -> Reply:
        name, id = call.path["object"], call.path["id"]  # noqa: A001
        self.saw_batch(1)
        if id not in self.alive(name):
            return self.error(404, f"{name[:-1].capitalize()} not found.")
        why = self.refused.get((name, id))
        if why is not None:
            return self.error(423 if why == "locked" else 400, why)
        codes = {key_of(name, field): field for field in self.fields[name]}
        values = {}
        for code, value in call.json()["custom_fields"].items():
            field = codes.get(code)
            if field is None:
                return self.error(400, f"custom_fields: unknown field {code}")
            number = self.fields[name][field] == "number"
            if value is not None and isinstance(value, str) is number:
                return self.error(400, f"custom_fields.{code}: must be a {'number' if number else 'string'}")
            if (
                self.forms.get((name, field), "varchar") == "varchar"
                and isinstance(value, str)
                and len(value) > VARCHAR
            ):
                return self.error(400, f"custom_fields.{code}: is too long")
            values[field] = float(value) if number and value is not None else value
        self.edit(name, id, **values)
        return Reply({"success": True, "data": self.wire(self.held(name, id), None, "")})

    def add_activity(self, call: Call) -> Reply:
        body = call.json()
        people = [str(one["person_id"]) for one in body.get("participants", [])]
        if people and people[0] not in self.alive("persons"):
            return self.error(400, f"Person {people[0]} not found")
        about = people[0] if people else str(body.get("deal_id") or body.get("org_id") or body.get("lead_id"))
        made = self.add(
            "activities",
            subject=body["subject"],
            type=body["type"],
            note=body["note"],
            person_id=people[0] if people else None,
        )
        self.notes.append({**body, "record": about, "text": body["note"], "id": made})
        return Reply({"success": True, "data": {"id": int(made)}}, 201)

    @route("POST", "/api/v1/notes")
    def add_note(self, call: Call) -> Reply:
        body = call.json()
        if str(body.get("person_id")) not in self.alive("persons"):
            return self.error(400, f"Person {body.get('person_id')} not found")
        made = self.add("notes", content=body["content"], person_id=str(body.get("person_id")))
        self.notes.append({**body, "record": str(body.get("person_id")), "text": body["content"], "id": made})
        return Reply({"success": True, "data": {"id": int(made)}}, 201)
