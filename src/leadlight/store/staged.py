"""Rows of a source that wait in a temporary table, typed, to be put into the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadlight.expr.types import Type
from leadlight.store.sql import Sql, fill


@dataclass(frozen=True, slots=True)
class Staged:
    """A temporary table: one column per role it has (`_id`, `_at` …), one per attribute or property,
    `_file`, and `_place`: a number by which rows come in the order in which they were read.
    `columns` are the attributes or properties by name.
    """

    source: str
    table: str
    roles: frozenset[str]
    columns: Mapping[str, Type] = field(default_factory=dict)
    ids: str = "ids"
    """Where the numbers of the rows' ids are found, as (id, key, lead): another table than the store's where every id
    has its number already, and few are to be read through."""

    def role(self, name: str, type_: str, *, alias: str = "s") -> Sql:
        """Return the role's column, or a null of that type where the source has none."""
        column = f"_{name}"
        return fill(f"{alias}.{{column}}", column=column) if name in self.roles else Sql(f"NULL::{type_}")


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of a source's rows: of what they describe, how much is new, changed, or as it was."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    """Rows folded into another one of the same id."""
    erased: int = 0
    """Rows about people who were erased: left out."""
    unusable: int = 0
    """Rows without what makes them an event or outcome: left out."""
