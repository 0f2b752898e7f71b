"""Rows of a table: all of them in the order of their key, or those that changed in the order of their changes.

Pages go on behind the last row of the one before (its change and its key), never by counting, so that nothing is
missed when rows change meanwhile. A row whose transaction ends late bears a time before the last one read; so reading
begins again a little before the moment when the last reading began (`overlap_seconds`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from leadlight.connect.protocol import Cursor, Page, Row, Want
from leadlight.connect.sql.database import Database
from leadlight.connect.sql.describe import column, id_column, no_id, type_of
from leadlight.connect.sql.values import kept, put_back, text_of, value_of

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select


def read(database: Database, want: Want, now: datetime) -> Iterator[Page]:
    """Yield the pages of a table since a cursor. Memory is bounded by a page."""
    reading = Reading(database, want, now)
    return reading.changes() if reading.stamp is not None else reading.whole()


class Reading:
    """One reading of one table."""

    def __init__(self, database: Database, want: Want, now: datetime) -> None:
        from sqlalchemy import func, type_coerce

        name = want.object.name
        table, told = database.table(name), database.settings.table(name)
        key = id_column(database, name)
        if key is None:
            raise no_id(name)
        self._database, self._now, self._cursor = database, now, dict(want.cursor or {})
        self._settings, self._key = database.settings, key
        self._fields = [(one, column(table, one.name)) for one in want.object.fields]
        self._gone = None if told.deleted_at is None else column(table, told.deleted_at)
        self.stamp: ColumnElement[Any] | None = None
        if told.modified_at is not None:
            self.stamp = column(table, told.modified_at)
            created = None if told.created_at is None else column(table, told.created_at)
            if created is not None and type_of(created) == type_of(column(table, told.modified_at)):
                self.stamp = type_coerce(func.coalesce(self.stamp, created), self.stamp.type)

    def whole(self) -> Iterator[Page]:
        """Yield all rows in the order of their key."""
        last = put_back(self._cursor["id"]) if "id" in self._cursor else None
        while True:
            held = self._ask(self._behind(last), [self._key])
            if not held:
                return
            last = held[-1][0]
            ended = len(held) < self._settings.page
            yield Page([self._row(one) for one in held], {} if ended else {"id": kept(last)})
            if ended:
                return

    def changes(self) -> Iterator[Page]:
        """Yield rows without a time of change, then those that changed, then ids that exist."""
        cursor = self._begin()
        if cursor["phase"] == "undated":
            last = put_back(cursor.get("id"))
            while held := self._ask([*self._behind(last), self._stamp.is_(None)], [self._key]):
                last = held[-1][0]
                yield Page([self._row(one) for one in held], {**cursor, "id": kept(last)})
            cursor = {**cursor, "phase": "changes", "id": cursor.get("from_id")}
        while held := self._ask([self._after(cursor)], [self._stamp, self._key]):
            last, at = held[-1][0], held[-1][1]
            cursor = {**cursor, "at": kept(at), "id": kept(last)}
            yield Page([self._row(one) for one in held], cursor)
        done: Cursor = {**cursor, "phase": "done"}
        yield from self._sweep(done)

    def _begin(self) -> dict[str, Any]:
        """Return where reading goes on: in the middle of one that was killed, or a little before the last one began."""
        before = self._cursor
        if before.get("phase") in ("undated", "changes"):
            return before
        began = self._now.isoformat()
        fresh = {"phase": "undated", "began": began, "swept": before.get("swept"), "id": None}
        if "at" not in before:
            return fresh
        at, last = put_back(before["at"]), before.get("id")
        if isinstance(at, date):
            least = self._least(at, datetime.fromisoformat(before["began"]))
            if at >= least:
                at, last = least, None
        return {**fresh, "at": kept(at), "from_id": last}

    def _sweep(self, done: Cursor) -> Iterator[Page]:
        """Yield the ids that exist, where it is time to, and the cursor of the end."""
        swept, hours = done.get("swept"), self._settings.sweep_hours
        due = swept is None or datetime.fromisoformat(swept) + timedelta(hours=hours) <= self._now
        if hours == 0 or not due or self._gone is not None:
            yield Page([], done)
            return
        from sqlalchemy import select

        last: Any = None
        while True:
            query = select(self._key).where(*self._behind(last)).order_by(self._key).limit(self._settings.page)
            with self._database.connect() as connection:
                ids = [row[0] for row in connection.execute(query)]
            ended = len(ids) < self._settings.page
            yield Page([], {**done, "swept": self._now.isoformat()} if ended else done, [text_of(one) for one in ids])
            if ended:
                return
            last = ids[-1]

    # ------------------------------------------------------------------------------------------------ questions

    @property
    def _stamp(self) -> ColumnElement[Any]:
        assert self.stamp is not None
        return self.stamp

    def _behind(self, last: Any) -> list[ColumnElement[bool]]:
        return [] if last is None else [self._key > last]

    def _after(self, cursor: Cursor) -> ColumnElement[bool]:
        from sqlalchemy import and_, or_

        if cursor.get("at") is None:
            return self._stamp.is_not(None)
        at, last = put_back(cursor["at"]), put_back(cursor.get("id"))
        if last is None:
            return and_(self._stamp >= at)
        return or_(self._stamp > at, and_(self._stamp == at, self._key > last))

    def _ask(
        self, where: Sequence[ColumnElement[bool]], order: Sequence[ColumnElement[Any]]
    ) -> Sequence[Sequence[Any]]:
        """Return a page: of each row its key, its change, whether it is gone, and the wanted columns."""
        from sqlalchemy import literal, select

        stamp = literal(None) if self.stamp is None else self.stamp
        gone = literal(None) if self._gone is None else self._gone
        columns = [one.label(f"w{number}") for number, (_, one) in enumerate(self._fields)]
        query: Select[Any] = select(self._key.label("k"), stamp.label("s"), gone.label("g"), *columns)
        query = query.where(*where).order_by(*order).limit(self._settings.page)
        with self._database.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def _row(self, held: Sequence[Any]) -> Row:
        zone = self._settings.zone()
        values = {
            field.name: value_of(one, field.type, zone) for (field, _), one in zip(self._fields, held[3:], strict=True)
        }
        return Row(text_of(held[0]), values, gone=bool(held[2]))

    def _least(self, like: date, began: datetime) -> date:
        """Return from when on a row may have come late, as the database itself says times like this one."""
        moment = (began - timedelta(seconds=self._settings.overlap_seconds)).replace(tzinfo=UTC)
        if isinstance(like, datetime) and like.tzinfo is not None:
            return moment
        local = moment.astimezone(self._settings.zone()).replace(tzinfo=None)
        return local if isinstance(like, datetime) else local.date()
