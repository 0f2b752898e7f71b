"""How well an order of leads fits what finally happened: wins within the horizon, by score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from leadlight.engines.base import Engine
from leadlight.expr import build
from leadlight.expr.build import Sql as Tree
from leadlight.expr.sql import to_sql
from leadlight.expr.types import Type
from leadlight.scorecards.compile import Options
from leadlight.scorecards.rank import scored
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, fill, joined

COIN = 0.1
"""The share of wins that a random order has in its top tenth."""


@dataclass(frozen=True, slots=True)
class Hindsight:
    """How a scorecard would have ranked, at a past moment, the leads open then.

    A lead is open at `as_of` when no outcome is known by then; it counts as won when a win came within the horizon.
    `auc` is the chance that a won lead stood above another (ties half): .5 is a coin, 1 perfect. `top_tenth` is the
    share of all wins among the tenth of leads ranked first (where the tenth ends within a tie, that share of it): .1 is
    a coin, `best_tenth` what no order can surpass, as a tenth of all leads has no room for more wins. All are missing
    without wins or without others.
    """

    as_of: datetime
    until: datetime
    open: int
    won: int
    auc: float | None
    top_tenth: float | None

    @property
    def best_tenth(self) -> float | None:
        """The share of wins in the top tenth of the best order there is."""
        return None if self.top_tenth is None else min(self.open * COIN / self.won, 1.0)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON values."""
        return {
            "as_of": self.as_of.isoformat() + "Z",
            "until": self.until.isoformat() + "Z",
            "open": self.open,
            "won": self.won,
            "auc": self.auc,
            "top_tenth": self.top_tenth,
            "top_tenth_of_a_coin": None if self.top_tenth is None else COIN,
            "top_tenth_at_best": self.best_tenth,
        }

    def __str__(self) -> str:
        if self.auc is None or self.top_tenth is None or self.best_tenth is None:
            return f"{self.open:,} open on {self.as_of:%Y-%m-%d}, {self.won:,} of them won by {self.until:%Y-%m-%d}"
        return (
            f"AUC {self.auc:.3f}, {self.top_tenth:.0%} of wins in the top tenth (a coin {COIN:.0%}, the best order "
            f"{self.best_tenth:.0%}; {self.open:,} open on {self.as_of:%Y-%m-%d}, {self.won:,} won by "
            f"{self.until:%Y-%m-%d})"
        )


def win_condition(workspace: ResolvedWorkspace, alias: str) -> Tree | None:
    """Return whether an outcome (row of the table under this alias) is a win; None where the spec does not say."""
    if workspace.win is None:
        return None
    outcome = workspace.catalog.outcome
    kind = outcome[1] if outcome else Type.TEXT

    def column(name: str) -> Tree:
        if name == "value":
            return build.col("value", alias)
        return build.read_as(build.col("outcome", alias), kind)

    return to_sql(workspace.win, column)


def hindsight(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, until: datetime
) -> Hindsight | None:
    """Rank the leads open one horizon before `until`, and hold it against the wins that came since.

    None where the workspace names no outcome, or the scorecard is not of leads, or outcomes have no time.
    """
    won = win_condition(workspace, "o")
    if won is None or workspace.spec.outcome is None or scorecard.spec.of != "lead":
        return None
    if not engine.rows('SELECT 1 FROM outcomes WHERE "at" IS NOT NULL LIMIT 1'):
        return None
    as_of = until - workspace.spec.outcome.horizon
    condition = Sql(build.to_text(won, engine.capabilities.dialect))
    with scored(engine, workspace, scorecard, as_of, options=Options(contributions=False), table="_then") as table:
        # The area under the ROC curve from the sum of ranks (Mann and Whitney 1947), ties at their mean rank.
        rows = engine.rows(
            fill(
                "WITH l AS ({labelled}), r AS (SELECT won, "
                "rank() OVER (ORDER BY score) AS low, rank() OVER (ORDER BY score DESC) AS high, "
                "count(*) OVER (PARTITION BY score) AS ties, count(*) OVER () / 10.0 AS tenth FROM l) "
                "SELECT count(*), count(*) FILTER (WHERE won), sum(low + (ties - 1) / 2.0) FILTER (WHERE won), "
                "sum(greatest(least((tenth - high + 1) / ties, 1), 0)) FILTER (WHERE won) FROM r",
                labelled=labelled(table, condition, columns=["lead", "score"]),
            ),
            [as_of, until, as_of],
        )
    total, wins, ranks, at_top = rows[0]
    if not wins or wins == total:
        return Hindsight(as_of, until, int(total), int(wins), None, None)
    auc = (float(ranks) - wins * (wins + 1) / 2) / (wins * (total - wins))
    return Hindsight(as_of, until, int(total), int(wins), auc, at_top / wins)


def labelled(table: str, condition: Sql, *, columns: Sequence[str]) -> Sql:
    """Return the query of the leads of a table of scores that were open then, and whether each was won since.

    Its parameters are: as-of, until, as-of. Outcomes without a time count as later.
    """
    return fill(
        'SELECT {columns}, coalesce(bool_or({condition}) FILTER (WHERE o."at" > ? OR o."at" IS NULL), false) AS won '
        'FROM {table} s LEFT JOIN outcomes o ON o.lead = s.lead AND (o."at" <= ? OR o."at" IS NULL) '
        'GROUP BY {columns} HAVING count(*) FILTER (WHERE o."at" <= ?) = 0',
        columns=joined(fill("s.{name}", name=name) for name in columns),
        condition=condition,
        table=table,
    )
