"""The moment of knowledge a statement is computed for: one for all, or one per lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlglot import exp

from leadlight.expr import build
from leadlight.expr.build import Sql


@dataclass(frozen=True, slots=True)
class Moment:
    """When, and for whom.

    `as_of` is one moment (naive UTC) for all; or `table` names a table of (lead, as_of) pairs, the form learning
    needs. `only` limits the statement to these keys (leads, or accounts for an account scorecard). `events_until`
    hides events after it although the as-of is later: the difference tells decay from new events. `prepared` leaves
    all three out of the statement, as parameters $1 (as-of), $2 (last event), $3 … (keys): one text serves any lead.
    """

    as_of: datetime | None = None
    table: str | None = None
    only: Sequence[int | str] | None = None
    events_until: datetime | None = None
    prepared: bool = False
    only_in: str | None = None

    def __post_init__(self) -> None:
        if (self.as_of is None) == (self.table is None):
            raise ValueError("a moment is one as_of, or a table of (lead, as_of) pairs")
        if self.only_in is not None and (self.only, self.table, self.events_until) != (None, None, None):
            raise ValueError("keys in a table come with one as_of, and nothing else")

    @property
    def single(self) -> bool:
        """Whether all leads share one moment."""
        return self.as_of is not None

    @property
    def limited(self) -> bool:
        """Whether only some are asked for, by their keys."""
        return self.only is not None or self.only_in is not None

    def sql(self, table: str) -> Sql:
        """Return the as-of: a literal (or parameter), or the column of a table in scope."""
        if self.as_of is None:
            return build.col("as_of", table)
        return _parameter(1) if self.prepared else build.moment(self.as_of)

    def last_event(self, table: str) -> Sql:
        """Return the moment of the last event that counts."""
        if self.as_of is None:
            return build.col("as_of", table)
        if self.prepared:
            return _parameter(1 if self.only_in is not None else 2)
        return build.moment(self._until)

    def among(self, column: exp.Column) -> Sql:
        """Return whether a key is one of those asked for."""
        if self.only_in is not None:
            keys_there = exp.select(build.col(column.name)).from_(exp.table_(self.only_in, quoted=True))
            return exp.In(this=column, query=keys_there.subquery())
        keys = self.only or []
        if not keys:
            return exp.false()
        if self.prepared:
            listed = exp.In(this=column, expressions=[_value(3 + place) for place in range(len(keys))])
            # Always true; without it $2 would not occur in statements that read no events, and the engine refuses that.
            return exp.And(this=listed, expression=exp.LTE(this=_parameter(2), expression=_parameter(1)))
        literals = [build.number(key) if isinstance(key, int) else build.text(key) for key in keys]
        return exp.In(this=column, expressions=literals)

    @property
    def parameters(self) -> list[Any]:
        """The values of a prepared statement's parameters."""
        return [self.as_of] if self.only_in is not None else [self.as_of, self._until, *(self.only or [])]

    @property
    def _until(self) -> datetime:
        assert self.as_of is not None
        return self.as_of if self.events_until is None else min(self.as_of, self.events_until)

    @property
    def keys(self) -> list[str]:
        """What makes two rows of one lead different: nothing, or the as-of."""
        return [] if self.single else ["as_of"]


def _value(place: int) -> exp.Parameter:
    return exp.Parameter(this=exp.Literal.number(place))


def _parameter(place: int) -> exp.Cast:
    return exp.cast(_value(place), exp.DType.TIMESTAMP)
