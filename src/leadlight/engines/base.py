"""What the rest of the house needs from an engine: run SQL, bring Arrow in, take Arrow out, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa

from leadlight.expr.types import Type


@dataclass(frozen=True, slots=True)
class Capabilities:
    """How an engine differs from the others, declared once instead of asked by name all over."""

    dialect: str
    """sqlglot's name of its SQL."""
    types: dict[Type, str]
    """The column type that holds each of our types exactly."""
    enums: bool = True
    """Whether a column of few texts is kept as an enum."""
    one_file: bool = True
    """Whether the store is one file, its tables laid out by us."""


class Engine(Protocol):
    """A place where SQL runs. Parameters are `?`; identifiers and statements come from our own builders only."""

    capabilities: Capabilities
    fault: type[Exception]
    """What the driver raises."""

    def unusable(self, error: BaseException) -> bool:
        """Return whether a fault is the store's and not the statement's: the same may go well later."""

    def follows(self, error: BaseException) -> bool:
        """Return whether a fault only says that there was one before in the transaction."""

    def revive(self) -> None:
        """Connect again where the connection is lost.

        Raises StoreError where that is not possible.
        """

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement and read nothing back."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return its few rows."""

    def arrow(self, sql: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Run a query and return its rows as an Arrow table."""

    def prepared(self, sql: str, parameters: Sequence[int | str | datetime]) -> list[dict[str, Any]]:
        """Run a query with `$1`, `$2` … that is asked again and again: planned once, as long as the store is open.

        Returns its few rows by column name.
        """

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name until `unregister`; nothing is copied."""

    def take(self, name: str, rows: pa.RecordBatchReader) -> None:
        """Make a temporary table of rows that come batch by batch."""

    def batches(self, table: str) -> pa.RecordBatchReader:
        """Return the rows of a table batch by batch; nothing else can be asked before they are read."""

    def unregister(self, name: str) -> None:
        """Forget a registered table."""

    def columns(self, table: str) -> dict[str, str]:
        """Return a table's columns and their engine types, in order; empty where there is no such table."""

    def tables(self) -> frozenset[str]:
        """Return the names of all tables that stay, as they are written."""

    def transaction(self) -> AbstractContextManager[None]:
        """All that happens inside is kept together, or not at all. Nested ones join the outer one."""

    def rewrite(self) -> None:
        """Take what was deleted off the disk."""

    def close(self) -> None:
        """Let go of the store."""
