"""Statements made from a template and names: nothing gets into SQL but through here."""

from __future__ import annotations

from collections.abc import Iterable


class Sql(str):
    """A piece of SQL that our own builders made, and that may stand inside another."""

    __slots__ = ()


def quoted(name: str) -> Sql:
    """Write a name so that it can be nothing but a name.

    >>> quoted('at')
    '"at"'
    >>> quoted('x" or "1')
    '"x"" or ""1"'
    """
    return Sql('"' + name.replace('"', '""') + '"')


def literal(text: str) -> Sql:
    """Write a text as a literal, for the few places where no parameter may stand (the labels of an enum).

    >>> literal("it's")
    "'it''s'"
    """
    return Sql("'" + text.replace("'", "''") + "'")


def fill(template: str, /, **parts: str | Iterable[str]) -> Sql:
    """Put names into a template: each is quoted, lists are joined by commas, and only Sql goes in as it is.

    >>> fill("SELECT {columns} FROM {table}", columns=["lead", "at"], table="events")
    'SELECT "lead", "at" FROM "events"'
    >>> fill("SELECT {what}", what=Sql("count(*)"))
    'SELECT count(*)'
    """
    return Sql(template.format_map({key: _part(value) for key, value in parts.items()}))


def joined(pieces: Iterable[str], separator: str = ", ") -> Sql:
    """Join names and pieces of SQL.

    >>> joined(["a", Sql("b.c")], " OR ")
    '"a" OR b.c'
    """
    return Sql(separator.join(_part(piece) for piece in pieces))


def each(template: str, names: Iterable[str], separator: str = ", ") -> Sql:
    """Fill the template once for each name, as `{name}`, and join what comes out.

    >>> each("a.{name} = b.{name}", ["x", "y"], " AND ")
    'a."x" = b."x" AND a."y" = b."y"'
    """
    return Sql(separator.join(fill(template, name=name) for name in names))


def more(*pieces: str) -> Sql:
    """Return what follows in a list that has begun already: nothing, or pieces with a comma before each.

    >>> more("a", "")
    ', a'
    """
    return Sql("".join(f", {piece}" for piece in pieces if piece))


def _part(value: str | Iterable[str]) -> str:
    if isinstance(value, Sql):
        return value
    return quoted(value) if isinstance(value, str) else joined(value)
