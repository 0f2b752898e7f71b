"""The same questions for a real Tryton and its stand-in, and what the answers are like: both must say the same."""

from __future__ import annotations

import base64
import json
from typing import Any

import requests

OPPORTUNITY, PARTY = "sale.opportunity", "party.party"
NOBODY = 99_999_999
FIELDS = ("description", "amount", "state", "party", "create_date", "conversion_probability")
TOLD = ("type", "readonly", "relation", "loading")


class Asker:
    """Asks one of them, and tells of the answers."""

    def __init__(self, url: str, database: str, key: str, lead: int, archived: int) -> None:
        self.base, self.key = f"{url}/{database}/rest/model", key
        self.lead, self.archived = lead, archived
        """An opportunity that was edited since it was made; a party that was replaced."""

    def ask(
        self, method: str, path: str, body: Any, *, base: str | None = None, key: str | None = None, **context: Any
    ) -> Any:
        """Return the status and what the body is like."""
        headers = {"Authorization": f"Bearer {key or self.key}", "Accept-Language": "en"}
        if context:
            headers["X-Tryton-Context"] = base64.urlsafe_b64encode(json.dumps(context).encode()).decode()
        with requests.request(method, f"{base or self.base}{path}", json=body, headers=headers, timeout=60) as answer:
            is_json = answer.headers["Content-Type"].startswith("application/json")
            return answer.status_code, answer.json() if is_json else "a page"

    def read(self, model: str, domain: Any, fields: list[str], **context: Any) -> Any:
        """Return the status, and what the records are like."""
        asked = {"domain": domain, "fields_names": fields, "limit": 5, "order": [["id", "ASC"]]}
        return self.ask("POST", f"/{model}/search_read", asked, **context)

    def all(self) -> dict[str, Any]:
        """Return all answers, by what was asked."""
        lead, gone = [["id", "=", self.lead]], ["id", "=", self.archived]
        fields = [*FIELDS, "last_modified_at", "write_date", "party.email"]
        _, (now,) = self.read(OPPORTUNITY, lead, fields)
        _, described = self.ask("POST", f"/{OPPORTUNITY}/fields_get", {"fields_names": list(FIELDS)})
        _, revisions = self.ask("POST", f"/{OPPORTUNITY}/history_revisions", {"ids": [self.lead]})
        _, (then,) = self.read(OPPORTUNITY, lead, ["description"], _datetime=now["create_date"])
        _, history = self.ask("POST", "/ir.model/list_history", {})
        rows = [[NOBODY, "x"]]
        note = {"vlist": [{"resource": f"{OPPORTUNITY},{NOBODY}", "message": "x"}]}
        status, refused = self.ask("POST", "/ir.note/create", note)
        default = {"fields_names": ["conversion_probability"], "with_rec_name": False}
        any_party = ["OR", [["id", ">", 0]], [["id", "<", 0]]]
        return {
            "a record": like(now),
            "as it was": then["description"] != now["description"],
            "its fields": {name: {key: described[name].get(key) for key in TOLD} for name in FIELDS},
            "its revisions": sorted({repr(like(one)[:2]) for one in revisions}),
            "who has a history": OPPORTUNITY in history,
            "a constant": self.ask("POST", f"/{OPPORTUNITY}/default_get", default),
            "no such field": self.read(OPPORTUNITY, lead, ["nosuch"]),
            "no such model": self.read("no.such", [], ["id"]),
            "no such record to write": self.ask("PUT", f"/{OPPORTUNITY}/{NOBODY}", {"comment": "x"}),
            "nor to import": self.ask(
                "POST", f"/{OPPORTUNITY}/import_data", {"fields_names": ["id", "comment"], "data": rows}
            ),
            "nor to note": (status, str(refused["message"]).partition(" in record")[0]),
            "a wrong key": self.ask("POST", f"/{OPPORTUNITY}/search_read", {"domain": []}, key="wrong"),
            "a wrong database": self.ask("POST", "/x/search_read", {}, base=self.base.replace("/lead/", "/other/"))[0],
            "archived": len(self.read(PARTY, [gone], ["id"])[1]),
            "archived, asked for": len(self.read(PARTY, [gone, ["active", "in", [True, False]]], ["id"])[1]),
            "archived, asked for beside an OR": len(
                self.read(PARTY, [gone, any_party, ["active", "in", [True, False]]], ["id"])[1]
            ),
        }


def like(value: Any) -> Any:
    """Return what a value is like: its class, not what it says."""
    if isinstance(value, dict):
        return value["__class__"] if "__class__" in value else {key: like(value[key]) for key in sorted(value)}
    return [like(one) for one in value] if isinstance(value, list) else type(value).__name__
