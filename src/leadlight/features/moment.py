"""The moment of knowledge a statement is computed for: one for all, or one per lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from leadlight.expr import build
from leadlight.expr.build import Sql


@dataclass(frozen=True, slots=True)
class Moment:
    """When, and for whom.

    `as_of` is one moment (naive UTC) for all; or `table` names a table of (lead, as_of) pairs, the form learning
    needs. `only` limits the statement to these keys (leads, or accounts for an account scorecard). `events_until`
    hides events after it although the as-of is later: the difference tells decay from new events.
    """

    as_of: datetime | None = None
    table: str | None = None
    only: Sequence[int | str] | None = None
    events_until: datetime | None = None

    def __post_init__(self) -> None:
        if (self.as_of is None) == (self.table is None):
            raise ValueError("a moment is one as_of, or a table of (lead, as_of) pairs")

    @property
    def single(self) -> bool:
        """Whether all leads share one moment."""
        return self.as_of is not None

    def sql(self, table: str) -> Sql:
        """Return the as-of: a literal, or the column of a table in scope."""
        return build.moment(self.as_of) if self.as_of is not None else build.col("as_of", table)

    @property
    def keys(self) -> list[str]:
        """What makes two rows of one lead different: nothing, or the as-of."""
        return [] if self.single else ["as_of"]
