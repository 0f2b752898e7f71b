"""ActiveCampaign on loopback: fields, contacts and notes that are written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connect.activecampaign.reading import TYPES, Reading
from connect.stand_in import Call, Reply, route


class Writing(Reading):
    """Its half that is written to."""

    @route("POST", "/api/3/fields")
    def add_field(self, call: Call) -> Reply:
        told = call.json()["field"]
        name = told["perstag"].lower()
        if name in self.fields["contacts"]:
            return Reply({"errors": [{"title": "There is already a field with this title", "code": "duplicate"}]}, 422)
        self.forms["contacts", name], self.titles["contacts", name] = told["type"], told["title"]
        self.new_field("contacts", name, TYPES[told["type"]])
        self.listless.add(name)
        return Reply({"field": {**told, "id": self.number("contacts", name)}}, 201)

    @route("POST", "/api/3/fieldRels")
    def relate(self, call: Call) -> Reply:
        told = call.json()["fieldRel"]
        name = next(field for (_, field), number in self.numbers.items() if number == str(told["field"]))
        self.listless.discard(name)
        return Reply({"fieldRel": told}, 201)

    @route("PUT", "/api/3/contacts/{id}")
    def update(self, call: Call) -> Reply:
        id = call.path["id"]  # noqa: A001
        self.saw_batch(1)
        if id not in self.alive("contacts"):
            return Reply({"message": f"No Result found for Subscriber with id {id}"}, 404)
        why = self.refused.get(("contacts", id))
        if why is not None:
            return Reply({"errors": [{"title": why, "code": "field_invalid"}]}, 423 if why == "locked" else 422)
        values: dict[str, Any] = {}
        for one in call.json()["contact"]["fieldValues"]:
            field = next(name for (_, name), number in self.numbers.items() if number == str(one["field"]))
            kind, told = self.fields["contacts"][field], one["value"]
            assert isinstance(told, str)
            moment = datetime.fromisoformat(told).replace(tzinfo=None) if kind == "time" and told else None
            typed = float(told) if kind == "number" and told else told or None
            values[field] = moment if kind == "time" else typed
        self.edit("contacts", id, **values)
        return Reply({"contact": self.contact(self.held("contacts", id))})

    @route("POST", "/api/3/notes")
    def add_note(self, call: Call) -> Reply:
        told = call.json()["note"]
        name = {"Subscriber": "contacts", "Deal": "deals", "CustomerAccount": "accounts"}[told["reltype"]]
        if str(told["relid"]) not in self.alive(name):
            return Reply({"message": "No Result found"}, 404)
        made = self.add("notes", note=told["note"], relid=str(told["relid"]))
        self.notes.append({**told, "record": str(told["relid"]), "text": told["note"], "id": made})
        return Reply({"note": {**told, "id": made}}, 201)
