"""Records since a place: by change tracking where a table has it, by dates where not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.dynamics import odata, parties
from leadlight.connect.dynamics.derived import PARTY, derived_of
from leadlight.connect.dynamics.describe import CREATED, MASTER, MERGED, MODIFIED, STATE, Environment, Table
from leadlight.connect.dynamics.fate import Fates
from leadlight.connect.dynamics.history import History
from leadlight.connect.dynamics.place import Place
from leadlight.connect.dynamics.refusals import EXPIRED
from leadlight.connect.dynamics.values import value_of
from leadlight.connect.protocol import Page, Row, Value, Want
from leadlight.connect.typed import moment
from leadlight.connect.versions import Change, versions
from leadlight.errors import RemoteError

NEEDED = (CREATED, MODIFIED, STATE, MERGED, MASTER, "parentcontactid")


class Reader:
    """Reads one table."""

    def __init__(
        self, tables: odata.Tables, environment: Environment, want: Want, now: datetime, sweep: timedelta
    ) -> None:
        self._tables, self._now, self._sweep = tables, now, sweep
        self._table: Table = environment.table(want.object.name)
        self._cursor = want.cursor
        wanted = {field.name for field in want.object.fields}
        self._fields = [field for field in want.object.fields if field.name in self._table.told]
        self._derived = [one for one in derived_of(self._table.object.name) if one.field.name in wanted]
        self._history = History(tables, environment, self._table, self._fields if want.history else ())
        self._fates = Fates(tables, self._table)
        self._select = ",".join(self._asked())
        mode = "tracked" if self._table.tracked else "dated"
        self._place = Place.of(want.cursor, f"{mode}:{self._select}", now)

    def _asked(self) -> list[str]:
        made_of = (of for one in self._derived for of in one.of)
        names = [self._table.object.id, *NEEDED, *(field.name for field in self._fields), *made_of]
        return list(dict.fromkeys(self._table.asked(name) for name in names if self._table.has(name)))

    def pages(self) -> Iterator[Page]:
        """Yield what has changed. Raises RemoteError."""
        if self._table.object.whole:
            return self._whole()
        return self._tracked() if self._table.tracked else self._dated()

    # ------------------------------------------------------------------------------------------------- by tracking

    def _tracked(self) -> Iterator[Page]:
        """Yield what the table tells of its changes; all of it anew, and who is there, where a token has run out."""
        address, params = self._place.next or self._place.delta or self._table.path, None
        anew = address == self._table.path and bool(self._cursor)
        if address == self._table.path:
            params = {"$select": self._select}
        while True:
            try:
                batch = self._tables.batch(address, params, track=True)
            except RemoteError as error:
                if params is not None or EXPIRED not in error.message:
                    raise
                self._place, anew = Place(self._now, self._place.columns), True
                address, params = self._table.path, {"$select": self._select}
                continue
            rows = self._rows(batch.records)
            place = self._place.after(batch, self._latest(batch.records))
            self._place = place if batch.next is not None else place.end(batch.delta)
            half = anew and batch.next is not None
            there = [row.id for row in rows if not row.gone] if anew else None
            yield Page(rows, dict(self._cursor or {}) if half else self._place.cursor, there)
            if batch.next is None:
                return
            address, params = batch.next, None

    # --------------------------------------------------------------------------------------------------- by dates

    def _dated(self) -> Iterator[Page]:
        """Yield what was modified since a date, then all ids from time to time: who is not among them was deleted."""
        place = self._place
        address, params = place.next or self._table.path, None
        if place.next is None:
            params = {"$select": self._select, "$orderby": f"{MODIFIED} asc,{self._table.object.id} asc"}
            if place.since is not None:
                params["$filter"] = f"{MODIFIED} ge {odata.time(place.since)}"
        while True:
            batch = self._tables.batch(address, params)
            rows = self._rows(batch.records)
            self._place = self._place.after(batch, self._latest(batch.records))
            if batch.next is None:
                break
            yield Page(rows, self._place.cursor)
            address, params = batch.next, None
        first = self._place.first
        self._place = self._place.end(None)
        yield Page(rows, self._place.cursor)
        if first:
            self._place = replace(self._place, swept=self._now)
        elif self._place.swept is None or self._now - self._place.swept >= self._sweep:
            yield from self._ids()
            self._place = replace(self._place, swept=self._now)
        yield Page((), self._place.cursor)

    def _ids(self) -> Iterator[Page]:
        key = self._table.object.id
        batch = self._tables.batch(self._table.path, {"$select": key})
        while True:
            yield Page((), self._place.cursor, [str(one[key]) for one in batch.records if odata.is_id(one.get(key))])
            if batch.next is None:
                return
            batch = self._tables.batch(batch.next)

    def _whole(self) -> Iterator[Page]:
        batch = self._tables.batch(self._table.path, {"$select": self._select})
        while True:
            yield Page(self._rows(batch.records), {})
            if batch.next is None:
                return
            batch = self._tables.batch(batch.next)

    # ----------------------------------------------------------------------------------------------------- answers

    def _latest(self, records: Sequence[Mapping[str, Any]]) -> datetime | None:
        stamps = (moment(one.get(MODIFIED)) for one in records)
        return max((at for at in stamps if at is not None), default=None)

    def _rows(self, records: Sequence[Mapping[str, Any]]) -> list[Row]:
        key = self._table.object.id
        gone = [one["id"] for one in records if _deleted(one) and odata.is_id(one.get("id"))]
        here = [one for one in records if not _deleted(one) and odata.is_id(one.get(key))]
        if any(one.field.name == "person" for one in self._derived):
            people = parties.people(self._tables, [one[key] for one in here])
            here = [{**one, PARTY: people.get(one[key])} for one in here]
        into = self._fates.into(here)
        log = self._history.changes([one[key] for one in here if _touched(one)], self._place.since)
        rows = [row for one in here for row in self._past(one, log.get(one[key], ()), into.get(one[key]))]
        return [*rows, *(Row(one, {}, known_at=self._now, gone=True) for one in gone)]

    def _past(self, record: Mapping[str, Any], changes: Sequence[Change], into: str | None) -> list[Row]:
        """Return what a record was, and is."""
        key, gone = record[self._table.object.id], self._fates.gone(record)
        values = {field.name: value_of(record, self._table, field) for field in self._fields}
        values |= {one.field.name: one.make(record) for one in self._derived}
        if not changes:
            return [Row(key, values, gone=gone, into=into)]
        *past, now = versions(key, values, changes, created_at=moment(record.get(CREATED)))
        since = self._place.since
        past = [row for row in past if since is None or (row.known_at is not None and row.known_at >= since)]
        return [*past, replace(now, gone=gone, into=into)]


def _touched(record: Mapping[str, Any]) -> bool:
    """Whether a record has changed since it was made: of the others nothing has to be asked."""
    created, changed = moment(record.get(CREATED)), moment(record.get(MODIFIED))
    return created is None or changed is None or changed > created


def _deleted(record: Mapping[str, Any]) -> bool:
    return str(record.get("@odata.context", "")).endswith(odata.DELETED)


def look(
    tables: odata.Tables, table: Table, ids: Sequence[str], names: Sequence[str]
) -> Mapping[str, Mapping[str, Value]]:
    """Return what columns of records hold now. Raises RemoteError (absent) for a column that there is not."""
    fields = []
    for name in names:
        field = table.object.field(name) if table.has(name) else None
        if field is None:
            message = f"the table {table.object.name} has no column {name}"
            fix = "Look at its logical name: Power Apps (make.powerapps.com) > Tables > Columns."
            raise RemoteError(odata.TITLE, "absent", message, fix=fix)
        fields.append(field)
    key = table.object.id
    select = ",".join(dict.fromkeys([key, *(table.asked(name) for name in names)]))
    found = tables.of(table.set, key, ids, select=select)
    return {
        str(one[key]): {field.name: value_of(one, table, field) for field in fields}
        for one in found
        if odata.is_id(one.get(key))
    }
