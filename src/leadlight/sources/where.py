"""Which rows of a source are meant: its `where`, a condition over the columns of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadlight.errors import DataError, Fault
from leadlight.expr import build
from leadlight.expr.expression import Expression
from leadlight.expr.parse import ExpressionError, parse_condition
from leadlight.expr.sql import to_sql
from leadlight.sources.form import Form
from leadlight.sources.layout import Slot
from leadlight.sources.load import checked
from leadlight.sources.names import unique_names
from leadlight.spec.models import SourceSpec

NONE = "false"
"""SQL for: no row is left out."""


@dataclass(frozen=True, slots=True)
class Where:
    """A source's columns by the names its `where` may use: those of the file in snake case, and our own."""

    source: str
    spec: SourceSpec
    headers: Sequence[str]
    slots: Sequence[Slot]
    forms: Sequence[Form]

    def faults(self) -> list[Fault]:
        """Return what is wrong with the condition; line and column are those within its text."""
        try:
            self._parsed()
        except ExpressionError as error:
            path = f"sources.{self.source}.where"
            return [Fault(p.message, line=p.line, column=p.column, path=path) for p in error.problems]
        return []

    def left_out_sql(self) -> str:
        """Return SQL for: this row of the staging table is not meant.

        So is every row for which the condition is not true, unless a value that the condition looks at could not be
        read: nobody knows what is meant then, and the row is rejected. Blank rows are none at all. Raises DataError.
        """
        faults = self.faults()
        if faults:
            raise DataError(faults)
        parsed = self._parsed()
        if parsed is None:
            return NONE
        by_name = self._by_name()
        condition = build.to_text(to_sql(parsed, lambda name: self._column(by_name[name])), "duckdb")
        looked_at = {by_name[name] for name in parsed.names}
        places = [place for place, i in enumerate(checked(self.slots, self.forms), start=2) if i in looked_at]
        unread = " OR ".join(["_bad[1] IS NOT NULL", *(f"_bad[{place}] <> ''" for place in places)])
        not_blank = "(_bad IS NULL OR len(_bad) > 0)"
        return f"(coalesce(NOT {condition}, true) AND NOT coalesce({unread}, false) AND {not_blank})"

    def _parsed(self) -> Expression | None:
        if self.spec.where is None:
            return None
        types = {name: self.forms[i].type for name, i in self._by_name().items()}
        return parse_condition(self.spec.where, types)

    def _by_name(self) -> dict[str, int]:
        """Return, for each name, the slot it stands for."""
        places = {slot.header: i for i, slot in enumerate(self.slots)}
        of_file = zip(unique_names(self.headers, ()), self.headers, strict=True)
        names = {name: places[header] for name, header in of_file if header in places}
        return names | {slot.name.lower(): i for i, slot in enumerate(self.slots) if not slot.name.startswith("_")}

    def _column(self, i: int) -> build.Sql:
        column = build.col(self.slots[i].name)
        return build.read_as(column, self.forms[i].type) if self.slots[i].role == "outcome" else column
