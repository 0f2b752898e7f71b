"""What there is: five of Stripe's objects, flattened; metadata are fields of their own (`metadata_plan`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from leadlight.connect.protocol import Field, Object
from leadlight.connect.stripe import api
from leadlight.connect.unknown import no_object
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

if TYPE_CHECKING:
    from leadlight.connect.http import Http

Kind = Literal["text", "number", "bool", "time", "money", "id"]
METADATA = "metadata_"
SAMPLED = 100
"""Records whose metadata tell which keys there are."""
KEYS_MOST = 200
NATIVE = ("name", "description", "email", "phone")
"""Fields of a customer that could be written besides metadata."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where a field stands in a record, and what it is."""

    name: str
    kind: Kind = "text"
    path: tuple[str | int, ...] = ()
    label: str = ""

    @property
    def type(self) -> Type:
        """Its type."""
        kinds = {"number": Type.NUMBER, "money": Type.NUMBER, "bool": Type.BOOL, "time": Type.TIME}
        return kinds.get(self.kind, Type.TEXT)


@dataclass(frozen=True, slots=True)
class Thing:
    """An object of Stripe's: where it is listed, and which events tell of it."""

    name: str
    title: str
    parts: tuple[Part, ...]
    events: tuple[str, ...]
    """Types of events that hold it as it was then."""
    deleted: str | None = None
    """The type of the event of its deletion."""
    params: Mapping[str, str] | None = None
    """What its list is asked besides, so that it names all of them."""
    noun: str = ""
    """What it is called in types of events (`customer.subscription`)."""


def _texts(*names: str) -> tuple[Part, ...]:
    return tuple(Part(name) for name in names)


def _monies(*names: str) -> tuple[Part, ...]:
    return tuple(Part(name, "money") for name in names)


def _times(*names: str) -> tuple[Part, ...]:
    return tuple(Part(name, "time") for name in names)


def _of(*names: str, noun: str) -> tuple[str, ...]:
    return tuple(f"{noun}.{name}" for name in names)


CUSTOMER = Part("customer", "id")
FIRST_ITEM = ("items", "data", 0)
CUSTOMERS = Thing(
    "customers",
    "Customers",
    (
        *_times("created"),
        *_texts(*NATIVE, "currency"),
        *(Part(f"address_{name}", path=("address", name)) for name in ("city", "state", "postal_code", "country")),
        Part("language", path=("preferred_locales", 0)),
        Part("balance", "money"),
        Part("delinquent", "bool"),
        Part("livemode", "bool"),
    ),
    _of("created", "updated", "deleted", noun="customer"),
    deleted="customer.deleted",
    noun="customer",
)
SUBSCRIPTIONS = Thing(
    "subscriptions",
    "Subscriptions",
    (
        *_times("created", "start_date", "trial_start", "trial_end", "canceled_at", "ended_at"),
        CUSTOMER,
        *_texts("status", "currency"),
        Part("cancel_at_period_end", "bool"),
        Part("cancellation_reason", path=("cancellation_details", "reason")),
        Part("cancellation_feedback", path=("cancellation_details", "feedback")),
        Part("amount", "money", label="Of one period, all items together"),
        Part("quantity", "number", (*FIRST_ITEM, "quantity")),
        Part("price", "id", (*FIRST_ITEM, "price")),
        Part("product", "id", (*FIRST_ITEM, "price", "product")),
        Part("interval", path=(*FIRST_ITEM, "price", "recurring", "interval")),
        Part("interval_count", "number", (*FIRST_ITEM, "price", "recurring", "interval_count")),
        Part("livemode", "bool"),
    ),
    _of("created", "updated", "deleted", "paused", "resumed", noun="customer.subscription"),
    params={"status": "all"},
    noun="customer.subscription",
)
INVOICES = Thing(
    "invoices",
    "Invoices",
    (
        *_times("created", "due_date"),
        CUSTOMER,
        *_texts("customer_email", "status", "billing_reason", "number", "currency"),
        Part("subscription", "id", ("parent", "subscription_details", "subscription")),
        *_monies("total", "amount_due", "amount_paid", "amount_remaining"),
        Part("attempt_count", "number"),
        *(Part(name, "time", ("status_transitions", name)) for name in ("finalized_at", "paid_at", "voided_at")),
        Part("marked_uncollectible_at", "time", ("status_transitions", "marked_uncollectible_at")),
        Part("livemode", "bool"),
    ),
    _of(
        *("created", "updated", "deleted", "finalized", "paid", "payment_failed", "voided", "marked_uncollectible"),
        noun="invoice",
    ),
    deleted="invoice.deleted",
    noun="invoice",
)
CHARGES = Thing(
    "charges",
    "Charges",
    (
        *_times("created"),
        Part("event", label="payment, payment_failed or payment_pending"),
        CUSTOMER,
        Part("email", path=("billing_details", "email")),
        *_texts("status", "description", "currency", "failure_code"),
        Part("method", path=("payment_method_details", "type")),
        Part("paid", "bool"),
        Part("refunded", "bool"),
        *_monies("amount", "amount_refunded"),
        Part("livemode", "bool"),
    ),
    _of("succeeded", "failed", "pending", "captured", "refunded", "updated", "expired", noun="charge"),
    noun="charge",
)
PAYMENT_INTENTS = Thing(
    "payment_intents",
    "Payment intents",
    (
        *_times("created", "canceled_at"),
        CUSTOMER,
        *_texts("status", "description", "currency", "cancellation_reason", "receipt_email"),
        *_monies("amount", "amount_received"),
        Part("livemode", "bool"),
    ),
    _of(
        *("created", "processing", "requires_action", "amount_capturable_updated", "partially_funded"),
        *("payment_failed", "succeeded", "canceled"),
        noun="payment_intent",
    ),
    noun="payment_intent",
)
THINGS = {one.name: one for one in (CUSTOMERS, SUBSCRIPTIONS, INVOICES, CHARGES, PAYMENT_INTENTS)}
WRITABLE = ("customers", "subscriptions")
"""Objects whose metadata take scores."""


def describe(http: Http, names: Sequence[str] | None) -> list[Object]:
    """Return objects with the metadata that some of their records have. Raises RemoteError, NotFoundError."""
    for name in names or ():
        if name not in THINGS:
            raise no_object("Stripe gives no object", name, THINGS)
    found = []
    for name in names if names is not None else THINGS:
        try:
            found.append(_object(THINGS[name], _keys(http, THINGS[name])))
        except RemoteError as error:
            if names is not None or error.trouble not in ("scope", "disabled"):
                raise
    return found


def _object(thing: Thing, keys: Sequence[str]) -> Object:
    own = [
        Field(part.name, part.type, part.label, writable=thing is CUSTOMERS and part.name in NATIVE)
        for part in thing.parts
    ]
    metadata = [
        Field(METADATA + key, Type.TEXT, f"Metadata {key}", custom=True, writable=thing.name in WRITABLE)
        for key in keys
    ]
    return Object(thing.name, thing.title, (*own, *metadata), created_at="created")


def _keys(http: Http, thing: Thing) -> list[str]:
    """Return the keys of metadata in use, as far as the newest records tell."""
    found, _ = api.listed(http, f"/v1/{thing.name}", **(thing.params or {}))
    keys: set[str] = set()
    for one in found[:SAMPLED]:
        metadata = one.get("metadata")
        keys |= {str(key) for key in metadata} if isinstance(metadata, dict) else set()
    return sorted(keys)[:KEYS_MOST]
