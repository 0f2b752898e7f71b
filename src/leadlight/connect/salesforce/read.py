"""Records since a place: in the order of their stamps, with their past, and what was deleted, merged or converted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.portions import portions
from leadlight.connect.protocol import Field, Page, Row, Value, Want
from leadlight.connect.salesforce import roles, soql
from leadlight.connect.salesforce.derived import PERSON, derived_of
from leadlight.connect.salesforce.describe import (
    CONVERTED,
    CONVERTED_TO,
    CREATED,
    DELETED,
    ID,
    MASTER,
    STAMP,
    Org,
    Sobject,
)
from leadlight.connect.salesforce.history import changes_of
from leadlight.connect.salesforce.place import Place
from leadlight.connect.salesforce.query import Batch, Query
from leadlight.connect.salesforce.refusals import UNREPLICATED
from leadlight.connect.typed import moment, typed
from leadlight.connect.versions import Change, versions
from leadlight.errors import RemoteError

BIN = timedelta(days=14)
"""How far back the org tells what was deleted for good: 15 days, less one for clocks and time zones."""
AT_LEAST = timedelta(minutes=2)
"""The shortest time between two moments that it takes."""
IDS = 300
"""Ids that fit into one query."""


class Reader:
    """Reads one object."""

    def __init__(self, http: Http, root: str, org: Org, query: Query, want: Want, now: datetime) -> None:
        self._http, self._root, self._query, self._now = http, root, query, now
        self._sobject: Sobject = org.sobject(want.object.name)
        self._name = want.object.name
        self._history = want.history
        wanted = {field.name for field in want.object.fields}
        self._fields = [field for field in want.object.fields if self._sobject.has(field.name)]
        self._derived = [one for one in derived_of(self._name, self._sobject.told) if one.field.name in wanted]
        self._place = Place.of(want.cursor, now)
        self._first = self._place.since is None

    def pages(self) -> Iterator[Page]:
        """Yield what has changed. Raises RemoteError."""
        if self._sobject.object.modified_at is None:
            yield from self._whole()
            return
        for batch in self._batches():
            yield self._page(batch.records)
        if not self._first:
            yield from self._beside()
        yield Page((), self._place.end().cursor)

    # -------------------------------------------------------------------------------------------------- asking

    def _batches(self) -> Iterator[Batch]:
        """Yield records in their order; a query that the org has forgotten is asked anew from where it was."""
        batch: Batch | None = None
        while True:
            if batch is None:
                batch = self._query.first(self._select(), deleted=True)
            yield batch
            if batch.rest is None:
                return
            batch = self._query.next(batch.rest)

    def _select(self) -> str:
        """Return what comes after the place: archived activities too, and at first nothing that is in the bin."""
        place = self._place.condition()
        conditions = [] if place is None else [place]
        if self._first and self._has(DELETED):
            conditions.append(f"{DELETED} = false")
        return soql.select(self._asked(), self._name, *conditions, order=[STAMP, ID])

    def _asked(self) -> list[str]:
        """Return all that is asked for: what is wanted, what it is made of, and what tells of its fate."""
        needed = [one for one in (ID, STAMP, CREATED, DELETED, MASTER, CONVERTED, CONVERTED_TO) if self._has(one)]
        made_of = [of for one in self._derived for of in one.of if "." in of or self._has(of)]
        return [*needed, *(field.name for field in self._fields), *made_of]

    def _has(self, name: str) -> bool:
        return self._sobject.has(name)

    def _whole(self) -> Iterator[Page]:
        """Yield all records of an object that says of none when it changed."""
        query = soql.select([ID, *(field.name for field in self._fields)], self._name, order=[ID])
        for some in portions(self._query.all(query), IDS):
            yield Page([Row(str(one.get(ID)), self._values(one)) for one in some if soql.is_id(one.get(ID))], {})

    # ------------------------------------------------------------------------------------------------- answers

    def _page(self, records: Sequence[Mapping[str, Any]]) -> Page:
        """Return the rows of some records, and the place after them."""
        rows = self._rows(records)
        for record in records:
            if soql.is_id(record.get(ID)):
                self._place = self._place.after(moment(record.get(STAMP)), record[ID])
        return Page(rows, self._place.cursor)

    def _rows(self, records: Sequence[Mapping[str, Any]]) -> list[Row]:
        known = [record for record in records if soql.is_id(record.get(ID))]
        here = [record for record in known if record.get(DELETED) is not True]
        if any(one.field.name == PERSON for one in self._derived):
            people = roles.people(self._query, [record[ID] for record in here])
            here = [{**record, PERSON: people.get(record[ID])} for record in here]
        log = self._log([record[ID] for record in here if _touched(record)])
        rows = [row for record in here for row in self._past(record, log.get(record[ID], ()))]
        return [*rows, *(self._gone(record) for record in known if record.get(DELETED) is True)]

    def _log(self, ids: Sequence[str]) -> Mapping[str, Sequence[Change]]:
        """Return what changed of records; nothing where we may not read that: then the present is all there is."""
        try:
            return changes_of(self._query, self._sobject, self._fields, ids, self._place.since) if self._history else {}
        except RemoteError as error:
            if error.trouble not in ("absent", "scope"):
                raise
            self._history = False
            return {}

    def _past(self, record: Mapping[str, Any], changes: Sequence[Change]) -> list[Row]:
        """Return what a record was, and is; one that was converted goes on as a contact."""
        values = self._values(record)
        contact = record.get(CONVERTED_TO)
        into = contact if record.get(CONVERTED) is True and soql.is_id(contact) else None
        if not changes:
            return [Row(record[ID], values, into=into)]
        *past, now = versions(record[ID], values, changes, created_at=moment(record.get(CREATED)))
        since = self._place.since
        past = [row for row in past if since is None or (row.known_at is not None and row.known_at >= since)]
        return [*past, replace(now, into=into)]

    def _values(self, record: Mapping[str, Any]) -> dict[str, Value]:
        values = {field.name: typed(record.get(field.name), field.type) for field in self._fields}
        return values | {one.field.name: one.make(record) for one in self._derived}

    def _gone(self, record: Mapping[str, Any]) -> Row:
        master = record.get(MASTER)
        return Row(
            record[ID],
            {},
            known_at=moment(record.get(STAMP)),
            gone=True,
            into=master if soql.is_id(master) else None,
        )

    # -------------------------------------------------------------------------------------------------- beside

    def _beside(self) -> Iterator[Page]:
        """Yield what the records' own stamps do not tell: deleted for good, and another person for a deal."""
        since = self._place.since
        assert since is not None
        if self._sobject.replicates:
            yield from self._erased(since)
        if any(one.field.name == PERSON for one in self._derived):
            for some in portions(roles.deals(self._query, since), IDS):
                asked = soql.select(self._asked(), self._name, soql.among(ID, some))
                yield Page(self._rows(list(self._query.all(asked))), self._place.cursor)

    def _erased(self, since: datetime) -> Iterator[Page]:
        """Yield what was deleted and is not in the bin any more."""
        gone = self._listed(min(max(since, self._now - BIN), self._now - AT_LEAST), self._now)
        for some in portions(gone, IDS):
            asked = soql.select([ID], self._name, soql.among(ID, [one["id"] for one in some]))
            binned = {str(one.get(ID)) for one in self._query.all(asked, deleted=True)}
            rows = [
                Row(one["id"], {}, known_at=moment(one.get("deletedDate")), gone=True)
                for one in some
                if one["id"] not in binned
            ]
            yield Page(rows, self._place.cursor)

    def _listed(self, start: datetime, end: datetime) -> list[Mapping[str, Any]]:
        """Return what the org lists as deleted between two moments."""
        path = f"{self._root}/sobjects/{self._name}/deleted/"
        try:
            told = self._http.ask("GET", path, params={"start": _offset(start), "end": _offset(end)}).json()
        except RemoteError as error:
            if UNREPLICATED in error.message:
                return []
            raise
        found = told.get("deletedRecords") if isinstance(told, dict) else None
        return [one for one in found or () if isinstance(one, dict) and soql.is_id(one.get("id"))]


def _touched(record: Mapping[str, Any]) -> bool:
    """Whether a record has changed since it was made: of the others nothing has to be asked."""
    created, changed = moment(record.get(CREATED)), moment(record.get(STAMP))
    return created is None or changed is None or changed > created


def _offset(at: datetime) -> str:
    return at.isoformat(timespec="seconds") + "+00:00"


def look(
    query: Query, sobject: Sobject, ids: Sequence[str], fields: Sequence[str]
) -> Mapping[str, Mapping[str, Value]]:
    """Return what fields of records hold now; of those that can be written to: a converted lead cannot.

    Raises RemoteError (absent) for a field that there is not.
    """
    known: dict[str, Field] = {}
    for name in fields:
        field = sobject.object.field(name)
        if field is None:
            message = f"{sobject.object.name} has no field {name}, or the integration user may not see it"
            fix = "Give its permission set read and edit access to the field (Setup > Permission Sets)."
            raise RemoteError(soql.TITLE, "absent", message, fix=fix)
        known[name] = field
    asked = [one for one in ids if soql.is_id(one)]
    if not asked:
        return {}
    conditions = [soql.among(ID, asked), *([f"{CONVERTED} = false"] if sobject.has(CONVERTED) else [])]
    found = query.all(soql.select([ID, *known], sobject.object.name, *conditions))
    return {
        str(one.get(ID)): {name: typed(one.get(name), field.type) for name, field in known.items()} for one in found
    }
