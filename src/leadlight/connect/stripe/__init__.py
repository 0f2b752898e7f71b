"""Stripe: customers, subscriptions and payments; outcomes from what is paid; scores back into metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from leadlight.connect.protocol import (
    About,
    Limits,
    Note,
    Object,
    Page,
    PushField,
    Readied,
    Secret,
    Settings,
    Surroundings,
    Value,
    Want,
    Write,
    Written,
)
from leadlight.connect.stripe import api, map, webhook, write  # noqa: A004 - every connector has its map
from leadlight.connect.stripe.describe import METADATA, describe
from leadlight.connect.stripe.read import Reader
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

if TYPE_CHECKING:
    from leadlight.connect.http import Http, Way

ABOUT = About(
    name="stripe",
    title=api.TITLE,
    secrets=(
        Secret("api_key", "STRIPE_API_KEY", f"{api.KEYS} > Create restricted key (rk_…)"),
        Secret(
            "webhook_secret",
            "STRIPE_WEBHOOK_SECRET",
            "Developers > Webhooks, your endpoint > Signing secret (whsec_…); only to hear of changes at once",
            needed=False,
        ),
    ),
    limits=Limits(per_second=20.0, page=api.PAGE),
    documentation="https://docs.stripe.com/api",
    scopes=("Customers: Write", "Subscriptions: Read", "Invoices: Read", "Charges: Read", "Events: Read"),
    listens=True,
)

USUAL: Mapping[str, Type] = {
    "metadata_leadlight_score": Type.NUMBER,
    "metadata_leadlight_probability": Type.NUMBER,
    "metadata_leadlight_scored_at": Type.TIME,
}
"""What is in metadata of the usual names that is no text."""


class StripeSettings(Settings):
    """Settings of stripe: none besides `url`."""


class StripeSession:
    """An account that is signed in to."""

    def __init__(self, http: Http, now: datetime) -> None:
        self._http, self._now = http, now
        self._types = dict(USUAL)
        """What metadata hold, which are text to Stripe: told by `ready`."""

    def describe(self, objects: Sequence[str] | None = None) -> Sequence[Object]:
        """Return objects with their metadata. Raises RemoteError, NotFoundError."""
        return describe(self._http, objects)

    def read(self, want: Want) -> Iterator[Page]:
        """Yield what became of records since the cursor. Raises RemoteError."""
        return Reader(self._http, self._now).pages(want)

    def ready(self, object: str, fields: Sequence[PushField], *, dry: bool = False) -> Sequence[Readied]:  # noqa: A002, ARG002
        """Say that metadata take these fields: nothing has to be made."""
        self._types |= {METADATA + field.name.removeprefix(METADATA): field.type for field in fields}
        return write.ready(object, fields)

    def look(self, object: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:  # noqa: A002
        """Return what metadata hold now. Raises RemoteError."""
        return write.look(self._http, object, ids, fields, self._types)

    def write(self, object: str, batch: Sequence[Write]) -> Sequence[Written]:  # noqa: A002
        """Write metadata of records. Raises RemoteError."""
        return write.write(self._http, object, batch)

    def note(self, object: str, notes: Sequence[Note]) -> Sequence[Written]:  # noqa: A002, ARG002
        """Say that there is no place for tasks."""
        return write.note(notes)


class Stripe:
    """The connector."""

    about = ABOUT
    settings: type[Settings] = StripeSettings
    mapping: Mapping[str, Mapping[str, Any]] = map.MAPPING
    starter = map.STARTER
    scorecard = map.SCORECARD

    def way(self, settings: Settings, secrets: Mapping[str, str]) -> Way:
        """Say where the API is and how requests are signed. Raises RemoteError for a key that cannot read."""
        from leadlight.connect.auth import Bearer
        from leadlight.connect.http import Way

        key = secrets.get("api_key", "")
        if key.startswith(("pk_", "whsec_")):
            words = "STRIPE_API_KEY holds a publishable key or a webhook's secret, and neither may read"
            fix = f"{api.KEYS} > Create restricted key: it begins with rk_."
            raise RemoteError(api.TITLE, "sign_in", words, fix=fix)
        headers = {"Stripe-Version": api.VERSION}
        return Way(settings.url or api.BASE, Bearer(key), refusal=api.refusal, headers=headers)

    def open(self, settings: Settings, surroundings: Surroundings) -> StripeSession:  # noqa: ARG002
        """Return a session; the first request shows whether the key is right."""
        if surroundings.http is None:
            raise ValueError("Stripe speaks HTTP")
        return StripeSession(surroundings.http, surroundings.now)

    def changed(
        self,
        headers: Mapping[str, str],
        body: bytes,
        *,
        url: str,  # noqa: ARG002 - not signed
        secrets: Mapping[str, str],
        now: datetime,
    ) -> Sequence[str]:
        """Return which objects a webhook tells of. Raises PermissionError."""
        return webhook.changed(headers, body, secret=secrets.get("webhook_secret"), key=secrets.get("api_key"), now=now)


CONNECTOR = Stripe()
