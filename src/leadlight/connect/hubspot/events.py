"""What happened and never changes: events of marketing e-mails, and forms that were sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from leadlight.connect import typed as plain
from leadlight.connect.hubspot import api
from leadlight.connect.hubspot.describe import CONTACT, EMAIL_EVENTS
from leadlight.connect.hubspot.values import time
from leadlight.connect.protocol import Page, Row, Value, Want
from leadlight.connect.refusals import odd
from leadlight.errors import RemoteError

if TYPE_CHECKING:
    from leadlight.connect.http import Http

EVENTS_PAGE, SUBMISSIONS_PAGE, FORMS_PAGE = 1000, 50, 100
CONTACTS_BATCH = 100
LATE = timedelta(hours=1)
"""How late an event may come to be listed."""
FORMS_MOST = 5000
EMAILS = ("email", "hs_additional_emails")


class EventReader:
    """Reads events of one account."""

    def __init__(self, http: Http, now: datetime, types: Iterable[str]) -> None:
        """`types` are those of e-mail events that are read."""
        self._http, self._now, self._types = http, api.millis(now), sorted({kind.upper() for kind in types})

    def pages(self, want: Want) -> Iterator[Page]:
        """Yield the events since the cursor. Raises RemoteError."""
        read = self._emails if want.object.name == EMAIL_EVENTS.name else self._submissions
        names = {field.name for field in want.object.fields}
        for page in read(dict(want.cursor or {})):
            rows = self._with_contacts(page.rows) if CONTACT in names else page.rows
            cut = [replace(row, values={name: row.values.get(name) for name in names}) for row in rows]
            yield Page(cut, page.cursor)

    # ----------------------------------------------------------------------------------------------------- e-mails

    def _emails(self, place: dict[str, Any]) -> Iterator[Page]:
        """Yield the events from `since` to `until`, type by type, the newest first: so HubSpot gives them."""
        since, until = place.get("since"), int(place.get("until", self._now))
        here: dict[str, Any] = {"since": since, "until": until}
        for kind in self._types:
            if kind < str(place.get("type", "")):
                continue
            offset = place.get("offset") if kind == place.get("type") else None
            while True:
                params = {"eventType": kind, "limit": EVENTS_PAGE, "endTimestamp": until}
                params |= {"startTimestamp": since} if since is not None else {}
                try:
                    body = self._http.get(api.EMAIL_EVENTS, **params, **({"offset": offset} if offset else {}))
                except RemoteError as error:
                    if error.trouble != "invalid" or not offset:
                        raise
                    offset = None  # the place is no longer known: from the newest on
                    continue
                if not isinstance(body, dict) or not isinstance(body.get("events"), list):
                    raise odd(api.TITLE, "`events` is no list")
                found = [row for event in api.dicts(body["events"]) if (row := _email(event)) is not None]
                offset = body.get("offset") if body.get("hasMore") is True else None
                yield Page(found, {**here, "type": kind, "offset": offset} if offset else {**here, "type": kind + "\0"})
                if not offset:
                    break
        yield Page((), {"since": until - _late()})

    # ------------------------------------------------------------------------------------------------------- forms

    def _submissions(self, place: dict[str, Any]) -> Iterator[Page]:
        """Yield what was sent since `since`, form by form in the order of their numbers, the newest first."""
        since, until = place.get("since"), int(place.get("until", self._now))
        at_form, after = str(place.get("form", "")), place.get("after")
        end = {"since": until - _late()}
        for form, name in sorted(self._forms()):
            if form < at_form:
                continue
            after = after if form == at_form else None
            while True:
                body = self._submitted(form, after)
                found = [row for one in api.results(body) if (row := _submission(form, name, one))]
                fresh = [row for row in found if since is None or _sent(row) >= since]
                after = api.after(body) if len(fresh) == len(found) else None
                here = {"since": since, "until": until, "form": form}
                yield Page(fresh, {**here, "after": after} if after else {**here, "form": form + "\0"})
                if after is None:
                    break
        yield Page((), end)

    def _submitted(self, form: str, after: str | None) -> dict[str, Any]:
        more = {"after": after} if after else {}
        answer = self._http.ask(
            "GET",
            f"{api.SUBMISSIONS}/{form}",
            params={"limit": SUBMISSIONS_PAGE, **more},
            expect=(api.NOT_FOUND,),  # deleted since the list was read
        )
        body = answer.json() if answer.status != api.NOT_FOUND else {"results": []}
        return body if isinstance(body, dict) else {}

    def _forms(self) -> Iterator[tuple[str, str]]:
        after = None
        for _ in range(FORMS_MOST // FORMS_PAGE):
            body = self._http.get(api.FORMS, limit=FORMS_PAGE, **({"after": after} if after else {}))
            for one in api.results(body):
                if isinstance(one.get("id"), str) and one["id"].replace("-", "").isalnum():
                    yield one["id"], str(one.get("name") or one["id"])
            after = api.after(body)
            if after is None:
                return

    # ---------------------------------------------------------------------------------------------------- contacts

    def _with_contacts(self, rows: Iterable[Row]) -> list[Row]:
        """Put in the contact whose address an event names; none where no contact has it (any more)."""
        rows = list(rows)
        found = self._contacts({address for row in rows if (address := _address(row))})
        return [replace(row, values={**row.values, CONTACT: found.get(_address(row) or "")}) for row in rows]

    def _contacts(self, addresses: set[str]) -> dict[str, str]:
        known: dict[str, str] = {}
        ordered = sorted(addresses)
        for start in range(0, len(ordered), CONTACTS_BATCH):
            inputs = [{"id": address} for address in ordered[start : start + CONTACTS_BATCH]]
            asked = {"properties": list(EMAILS), "propertiesWithHistory": []}
            body = {"idProperty": "email", "inputs": inputs, **asked}
            for one in api.results(self._http.post(api.objects("contacts", "batch", "read"), body)):
                properties = one.get("properties")
                properties = properties if isinstance(properties, dict) else {}
                held = ";".join(str(properties.get(name) or "") for name in EMAILS)
                known |= {address.strip().lower(): api.id_of(one) for address in held.split(";") if address.strip()}
        return known


def _email(event: dict[str, Any]) -> Row | None:
    kind, id_ = event.get("type"), event.get("id")
    if not isinstance(kind, str) or not isinstance(id_, str):
        return None
    values: dict[str, Value] = {
        "event": f"email_{kind.lower()}",
        "type": kind,
        "created": time(event.get("created") or ""),
        "recipient": plain.text(event.get("recipient")),
        "subject": plain.text(event.get("subject")),
        "url": plain.text(event.get("url")),
        "campaign": plain.text(event.get("emailCampaignId")),
        "app": plain.text(event.get("appName")),
        "filtered": event.get("filteredEvent") is True,
    }
    return Row(f"{event.get('created')}-{id_}", values)


def _submission(form: str, name: str, found: dict[str, Any]) -> Row | None:
    at = time(found.get("submittedAt") or "")
    if at is None:
        return None
    fields = {str(one.get("name")): one.get("value") for one in api.dicts(found.get("values"))}
    id_ = found.get("conversionId")
    if not isinstance(id_, str) or not id_:
        told = repr((form, at.isoformat(), sorted((key, str(value)) for key, value in fields.items())))
        id_ = sha256(told.encode()).hexdigest()[:32]
    values: dict[str, Value] = {
        "form": form,
        "form_name": name,
        "submitted_at": at,
        "email": plain.text(fields.get("email")),
        "page": plain.text(found.get("pageUrl")),
    }
    return Row(id_, values)


def _address(row: Row) -> str | None:
    address = row.values.get("recipient") or row.values.get("email")
    return address.strip().lower() if isinstance(address, str) and "@" in address else None


def _sent(row: Row) -> int:
    at = row.values["submitted_at"]
    return api.millis(at) if isinstance(at, datetime) else 0


def _late() -> int:
    return round(LATE.total_seconds() * 1000)
