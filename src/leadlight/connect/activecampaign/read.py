"""Records of ActiveCampaign since a cursor.

Contacts are walked by id (`id_greater`), as the vendor advises; lists of deals and accounts know offsets only.
Nothing tells of deletions, so all ids are walked through once in a while. Times are compared here again: what
`updated_after` does within its last day is not promised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from leadlight.connect.activecampaign.describe import (
    PAGE,
    SYSTEM,
    Described,
    Kind,
    beside,
    items,
    more,
    walked,
)
from leadlight.connect.activecampaign.values import activity_of, deal_of, values_of
from leadlight.connect.activecampaign.way import Asker
from leadlight.connect.protocol import Cursor, Page, Row
from leadlight.connect.refusals import odd
from leadlight.connect.typed import moment, text

OVERLAP = timedelta(minutes=10)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
SINCE, AFTER, BEGUN, SWEPT = "since", "after", "begun", "swept"
GONE = (404,)
LAP = 5
"""Records by which pages of offsets overlap."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of one object."""

    asker: Asker
    kind: Kind
    fields: Mapping[str, Described]
    """Those that are wanted."""
    now: datetime
    sweep: timedelta

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """Yield pages; raises RemoteError."""
        at: dict[str, Any] = dict(cursor or {})
        if self.kind.name == "activities":
            yield from self._activities(at)
            return
        yield from self._contacts(at) if self.kind.name == "contacts" else self._by_offset(at)
        swept = moment(at.get(SWEPT))
        if swept is None:  # what was deleted before the first reading was never known
            yield Page([], self._told(at, SWEPT, self.now))
        elif self.now - swept >= self.sweep:
            yield from self._there(at)

    # ------------------------------------------------------------------------------------------------- contacts

    def _contacts(self, at: dict[str, Any]) -> Iterator[Page]:
        since = moment(at.get(SINCE))
        after = text(at.get(AFTER)) or "0"
        if moment(at.get(BEGUN)) is None or AFTER not in at:
            self._told(at, BEGUN, self.now - OVERLAP)
        tags = self._tags() if "tags" in self.fields else {}
        for body in self._by_id(after, self._since(since), self._along()):
            records = items(body, "contacts")
            custom = by_contact(beside(body, "fieldValues"), "field", "value")
            accounts = by_contact(beside(body, "accountContacts"), "contact", "account")
            tagged = _tagged(beside(body, "contactTags"), tags)
            rows = [self._contact(one, custom, accounts, tagged) for one in records if self._is_new(one, since)]
            at[AFTER] = _last(records)
            yield Page([row for row in rows if row is not None], dict(at))
        at[SINCE] = at.pop(BEGUN)
        at.pop(AFTER, None)
        yield Page([], dict(at))

    def _by_id(self, after: str, params: Mapping[str, Any], along: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        while True:
            asked = {"limit": PAGE, "orders[id]": "ASC", "id_greater": after, **params, **along}
            body = self.asker.get("contacts", asked).json()
            records = items(body, "contacts")
            if not records:
                return
            yield body
            last = _last(records)
            if last == after:
                raise odd(SYSTEM, "the page after a contact begins with that contact")
            after = last

    def _along(self) -> dict[str, Any]:
        """Return what is to be sent along with contacts, in the same request."""
        include = ["fieldValues"] if any(one.number is not None for one in self.fields.values()) else []
        include += ["accountContacts"] if "account" in self.fields else []
        include += ["contactTags"] if "tags" in self.fields else []
        return {"include": ",".join(include)} if include else {}

    def _contact(
        self,
        record: Mapping[str, Any],
        custom: Mapping[str, Mapping[str, Any]],
        accounts: Mapping[str, Mapping[str, Any]],
        tagged: Mapping[str, list[str]],
    ) -> Row | None:
        number = text(record.get("id"))
        if number is None:
            return None
        if text(record.get("deleted")) == "1":
            return Row(number, {}, gone=True)
        linked = text(next(iter(accounts.get(number, {}).values()), None)) or text(record.get("orgid"))
        whole = {**record, "account": None if linked == "0" else linked, "tags": tagged.get(number)}
        return Row(number, values_of(whole, self.fields, custom.get(number, {})))

    def _tags(self) -> dict[str, str]:
        found = walked(self.asker, "tags", "tags")
        return {number: name for one in found if (number := text(one.get("id"))) and (name := text(one.get("tag")))}

    # ---------------------------------------------------------------------------------------- deals and accounts

    def _by_offset(self, at: dict[str, Any]) -> Iterator[Page]:
        """Yield deals or accounts: created first, walked from the start, so that one that goes hides no other."""
        since, begun = moment(at.get(SINCE)), self.now - OVERLAP
        deals = self.kind.name == "deals"
        names = self._names() if deals and {"stage", "pipeline"} & set(self.fields) else {}
        params = {**self._since(since), "orders[cdate]": "ASC"} if deals else {}
        for records in self._slices(params):
            rows = []
            for one in records:
                number = text(one.get("id"))
                if number is not None and self._is_new(one, since):
                    raw = deal_of(one, names) if deals else one
                    rows.append(Row(number, values_of(raw, self.fields, self._custom(number))))
            yield Page(rows, dict(at))
        yield Page([], self._told(at, SINCE, begun))

    def _slices(self, params: Mapping[str, Any]) -> Iterator[list[Mapping[str, Any]]]:
        """Yield pages by offset, each beginning a little before the last one ended: deletions shift what follows."""
        offset, name = 0, self.kind.name
        while True:
            body = self.asker.get(name, {"limit": PAGE, "offset": offset, **params}).json()
            records = items(body, name)
            yield records
            if not more(body, offset, len(records)):
                return
            offset += max(1, len(records) - LAP)

    def _custom(self, number: str) -> dict[str, Any]:
        """Return the custom fields of a deal or account: a request of its own, made only where one is wanted."""
        if not any(one.number is not None for one in self.fields.values()):
            return {}
        key = "dealCustomFieldData" if self.kind.name == "deals" else "accountCustomFieldData"
        answer = self.asker.get(f"{self.kind.name}/{quote(number, safe='')}/{key}", {"limit": PAGE}, expect=GONE)
        if answer.status in GONE:
            return {}
        found = items(answer.json(), key)
        return {field: one.get("fieldValue") for one in found if (field := text(one.get("customFieldId")))}

    def _names(self) -> dict[str, str]:
        """Return the names of stages and pipelines."""
        found: dict[str, str] = {}
        for path, key in (("dealStages", "stage"), ("dealGroups", "group")):
            for one in walked(self.asker, path, path):
                number, title = text(one.get("id")), text(one.get("title"))
                if number and title:
                    found[f"{key}={number}"] = title
        return found

    # -------------------------------------------------------------------------------------------------- activities

    def _activities(self, at: dict[str, Any]) -> Iterator[Page]:
        floor = since = last = moment(at.get(SINCE))
        offset = 0
        while True:
            params: dict[str, Any] = {"limit": PAGE, "offset": offset, "orders[tstamp]": "ASC"}
            if since is not None:
                params["after"] = _time(since - SECOND)
            body = self.asker.get("activities", params).json()
            records = items(body, "activities")
            rows = [
                Row(number, values_of(activity_of(one), self.fields, {}))
                for one in records
                if (number := text(one.get("id"))) is not None
            ]
            times = [found for one in records if (found := moment(one.get("tstamp"))) is not None]
            last = max([*times, *([last] if last else [])], default=None)
            yield Page(rows, self._told(at, SINCE, last))
            if not more(body, offset, len(records)):
                break
            if last is not None and (since is None or last > since):
                since, offset = last, 0
            else:
                offset += len(records)
        if last is not None:
            earlier = min(last, self.now) - OVERLAP
            yield Page([], self._told(at, SINCE, earlier if floor is None else max(earlier, floor)))

    # --------------------------------------------------------------------------------------------------- deletions

    def _there(self, at: dict[str, Any]) -> Iterator[Page]:
        """Yield the ids of all that exist."""
        if self.kind.name == "contacts":
            pages: Iterator[Sequence[Mapping[str, Any]]] = (items(one, "contacts") for one in self._by_id("0", {}, {}))
        else:
            pages = self._slices({"orders[cdate]": "ASC"} if self.kind.name == "deals" else {})
        for records in pages:
            alive = [one for one in records if text(one.get("deleted")) != "1"]
            yield Page([], dict(at), [number for one in alive if (number := text(one.get("id")))])
        yield Page([], self._told(at, SWEPT, self.now), [])

    # ----------------------------------------------------------------------------------------------------- times

    def _since(self, since: datetime | None) -> dict[str, Any]:
        return {} if since is None else {"filters[updated_after]": _time(since - DAY)}

    def _is_new(self, record: Mapping[str, Any], since: datetime | None) -> bool:
        changed = moment(record.get(self.kind.changed or ""))
        return since is None or changed is None or changed >= since

    @staticmethod
    def _told(at: dict[str, Any], key: str, when: datetime | None) -> dict[str, Any]:
        if when is not None:
            at[key] = when.isoformat()
        return dict(at)


def _last(records: Sequence[Mapping[str, Any]]) -> str:
    """Return the last id of a page of contacts. Raises RemoteError."""
    number = text(records[-1].get("id")) if records else None
    if number is None or not number.isdecimal():
        raise odd(SYSTEM, "a contact has no number")
    return number


def by_contact(listed: Sequence[Mapping[str, Any]], key: str, value: str) -> dict[str, dict[str, Any]]:
    """Return values that were sent along, by contact and by what they are of."""
    found: dict[str, dict[str, Any]] = {}
    for one in listed:
        contact, name = text(one.get("contact")), text(one.get(key))
        if contact is not None and name is not None:
            found.setdefault(contact, {}).setdefault(name, one.get(value))
    return found


def _tagged(listed: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in listed:
        contact, name = text(one.get("contact")), names.get(text(one.get("tag")) or "")
        if contact is not None and name is not None:
            found.setdefault(contact, []).append(name)
    return {contact: sorted(tags) for contact, tags in found.items()}


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}+00:00"
