"""Records of Zoho CRM since a cursor, oldest change first, then those that were deleted.

A list is walked by page tokens; they lead through 100,000 records at most and live for a day, so they are not kept: a
cursor is the last time of change that was read, and where tokens end, reading goes on from that time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.http import Answer, Http
from leadlight.connect.protocol import Cursor, Page, Row
from leadlight.connect.refusals import odd
from leadlight.connect.typed import moment, text
from leadlight.connect.unknown import FIELD
from leadlight.connect.versions import versions
from leadlight.connect.zoho.describe import (
    ACTIVITIES,
    API,
    CHANGED,
    CONVERSION,
    CREATED,
    PERSON,
    SYSTEM,
    Described,
    value_of,
)
from leadlight.connect.zoho.history import changes_of
from leadlight.connect.zoho.way import code_of, refusal
from leadlight.errors import RemoteError

PAGE, IDS_MOST, FIELDS_MOST = 200, 100, 50
OVERLAP = timedelta(minutes=5)
"""How much of what was read is read again: changes are listed a little after they are made."""
SECOND = timedelta(seconds=1)
NOTHING, NOT_MODIFIED, BAD = 204, 304, 400
ENDED = frozenset({"PAGINATION_LIMIT_EXCEEDED", "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "EXPIRED_VALUE"})
"""Page tokens that lead no further: 100,000 records, or a day."""
SINCE, DELETED = "since", "deleted"


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of one module."""

    http: Http
    module: str
    fields: Mapping[str, Described]
    """Those that are wanted."""
    now: datetime
    history: bool = False
    """Whether what records were before is wanted."""

    def pages(self, cursor: Cursor | None) -> Iterator[Page]:
        """Yield pages; raises RemoteError."""
        at = dict(cursor or {})
        yield from self._changed(at)
        yield from self._deleted(at, first=cursor is None)

    # --------------------------------------------------------------------------------------------- what changed

    def _changed(self, at: dict[str, Any]) -> Iterator[Page]:
        floor = since = last = moment(at.get(SINCE))
        token: str | None = None
        while True:
            answer = self._list(since, token)
            if answer.status == BAD:
                if code_of(answer) not in ENDED or last is None or last == since:
                    raise self._refused(answer)
                since, token = last, None
                continue
            records, info = listed(answer, self.module)
            times = [found for one in records if (found := moment(one.get(CHANGED))) is not None]
            last = max([*times, *([last] if last else [])], default=None)
            yield Page(self._rows(records), _told(at, SINCE, last))
            token, before = text(info.get("next_page_token")), token
            if info.get("more_records") is not True or not records:
                break
            if token is None or token == before:
                raise odd(SYSTEM, f"{self.module} has more records, but names no token for the next page")
        if last is not None:
            earlier = last - OVERLAP
            yield Page([], _told(at, SINCE, earlier if floor is None else max(earlier, floor)))

    def _list(self, since: datetime | None, token: str | None) -> Answer:
        params: dict[str, Any] = {
            "fields": ",".join(self._names()[:FIELDS_MOST]),
            "per_page": PAGE,
            "sort_by": CHANGED,
            "sort_order": "asc",
        }
        if self.module == "Leads":
            params["converted"] = "both"
        if token is not None:
            params["page_token"] = token
        headers = {"If-Modified-Since": _time(since - SECOND)} if since is not None else {}
        return self.http.ask("GET", f"{API}/{self.module}", params=params, headers=headers, expect=(NOT_MODIFIED, BAD))

    def _names(self) -> list[str]:
        """Return the fields to ask for; those that reading itself needs come first."""
        own = [CHANGED, CREATED] if self.history else [CHANGED]
        if self.module == "Leads":
            own += CONVERSION
        if self.module in ACTIVITIES and PERSON in self.fields:
            own += ["Who_Id", "What_Id", "$se_module"]
        return list(dict.fromkeys([*own, *(name for name in self.fields if name != PERSON)]))

    def _rows(self, records: Sequence[Mapping[str, Any]]) -> list[Row]:
        records = self._completed(records)
        return [row for one in records for row in self._versions(one)]

    def _versions(self, record: Mapping[str, Any]) -> list[Row]:
        number = text(record.get("id"))
        if number is None:
            return []
        values = {name: value_of(record, one) for name, one in self.fields.items()}
        into = converted_into(record) if self.module == "Leads" else None
        if not self.history:
            return [Row(number, values, into=into)]
        changes, whole = changes_of(self.http, self.module, number, self.fields)
        rows = versions(number, values, changes, created_at=moment(record.get(CREATED)), whole=whole)
        return [*rows[:-1], replace(rows[-1], into=into)]

    def _completed(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Add the fields beyond the 50 that a list gives, by the records' ids."""
        names = self._names()
        if len(names) <= FIELDS_MOST or not records:
            return records
        whole = {number: dict(one) for one in records if (number := text(one.get("id")))}
        ids = list(whole)
        for first in range(FIELDS_MOST, len(names), FIELDS_MOST):
            for record in by_ids(self.http, self.module, ids, names[first : first + FIELDS_MOST]):
                number = text(record.get("id"))
                if number in whole:
                    whole[number] |= record
        return list(whole.values())

    @staticmethod
    def _refused(answer: Answer) -> RemoteError:
        message = f"does not take what it was asked ({code_of(answer)})"
        usual = RemoteError(SYSTEM, "invalid", message, fix=FIELD, status=BAD)
        return refusal(answer) or usual

    # ------------------------------------------------------------------------------------------ what was deleted

    def _deleted(self, at: dict[str, Any], *, first: bool) -> Iterator[Page]:
        since = moment(at.get(DELETED))
        if not first and since is not None:  # what was deleted before the first reading was never known
            page = 1
            while True:
                answer = self.http.ask(
                    "GET",
                    f"{API}/{self.module}/deleted",
                    params={"type": "all", "per_page": PAGE, "page": page},
                    headers={"If-Modified-Since": _time(since - SECOND)},
                    expect=(NOT_MODIFIED,),
                )
                records, info = listed(answer, f"{self.module}/deleted")
                rows = [Row(number, {}, gone=True) for one in records if (number := text(one.get("id")))]
                if rows:
                    yield Page(rows, dict(at))
                if info.get("more_records") is not True or not records:
                    break
                page += 1
        yield Page([], _told(at, DELETED, self.now - OVERLAP))


def by_ids(
    http: Http, module: str, ids: Sequence[str], names: Sequence[str], *, converted: bool = True
) -> Iterator[Mapping[str, Any]]:
    """Yield records of these ids, as far as there are any (also leads that were converted). Raises RemoteError."""
    for first in range(0, len(ids), IDS_MOST):
        params: dict[str, Any] = {"ids": ",".join(ids[first : first + IDS_MOST]), "fields": ",".join(names)}
        params["per_page"] = IDS_MOST
        if module == "Leads":
            params["converted"] = "both" if converted else "false"
        answer = http.ask("GET", f"{API}/{module}", params=params, expect=(NOT_MODIFIED,))
        yield from listed(answer, module)[0]


def listed(answer: Answer, where: str) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """Return the records of an answer, and what it says of further pages. Raises RemoteError."""
    if answer.status in (NOTHING, NOT_MODIFIED):
        return [], {}
    body = answer.json()
    data, info = (body.get("data"), body.get("info")) if isinstance(body, dict) else (None, None)
    if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
        raise odd(SYSTEM, f"`data` of {where} is no list of records")
    return data, info if isinstance(info, dict) else {}


def converted_into(record: Mapping[str, Any]) -> str | None:
    """Return the contact that a lead was converted into, or the account where it has no contact."""
    for name in CONVERSION:
        value = record.get(name)
        number = text(value.get("id")) if isinstance(value, dict) else text(value)
        if number is not None:
            return number
    return None


def _told(at: dict[str, Any], key: str, when: datetime | None) -> dict[str, Any]:
    if when is not None:
        at[key] = when.isoformat()
    return dict(at)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}+00:00"
