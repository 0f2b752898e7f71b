"""Stripe on loopback, after its published reference: lists, events of 30 days, metadata, idempotency keys."""

from __future__ import annotations

import hmac
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any

from connect.stand_in import RETRY_AFTER, Call, Kind, Record, Reply, Schema, route
from connect.stand_in import StandIn as Base
from leadlight.connect.protocol import Value

PAGE, TYPES_MOST, KEPT = 100, 20, timedelta(days=30)
KEYS_MOST, KEY_MOST, VALUE_MOST = 50, 40, 500
UNITS = {"usd": 100, "eur": 100, "jpy": 1, "kwd": 1000, "isk": 100}
NOUNS = {
    "customers": "customer",
    "subscriptions": "customer.subscription",
    "invoices": "invoice",
    "charges": "charge",
    "payment_intents": "payment_intent",
}
PREFIXES = {"customers": "cus", "subscriptions": "sub", "invoices": "in", "charges": "ch", "payment_intents": "pi"}
MONEY = {"balance", "amount", "amount_paid", "amount_due", "amount_remaining", "total", "amount_refunded"}
MONEY |= {"amount_received"}
NESTED = {
    "address_city": ("address", "city"),
    "address_state": ("address", "state"),
    "address_postal_code": ("address", "postal_code"),
    "address_country": ("address", "country"),
    "cancellation_reason": ("cancellation_details", "reason"),
    "cancellation_feedback": ("cancellation_details", "feedback"),
    "subscription": ("parent", "subscription_details", "subscription"),
    "finalized_at": ("status_transitions", "finalized_at"),
    "paid_at": ("status_transitions", "paid_at"),
    "voided_at": ("status_transitions", "voided_at"),
    "marked_uncollectible_at": ("status_transitions", "marked_uncollectible_at"),
    "method": ("payment_method_details", "type"),
}
NATIVE = ("name", "description", "email", "phone")
ITEM = {"quantity", "price", "product", "interval", "interval_count"}


class StandIn(Base):
    """An account's sandbox."""

    system = "stripe"
    people = Kind("customers", text="name", number="balance")
    deals = Kind("invoices", text="number", number="amount_paid", writes=False)
    events = Kind("charges", text="description", number="amount", writes=False)
    secrets = {"api_key": "rk_test_abc123def", "webhook_secret": "whsec_abc123def"}
    lacks = {
        "merge": "Stripe does not merge customers",
        "convert": "a customer becomes nothing else",
        "history": "its events go back for 30 days, and are read from the second time on",
        "note": "it has neither tasks nor notes",
        "ready": "metadata take any key without its being made",
        "expire": "its keys do not run out and renew",
        "drop_field": "its fields are its own, and stay",
        "elsewhere": "its next pages are places, not addresses",
    }
    words = {"sign_in": "STRIPE_API_KEY", "scope": "customer", "disabled": "Dashboard"}

    def schema(self) -> Schema:
        address = [f"address_{name}" for name in ("city", "state", "postal_code", "country")]
        customer = dict.fromkeys((*NATIVE, "currency", *address, "language"), "string") | {"balance": "number"}
        held = {"created": "time", "livemode": "bool", "customer": "string", "currency": "string", "status": "string"}
        times = ("start_date", "trial_start", "trial_end", "canceled_at", "ended_at")
        reasons = dict.fromkeys(("cancellation_reason", "cancellation_feedback"), "string")
        item = dict.fromkeys(ITEM, "string") | {"quantity": "number", "interval_count": "number"}
        moved = dict.fromkeys(("finalized_at", "paid_at", "voided_at", "marked_uncollectible_at", "due_date"), "time")
        money = dict.fromkeys(("total", "amount_due", "amount_paid", "amount_remaining", "attempt_count"), "number")
        invoice = dict.fromkeys(("customer_email", "billing_reason", "number", "subscription"), "string")
        charge = dict.fromkeys(("email", "description", "failure_code", "method", "event"), "string")
        paid = {"amount": "number", "amount_refunded": "number", "paid": "bool", "refunded": "bool"}
        intent = dict.fromkeys(("description", "cancellation_reason", "receipt_email"), "string")
        return {
            "customers": {**customer, "created": "time", "livemode": "bool", "delinquent": "bool"},
            "subscriptions": {**held, **dict.fromkeys(times, "time"), **reasons, **item, "amount": "number"},
            "invoices": {**held, **moved, **money, **invoice},
            "charges": {**held, **charge, **paid},
            "payment_intents": {
                **held,
                **intent,
                "canceled_at": "time",
                "amount": "number",
                "amount_received": "number",
            },
        }

    def reset(self) -> None:
        super().reset()
        self.log: list[dict[str, Any]] = []
        """Events, the oldest first."""
        self.answered: dict[str, Reply] = {}
        """By idempotency key."""
        self.ordered: dict[str, tuple[list[Record], dict[str, int]]] = {}

    # ------------------------------------------------------------------------------------------- the system's life

    def new_id(self, name: str, number: int) -> str:
        return f"{PREFIXES[name]}_{1000 + number}"

    def custom_name(self, field: str) -> str:
        """Return what a field of that name is called."""
        return f"metadata_{field}"

    def fill(self, name: str, values: dict[str, Value], id: str, at: datetime) -> None:  # noqa: A002, ARG002
        values["created"] = values.get("created") or at
        values["livemode"] = False
        values["currency"] = values.get("currency") or "usd"
        if name == "charges":
            values["status"] = values.get("status") or "succeeded"
            values["event"] = {"succeeded": "payment", "failed": "payment_failed"}.get(str(values["status"]))

    def add(self, name: str, /, *, id: str | None = None, at: datetime | None = None, **values: Value) -> str:  # noqa: A002
        made = super().add(name, id=id, at=at, **values)
        status = str(self.held(name, made).values.get("status"))
        self._tell(name, made, status if name == "charges" else "created", at)
        return made

    def edit(self, name: str, id: str, /, **values: Value) -> None:  # noqa: A002
        super().edit(name, id, **values)
        self._tell(name, id, "updated")

    def delete(self, name: str, id: str, /) -> None:  # noqa: A002
        super().delete(name, id)
        self._tell(name, id, "deleted")

    def _tell(self, name: str, id_: str, what: str, at: datetime | None = None) -> None:
        number, kind = len(self.log) + 1, f"{NOUNS[name]}.{what}"
        data = {"object": self._wire(self.held(name, id_))}
        base = {"id": f"evt_{number}", "object": "event", "api_version": "2024-06-20", "livemode": False}
        self.log.append({**base, "created": _seconds(at or self.clock.now()), "type": kind, "data": data})

    def webhook(self, name: str, url: str) -> tuple[dict[str, str], bytes]:  # noqa: ARG002
        """Return a webhook that tells of a change of an object, signed as Stripe does."""
        event = {"id": "evt_x", "object": "event", "livemode": False, "type": f"{NOUNS[name]}.updated"}
        body, stamp = json.dumps(event).encode(), str(_seconds(self.clock.now()))
        secret = self.secrets["webhook_secret"].encode()
        signed = hmac.new(secret, stamp.encode() + b"." + body, sha256).hexdigest()
        return {"Stripe-Signature": f"t={stamp},v1={'0' * 64},v1={signed},v0=abc"}, body

    def too_many(self) -> Reply:
        return _error("Too many requests", 429, code="rate_limit", headers={"Retry-After": str(RETRY_AFTER)})

    def authorised(self, call: Call) -> Reply | None:
        if self.revoked or call.headers.get("authorization") != f"Bearer {self.secrets['api_key']}":
            return _error("Invalid API Key provided: rk_test_*********def", 401)
        if "stripe-version" not in call.headers:
            return _error("no version", 418)
        if self.scope_missing:
            told = "The provided key does not have the required permissions for this endpoint. Having the "
            return _error(f"{told}'rak_customer_read' permission would allow this request to continue.", 403)
        if self.disabled:
            return _error("This account is not active.", 403)
        return None

    # ------------------------------------------------------------------------------------------------------- lists

    @route("GET", "/v1/events")
    def listed_events(self, call: Call) -> Reply:
        kinds = call.all("types[]") or [value for key, value in call.query if key.startswith("types[")]
        if len(kinds) > TYPES_MOST:
            return _error("You may only specify up to 20 types", 400)
        oldest = _seconds(self.clock.now() - KEPT)
        held = [one for one in self.log if one["created"] >= oldest and (not kinds or one["type"] in kinds)]
        held = [one for one in held if _within(one["created"], call.params)]
        held.sort(key=lambda one: (one["created"], int(one["id"].partition("_")[2])), reverse=True)
        after, size = call.params.get("starting_after"), self.saw_page(int(call.params.get("limit", 10)))
        start = next((place + 1 for place, one in enumerate(held) if one["id"] == after), 0)
        shown, more = held[start : start + size], start + size < len(held)
        return Reply({"object": "list", "url": "/v1/events", "has_more": more, "data": shown})

    @route("GET", "/v1/{object}")
    def listed(self, call: Call) -> Reply:
        name, params = call.path["object"], call.params
        if name not in self.records:
            return _error(f"Unrecognized request URL (GET: /v1/{name})", 404)
        whole = name != "subscriptions" or params.get("status") == "all"
        ordered, places = self._newest_first(name)
        after, limit = params.get("starting_after"), int(params.get("limit", 10))
        if not 1 <= limit <= PAGE:
            return _error("Invalid integer: limit", 400)
        if after is not None and (after not in places or self.held(name, after).gone):
            return _error(f"No such object: '{after}'", 400, code="resource_missing", param="starting_after")
        size = self.saw_page(limit)
        later = islice(ordered, 0 if after is None else places[after] + 1, None)
        there = (one for one in later if not one.gone and (whole or one.values.get("status") != "canceled"))
        found = list(islice((one for one in there if _within(_seconds(one.created), params)), size + 1))
        shown = [self._wire(one) for one in found[:size]]
        return Reply({"object": "list", "url": f"/v1/{name}", "has_more": len(found) > size, "data": shown})

    def _newest_first(self, name: str) -> tuple[list[Record], dict[str, int]]:
        held = self.records[name]
        if name not in self.ordered or len(self.ordered[name][0]) != len(held):
            number = {one.id: int(one.id.partition("_")[2]) for one in held.values()}
            ordered = sorted(held.values(), key=lambda one: (one.created, number[one.id]), reverse=True)
            self.ordered[name] = ordered, {one.id: place for place, one in enumerate(ordered)}
        return self.ordered[name]

    # ----------------------------------------------------------------------------------------------------- records

    @route("GET", "/v1/{object}/{id}")
    def retrieved(self, call: Call) -> Reply:
        name, id_ = call.path["object"], call.path["id"]
        record = self.records[name].get(id_)
        if record is None:
            return _error(f"No such {NOUNS[name]}: '{id_}'", 404, code="resource_missing")
        if record.gone:
            return Reply({"id": id_, "object": NOUNS[name], "deleted": True})
        return Reply(self._wire(record))

    @route("POST", "/v1/{object}/{id}")
    def updated(self, call: Call) -> Reply:
        key = call.headers.get("idempotency-key", "")
        if key not in self.answered:
            reply = self._update(call.path["object"], call.path["id"], call.form())
            if reply.status == 429 or not key:
                return reply
            self.answered[key] = reply
        return self.answered[key]

    def _update(self, name: str, id_: str, form: dict[str, str]) -> Reply:
        self.saw_batch(1)
        why = self.refused.get((name, id_))
        if id_ not in self.alive(name):
            return _error(f"No such {NOUNS[name]}: '{id_}'", 404, code="resource_missing")
        if why is not None:
            if why == "locked":
                return _error("This object cannot be accessed right now", 429, code="lock_timeout")
            return _error(f"Invalid value: {why}", 400, param="metadata")
        metadata = {key.removeprefix("metadata[").removesuffix("]"): text for key, text in form.items() if "[" in key}
        held = self.held(name, id_).values
        keys = {key for key, value in held.items() if key.startswith("metadata_") and value is not None}
        keys |= {f"metadata_{key}" for key, text in metadata.items() if text}
        if (
            any(len(key) > KEY_MOST or len(text) > VALUE_MOST for key, text in metadata.items())
            or len(keys) > KEYS_MOST
        ):
            return _error("Metadata has a key or value that is too long, or too many of them", 400, param="metadata")
        kinds = self.fields[name]
        given: dict[str, Value] = {key: text or None for key, text in form.items() if key in NATIVE}
        for key, text in metadata.items():
            kinds.setdefault(f"metadata_{key}", "string")
            given[f"metadata_{key}"] = text or None
        self.edit(name, id_, **given)
        return Reply(self._wire(self.held(name, id_)))

    @route("POST", "/v1/{object}")
    def created(self, call: Call) -> Reply:
        name = call.path["object"]
        made = self.add(name, **{key: text for key, text in call.form().items() if key in NATIVE})
        return Reply(self._wire(self.held(name, made)))

    @route("DELETE", "/v1/{object}/{id}")
    def deleted(self, call: Call) -> Reply:
        name, id_ = call.path["object"], call.path["id"]
        self.delete(name, id_)
        return Reply({"id": id_, "object": NOUNS[name], "deleted": True})

    # -------------------------------------------------------------------------------------------------------- wire

    def _wire(self, record: Record) -> dict[str, Any]:
        values, unit = record.values, UNITS[str(record.values["currency"])]
        body: dict[str, Any] = {"id": record.id, "object": NOUNS[record.object].rpartition(".")[2]}
        metadata: dict[str, str] = {}
        for name, value in values.items():
            told: Any = value
            if isinstance(value, datetime):
                told = _seconds(value)
            elif name in MONEY and isinstance(value, float):
                told = round(value * unit)
            if name.startswith("metadata_"):
                metadata |= {name.removeprefix("metadata_"): str(value)} if value is not None else {}
            elif not (name == "event" or (record.object == "subscriptions" and name in {*ITEM, "amount"})):
                path = ("billing_details", "email") if name == "email" and record.object == "charges" else None
                _put(body, path or NESTED.get(name, (name,)) if record.object != "payment_intents" else (name,), told)
        body["metadata"] = metadata
        if record.object == "customers":
            body["preferred_locales"] = [body.pop("language")] if values.get("language") else []
        if record.object == "subscriptions":
            body["items"] = {"object": "list", "has_more": False, "data": self._items(values, unit)}
        return body

    def _items(self, values: dict[str, Value], unit: int) -> list[dict[str, Any]]:
        amount, quantity = values.get("amount"), values.get("quantity")
        if not isinstance(amount, float) or not isinstance(quantity, float):
            return []
        price = {"id": values.get("price"), "product": values.get("product"), "currency": values["currency"]}
        recurring = {"interval": values.get("interval"), "interval_count": values.get("interval_count")}
        unit_amount = round(amount * unit / quantity)
        return [{"quantity": int(quantity), "price": {**price, "unit_amount": unit_amount, "recurring": recurring}}]


def _error(
    message: str,
    status: int,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    kind = {429: "rate_limit_error"}.get(status, "invalid_request_error")
    told = {"type": kind, "message": message} | ({"code": code} if code else {}) | ({"param": param} if param else {})
    return Reply({"error": told}, status, headers or {})


def _within(at: int, params: dict[str, str]) -> bool:
    tests = {"gte": at.__ge__, "gt": at.__gt__, "lte": at.__le__, "lt": at.__lt__}
    return all(test(int(params[f"created[{name}]"])) for name, test in tests.items() if f"created[{name}]" in params)


def _put(body: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        body = body.setdefault(step, {})
    body[path[-1]] = value


def _seconds(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp())
