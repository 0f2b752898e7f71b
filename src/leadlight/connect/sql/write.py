"""Scores back into columns that are there: one UPDATE a row, all of a batch in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from leadlight.connect.protocol import Note, PushField, Readied, Value, Write, Written
from leadlight.connect.sql.database import Database
from leadlight.connect.sql.describe import column, id_column, no_id, type_of
from leadlight.connect.sql.values import id_from, stored, text_of, value_of
from leadlight.expr.types import Type

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

KINDS = {Type.NUMBER: "double precision", Type.TEXT: "varchar({length})", Type.TIME: "timestamp", Type.BOOL: "boolean"}
TEXT_LENGTH = 250


def ready(database: Database, name: str, fields: Sequence[PushField]) -> list[Readied]:
    """Say which columns are there, and the statement that makes those that are not: no table is altered by us."""
    database.forget()
    table = database.table(name)
    there = {one.lower(): one for one in table.columns.keys()}  # noqa: SIM118 - a collection of columns, not a dict
    answers = []
    for field in fields:
        if (known := there.get(field.name.lower())) is not None:
            answers.append(Readied(known, "there"))
            continue
        kind = KINDS[field.type].format(length=field.length or TEXT_LENGTH)
        todo = f"Have it made in the database: ALTER TABLE {table.fullname} ADD COLUMN {field.name} {kind};"
        answers.append(Readied(field.name, "missing", todo))
    return answers


def look(database: Database, name: str, ids: Sequence[str], fields: Sequence[str]) -> Mapping[str, Mapping[str, Value]]:
    """Return what columns of some rows hold now."""
    from sqlalchemy import select

    if not ids:
        return {}
    table, key = _table(database, name)
    columns = [column(table, one) for one in fields]
    kinds = [type_of(one) or Type.TEXT for one in columns]
    zone = database.settings.zone()
    known = [one for one in (_id(text, key) for text in ids) if one is not None]
    with database.connect() as connection:
        rows = connection.execute(
            select(key.label("k"), *columns).where(key.in_(known), *_alive(database, name, table))
        )
        return {
            text_of(row[0]): {
                field: value_of(held, kind, zone) for field, kind, held in zip(fields, kinds, row[1:], strict=True)
            }
            for row in rows
        }


def write(database: Database, name: str, batch: Sequence[Write]) -> list[Written]:
    """Update rows, each with its own answer."""
    if not batch:
        return []
    table, key = _table(database, name)
    with database.connect(write=True) as connection:
        return [_update(database, connection, table, key, one) for one in batch]


def note(notes: Sequence[Note]) -> list[Written]:
    """Say that a database knows no tasks."""
    return [Written(one.id, "a database has no tasks: take `tasks` out of the connection's push") for one in notes]


def _update(database: Database, connection: Connection, table: Table, key: Column[Any], one: Write) -> Written:
    from sqlalchemy import update
    from sqlalchemy.exc import DBAPIError, OperationalError

    known = _id(one.id, key)
    if known is None:
        return Written(one.id, gone=True)
    zone = database.settings.zone()
    values = {name: stored(value, column(table, name), zone) for name, value in one.values.items()}
    query = update(table).where(key == known, *_alive(database, str(table.name), table)).values(values)
    try:
        with connection.begin_nested():
            done = connection.execute(query)
    except OperationalError as error:
        return Written(one.id, database.failed(str(error.orig)).message, again=True)
    except DBAPIError as error:
        return Written(one.id, database.failed(str(error.orig)).message)
    return Written(one.id, gone=done.rowcount == 0)


def _alive(database: Database, name: str, table: Table) -> list[Any]:
    """Return the condition that a row is not marked as deleted."""
    from sqlalchemy import false

    told = database.settings.table(name).deleted_at
    if told is None:
        return []
    one = column(table, told)
    return [one.is_(None) | (one == false())] if type_of(one) is Type.BOOL else [one.is_(None)]


def _table(database: Database, name: str) -> tuple[Table, Column[Any]]:
    key = id_column(database, name)
    if key is None:
        raise no_id(name)
    return database.table(name), key


def _id(text: str, key: Column[Any]) -> Any:
    try:
        return id_from(text, key)
    except ValueError:
        return None
