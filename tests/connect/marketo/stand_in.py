"""A Marketo subscription in memory, written from its published reference (REST API): no code or data of Marketo's."""

import csv
import io
import itertools
import re
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connect.stand_in import RETRY_AFTER, START, Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base
from leadlight.connect.protocol import Value

KINDS = {"text": "string", "number": "float", "bool": "boolean", "time": "datetime"}
TYPES = {kind: name for name, kind in KINDS.items()} | {"text": "text"}
OWN = ("id", "createdAt", "updatedAt")
ACTIVITY_TYPES = {1: "Visit Webpage", 2: "Fill Out Form", 10: "Open Email", 11: "Click Email", 34: "Add to Opportunity"}
ATTRIBUTES = {"url": "Webpage URL", "link": "Link", "referrer": "Referrer URL", "status": "New Status"}
CREATED = START - timedelta(days=110)
PAGE = 300
CAMPAIGN = 77


class StandIn(Base):
    """People, activities, opportunities, exports."""

    system = "marketo"
    people = Kind("leads", text="title", number="numberOfEmployees", history="title")
    events = Kind("activities", text="url", writes=False, more={"lead": "1001", "type": "visit_webpage"})
    deals = Kind("opportunities", text="stage", number="amount", writes=False)
    secrets: ClassVar = {"client_id": "marketo-client-1", "client_secret": "marketo-secret-1"}
    lacks: ClassVar = {
        "convert": "its leads and contacts are one object",
        "elsewhere": "its pages are tokens, not links",
        "webhook": "its webhooks are steps of campaigns, and not signed",
    }
    words: ClassVar = {"sign_in": "LaunchPoint", "scope": "Users & Roles", "disabled": "subscription"}

    def reset(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self.types = dict(ACTIVITY_TYPES)
        self.schema_locked = self.synced = self.exports_fail = False
        self._given, self._numbers = itertools.count(1), itertools.count(1)
        super().reset()

    def schema(self) -> Schema:
        names = (
            "email",
            "firstName",
            "lastName",
            "title",
            "phone",
            "company",
            "industry",
            "city",
            "country",
            "website",
        )
        lead = {**dict.fromkeys(names, "text"), "leadSource": "text", "numberOfEmployees": "number"}
        lead |= {"annualRevenue": "number", "unsubscribed": "bool", "emailInvalid": "bool"}
        own = {"id": "number", "createdAt": "time", "updatedAt": "time"}
        deal = {
            "lead": "text",
            "opportunity": "text",
            "name": "text",
            "role": "text",
            "stage": "text",
            "result": "text",
        }
        deal |= {"is_closed": "bool", "close_date": "time", "amount": "number"}
        activity = dict.fromkeys(("lead", "type", "asset", *ATTRIBUTES), "text") | {"at": "time"}
        return {"leads": {**own, **lead}, "activities": activity, "opportunities": deal}

    def settings(self) -> dict[str, Any]:
        return {"url": self.url, "created_since": f"{CREATED:%Y-%m-%d}", "poll_seconds": 1, "task_campaign": CAMPAIGN}

    # ------------------------------------------------------------------------------------------------ its life

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002
        at = at.replace(microsecond=0)
        if name == "activities":
            values["at"] = values.get("at") or at
        elif name == "opportunities":
            values["lead"] = values.get("lead") or self._anybody()
            values["close_date"] = values.get("close_date") or at
        else:
            values["updatedAt"] = at
            values["createdAt"] = values.get("createdAt") or at
            values["id"] = float(id)

    def add(self, name: str, /, *, id: str | None = None, at: datetime | None = None, **values: Value) -> str:  # noqa: A002
        made = super().add(name, id=id, at=at, **values)
        when = at or self.clock.now()
        if name == "leads":
            self._log(12, made, when)
        if name == "opportunities":
            self._log(34, str(self.records[name][made].values["lead"]), when)
        return made

    def edit(self, name: str, id: str, /, **values: Value) -> None:  # noqa: A002
        record = self.records[name][id]
        known = len(record.history)
        super().edit(name, id, **values)
        fields = [
            {"id": 1, "name": one.field, "newValue": _text(one.new), "oldValue": _text(one.old)}
            for one in record.history[known:]
        ]
        if fields and name == "leads":
            self._log(13, id, self.clock.now(), fields=fields)

    def delete(self, name: str, id: str, /) -> None:  # noqa: A002
        super().delete(name, id)
        if name == "leads":
            self._log(37, id, self.clock.now())

    def merge(self, name: str, loser: str, winner: str) -> str:
        attributes = [{"name": "Master Updated", "value": False}, {"name": "Merge IDs", "value": f"[{loser}]"}]
        self._log(32, winner, self.clock.now(), attributes=attributes)
        return super().merge(name, loser, winner)

    def too_many(self) -> Reply:
        return _failed("606", f"Max rate limit '100' exceeded with in '{RETRY_AFTER}' secs")

    def _log(self, kind: int, lead: str, at: datetime, **more: Any) -> None:
        number = next(self._numbers)
        entry = {"id": number, "marketoGUID": str(number), "leadId": int(lead), "activityTypeId": kind}
        self.log.append({**entry, "activityDate": _iso(at), "at": at.replace(microsecond=0), **more})

    def _anybody(self) -> str:
        known = self.records["leads"]
        return next(iter(known)) if known else self.add("leads", title="Somebody")

    # ------------------------------------------------------------------------------------------------- signing

    def authorised(self, call: Call) -> Reply | None:
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if self.revoked or not token.startswith("marketo-token-"):
            return _failed("601", "Access token invalid")
        if token not in self.tokens:
            return _failed("602", "Access token expired")
        if self.scope_missing:
            return _failed("603", "Access denied")
        if self.disabled:
            return _failed("703", "The feature is not enabled for the subscription")
        if self.per_day is not None and self.today[1] > self.per_day:
            return _failed("607", "Daily quota reached")
        return None

    @route("GET", "/identity/oauth/token", open=True)
    def token(self, call: Call) -> Reply:
        told = call.params
        right = {"grant_type": "client_credentials", **self.secrets}
        if self.revoked or told != right:
            return Reply({"error": "invalid_client", "error_description": "Bad client credentials"}, 401)
        token = f"marketo-token-{next(self._given)}"
        self.tokens.add(token)
        return Reply({"access_token": token, "token_type": "bearer", "expires_in": 3599, "scope": "api@example.com"})

    @route("GET", "/rest/v1/stats/usage.json")
    def usage(self, _: Call) -> Reply:
        day = f"{self.clock.now() - timedelta(hours=6):%Y-%m-%d}"
        return _well([{"date": day, "total": self.today[1], "users": []}])

    # -------------------------------------------------------------------------------------------------- reading

    @route("GET", "/rest/v1/leads/describe2.json")
    def describe2(self, _: Call) -> Reply:
        fields = [
            {"name": name, "displayName": name.title(), "dataType": KINDS[kind], "updateable": name not in OWN}
            for name, kind in self.fields["leads"].items()
        ]
        return _well([{"name": "API Lead", "searchableFields": [["email"], ["id"]], "fields": fields}])

    @route("GET", "/rest/v1/leads/schema/fields.json")
    def schema_(self, _: Call) -> Reply:
        first = self.schema()["leads"]
        fields = [{"name": name, "isCustom": name not in first} for name in self.fields["leads"]]
        return _well(fields, moreResult=False)

    @route("GET", "/rest/v1/activities/pagingtoken.json")
    def pagingtoken(self, call: Call) -> Reply:
        since = datetime.fromisoformat(call.params["sinceDatetime"]).replace(tzinfo=None)
        return _well(None, nextPageToken=f"D{since:%Y%m%d%H%M%S}.0")

    @route("GET", "/rest/v1/activities/types.json")
    def types_(self, _: Call) -> Reply:
        return _well([{"id": number, "name": name, "attributes": []} for number, name in self.types.items()])

    @route("GET", "/rest/v1/activities/leadchanges.json")
    def leadchanges(self, call: Call) -> Reply:
        names = set(self._told(call)["fields"].split(","))
        if not names <= set(self.fields["leads"]):
            return _failed("1006", f"Field '{sorted(names - set(self.fields['leads']))[0]}' not found")
        found = []
        for entry in self.log:
            fields = [one for one in entry.get("fields", ()) if one["name"] in names]
            if entry["activityTypeId"] == 12 or (entry["activityTypeId"] == 13 and fields):
                found.append({**entry, "fields": fields})
        return self._since(call, found)

    @route("POST", "/rest/v1/activities/leadchanges.json")
    def leadchanges_(self, call: Call) -> Reply:
        return self.leadchanges(call)

    @route("GET", "/rest/v1/activities/deletedleads.json")
    def deletedleads(self, call: Call) -> Reply:
        return self._since(call, [entry for entry in self.log if entry["activityTypeId"] == 37])

    @route("GET", "/rest/v1/activities.json")
    def activities(self, call: Call) -> Reply:
        kinds = {int(kind) for kind in call.params["activityTypeIds"].split(",")}
        if len(kinds) > 10:
            return _failed("1003", "Too many activity types")
        by_name = {re.sub(r"\W+", "_", name.lower()): number for number, name in self.types.items()}
        made = [
            {
                "id": int(one.id),
                "marketoGUID": one.id,
                "leadId": int(str(one.values["lead"])),
                "activityDate": _iso(one.values["at"]),
                "at": one.values["at"],
                "activityTypeId": by_name.get(str(one.values["type"]), 104),
                "primaryAttributeValue": one.values["asset"],
                "attributes": [{"name": name, "value": one.values[key]} for key, name in ATTRIBUTES.items()],
            }
            for one in self.alive("activities").values()
        ]
        found = [entry for entry in (*made, *self.log) if entry["activityTypeId"] in kinds]
        return self._since(call, found)

    def _since(self, call: Call, entries: list[dict[str, Any]]) -> Reply:
        """Answer activities after a token, which holds a moment and a place."""
        token, place = self._told(call)["nextPageToken"][1:].split(".")
        since = datetime.strptime(token, "%Y%m%d%H%M%S")
        found = sorted((entry for entry in entries if entry["at"] >= since), key=lambda one: one["at"])
        at = int(place)
        shown = [{key: value for key, value in one.items() if key != "at"} for one in found[at : at + PAGE]]
        more = len(found) > at + PAGE
        return _well(shown, nextPageToken=f"D{token}.{at + len(shown)}", moreResult=more)

    @route("GET", "/rest/v1/leads.json")
    def leads(self, call: Call) -> Reply:
        told = self._told(call)
        ids, fields = told["filterValues"].split(","), told["fields"].split(",")
        if len(ids) > PAGE:
            return _failed("1003", "At most 300 filterValues")
        found = [self.records["leads"][id_] for id_ in ids if id_ in self.alive("leads")]
        return self._page(told, [self._wire(one, fields) for one in found])

    @route("POST", "/rest/v1/leads.json")
    def sync_leads(self, call: Call) -> Reply:
        if call.params.get("_method") == "GET":
            return self.leads(call)
        told = call.json()
        self.saw_batch(len(told["input"]))
        if len(told["input"]) > PAGE or (told["action"], told["lookupField"]) != ("updateOnly", "id"):
            return _failed("1003", "Invalid data")
        return _well([self._updated(one) for one in told["input"]])

    def _updated(self, told: dict[str, Any]) -> dict[str, Any]:
        id_ = str(told.pop("id"))
        unknown = sorted(set(told) - set(self.fields["leads"]))
        why = self.refused.get(("leads", id_))
        if id_ not in self.alive("leads"):
            return _skipped("1004", "Lead not found")
        if unknown:
            return _skipped("1006", f"Field '{unknown[0]}' not found")
        if why is not None:
            return _skipped("1022", "Object in use") if why == "locked" else _skipped("1001", why)
        kinds = self.fields["leads"]
        self.edit("leads", id_, **{key: _held(value, kinds[key]) for key, value in told.items()})
        return {"id": int(id_), "status": "updated"}

    @route("POST", "/rest/v1/leads/schema/fields.json")
    def make_fields(self, call: Call) -> Reply:
        if self.schema_locked:
            return _failed("603", "Access denied")
        done = []
        for one in call.json()["input"]:
            if not re.fullmatch(r"[A-Za-z]\w*", one["name"]) or one["dataType"] not in TYPES:
                done.append({"name": one["name"], **_skipped("1003", "Invalid data")})
            else:
                self.new_field("leads", one["name"], TYPES[one["dataType"]])
                done.append({"name": one["name"], "status": "created"})
        return _well(done)

    @route("POST", "/rest/v1/campaigns/{id}/trigger.json")
    def trigger(self, call: Call) -> Reply:
        told = call.json()["input"]
        tokens = {one["name"]: one["value"] for one in told["tokens"]}
        if call.path["id"] != str(CAMPAIGN):
            return _failed("1013", "Campaign not found")
        for lead in (str(one["id"]) for one in told["leads"]):
            if lead not in self.alive("leads"):
                return _failed("1004", f"Lead '{lead}' not found")
            subject, words = tokens["{{my.leadlight subject}}"], tokens["{{my.leadlight text}}"]
            self.notes.append({"record": lead, "subject": subject, "text": words})
        return _well([{"id": CAMPAIGN}])

    @route("GET", "/rest/v1/opportunities/roles.json")
    def roles(self, call: Call) -> Reply:
        if self.synced:
            return _failed("1018", "CRM Enabled")
        told = self._told(call)
        ids = set(told["filterValues"].split(","))
        found = [
            {"marketoGUID": one.id, "externalOpportunityId": f"opp-{one.id}", "leadId": int(str(one.values["lead"]))}
            for one in self.alive("opportunities").values()
            if one.values["lead"] in ids
        ]
        return self._page(told, [{**one, "role": "Buyer"} for one in found])

    @route("GET", "/rest/v1/opportunities.json")
    def opportunities(self, call: Call) -> Reply:
        told = self._told(call)
        keys = set(told["filterValues"].split(","))
        found = [
            {
                "externalOpportunityId": f"opp-{one.id}",
                "name": one.values["name"],
                "stage": one.values["stage"],
                "amount": one.values["amount"],
                "closeDate": _iso(one.values["close_date"])[:10],
                "isClosed": bool(one.values["is_closed"]),
                "isWon": one.values["result"] == "won",
                "createdAt": _iso(one.created),
                "updatedAt": _iso(one.modified),
            }
            for one in self.alive("opportunities").values()
            if f"opp-{one.id}" in keys
        ]
        return self._page(told, found)

    def _page(self, told: dict[str, str], found: list[dict[str, Any]]) -> Reply:
        size, at = self.saw_page(int(told.get("batchSize", PAGE))), int(told.get("nextPageToken", 0))
        more = {"nextPageToken": str(at + size), "moreResult": True} if len(found) > at + size else {}
        return _well(found[at : at + size], **more)

    def _wire(self, record: Record, fields: list[str]) -> dict[str, Any]:
        kinds = self.fields["leads"]
        found = {name: _out(record.values.get(name)) for name in fields if name in kinds}
        return {"id": int(record.id), **found} | ({"id": int(record.id)} if "id" in fields else {})

    def _told(self, call: Call) -> dict[str, str]:
        return call.form() if call.method == "POST" else call.params

    # ------------------------------------------------------------------------------------------------- exports

    @route("POST", "/bulk/v1/leads/export/create.json")
    def create_export(self, call: Call) -> Reply:
        told = call.json()
        start, end = (datetime.fromisoformat(told["filter"]["createdAt"][key]) for key in ("startAt", "endAt"))
        if end - start > timedelta(days=31):
            return _failed("1003", "The range must be 31 days or fewer")
        job = f"export-{len(self.jobs) + 1}"
        self.jobs[job] = {"told": told, "range": (start.replace(tzinfo=None), end.replace(tzinfo=None)), "asked": 0}
        return _well([{"exportId": job, "status": "Created", "format": "CSV"}])

    @route("POST", "/bulk/v1/leads/export/{job}/enqueue.json")
    def enqueue(self, call: Call) -> Reply:
        job = self.jobs.get(call.path["job"])
        if job is None:
            return _failed("1013", "Object not found")
        if "file" in job:
            return _failed("1029", "Job already queued")
        start, end = job["range"]
        made = io.StringIO()
        writer = csv.writer(made, lineterminator="\n")
        fields = job["told"]["fields"]
        writer.writerow(fields)
        for one in self.alive("leads").values():
            if start <= one.created.replace(microsecond=0) <= end:
                values = {**one.values, "id": int(one.id)}
                writer.writerow([_text(values.get(name)) or "null" for name in fields])
        job["file"] = made.getvalue().encode()
        return _well([{"exportId": call.path["job"], "status": "Queued"}])

    @route("GET", "/bulk/v1/leads/export/{job}/status.json")
    def export_status(self, call: Call) -> Reply:
        job = self.jobs.get(call.path["job"])
        if job is None:
            return _failed("1013", "Object not found")
        job["asked"] += 1
        if self.exports_fail:
            return _well([{"exportId": call.path["job"], "status": "Failed"}])
        done = job["asked"] > 1
        size = {"fileSize": len(job["file"])} if done else {}
        return _well([{"exportId": call.path["job"], "status": "Completed" if done else "Processing", **size}])

    @route("GET", "/bulk/v1/leads/export/{job}/file.json")
    def export_file(self, call: Call) -> Reply:
        file = self.jobs[call.path["job"]]["file"]
        told = re.fullmatch(r"bytes=(\d+)-(\d+)", call.headers.get("range", ""))
        if told is None:
            return Reply(file, 200, {"Content-Type": "text/csv"})
        start, end = int(told[1]), int(told[2])
        if start >= len(file):
            return Reply(b"", 416)
        headers = {"Content-Type": "text/csv", "Content-Range": f"bytes {start}-{end}/{len(file)}"}
        return Reply(file[start : end + 1], 206, headers)


def _well(result: Any, **more: Any) -> Reply:
    return Reply({"requestId": "a1#1", "success": True, **({} if result is None else {"result": result}), **more})


def _failed(code: str, message: str) -> Reply:
    return Reply({"requestId": "a1#1", "success": False, "errors": [{"code": code, "message": message}]})


def _skipped(code: str, message: str) -> dict[str, Any]:
    return {"status": "skipped", "reasons": [{"code": code, "message": message}]}


def _iso(value: Any) -> str:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}"


def _out(value: Value) -> Any:
    return _iso(value) if isinstance(value, datetime) else value


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(_out(value))


def _held(value: Any, kind: str) -> Value:
    if value is None:
        return None
    if kind == "time":
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
    if kind == "number":
        return float(value)
    return bool(value) if kind == "bool" else str(value)
