"""What tables there are, and what their columns hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from leadlight.connect.protocol import Field, Object
from leadlight.connect.sql.database import Database
from leadlight.connect.unknown import no_object
from leadlight.errors import UsageError
from leadlight.expr.types import Type

if TYPE_CHECKING:
    from sqlalchemy import Column, Table

COLUMN = "Write a column that is there: in `tables` of the connection, in the source, or in `fields` of `push`."


def describe(database: Database, names: Sequence[str] | None) -> tuple[Object, ...]:
    """Return some tables; all that have a column that tells rows apart, where none are named.

    Raises NotFoundError, and UsageError for a table that is named and has no such column.
    """
    database.forget()
    if names is not None:
        return tuple(_object(database, name) for name in names)
    return tuple(_object(database, name) for name in database.names() if id_column(database, name) is not None)


def id_column(database: Database, name: str) -> Column[Any] | None:
    """Return the column that tells a table's rows apart; None where there is none alone."""
    table, told = database.table(name), database.settings.table(name).id
    if told is not None:
        return column(table, told)
    keys = list(table.primary_key.columns)
    return keys[0] if len(keys) == 1 else None


def no_id(name: str) -> UsageError:
    """Return the error for a table of which it is not known what tells its rows apart."""
    fix = f"Say which it is: `tables: {{{name}: {{id: COLUMN}}}}` in the connection."
    return UsageError(f"the table {name} has no column alone that tells its rows apart", fix=fix)


def column(table: Table, name: str) -> Column[Any]:
    """Return a column by its name. Raises NotFoundError."""
    if name not in table.columns:
        known = table.columns.keys()
        raise no_object(f"the table {table.name} has no column", name, known, fix=COLUMN)
    found: Column[Any] = table.columns[name]
    return found


def type_of(one: Column[Any]) -> Type | None:
    """Return what a column holds; None for what we do not read (bytes). Keys are texts: nobody reckons with them."""
    from sqlalchemy import types

    kind = one.type
    if isinstance(kind, types.LargeBinary):
        return None
    if isinstance(kind, types.Boolean):
        return Type.BOOL
    if isinstance(kind, types.DateTime | types.Date):
        return Type.TIME
    key = one.primary_key or bool(one.foreign_keys) or one.name.lower() == "id" or one.name.lower().endswith("_id")
    return Type.NUMBER if isinstance(kind, types.Numeric | types.Float | types.Integer) and not key else Type.TEXT


def _object(database: Database, name: str) -> Object:
    table, told = database.table(name), database.settings.table(name)
    key = id_column(database, name)
    if key is None:
        raise no_id(name)
    for one in (told.created_at, told.modified_at, told.deleted_at):
        if one is not None:
            column(table, one)
    whole = told.modified_at is None
    fields = tuple(
        Field(
            one.name,
            kind,
            str(one.comment or one.name),
            custom=True,
            options=tuple(getattr(one.type, "enums", None) or ()),
        )
        for one in table.columns
        if (kind := type_of(one)) is not None
    )
    return Object(
        name,
        str(table.comment or name),
        fields,
        id=key.name,
        created_at=_if_time(table, told.created_at),
        modified_at=_if_time(table, told.modified_at),
        whole=whole,
        deletions=whole or told.deleted_at is not None or database.settings.sweep_hours > 0,
    )


def _if_time(table: Table, name: str | None) -> str | None:
    return name if name is not None and type_of(column(table, name)) is Type.TIME else None
