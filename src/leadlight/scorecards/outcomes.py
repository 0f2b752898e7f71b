"""How well an order of leads fits what finally happened: wins within the horizon, by score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlglot import exp

from leadlight.engines.base import Engine
from leadlight.errors import NotFoundError, UsageError
from leadlight.expr import build
from leadlight.expr.build import Sql as Tree
from leadlight.expr.parse import Expression
from leadlight.expr.sql import to_sql
from leadlight.expr.types import Type
from leadlight.scorecards.compile import Options
from leadlight.scorecards.rank import scored
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.spec.words import USUAL, Words, words_of
from leadlight.store.sql import Sql, fill, joined

SAY_WHAT_A_WIN_IS = (
    "Name the column with `outcome:` in a source, and say which are wins: outcome: {win: \"stage = 'won'\"}."
)
LOOKS_BETTER = "it was learned from these: judged by them it looks better than it is"
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
    words: Words = field(default=USUAL, repr=False, compare=False)
    learned_from: bool = False
    """Whether the scorecard was learned from these very leads."""

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
            "learned_from": self.learned_from,
        }

    def __str__(self) -> str:
        if self.auc is None or self.top_tenth is None or self.best_tenth is None:
            came = f"{self.won:,} of them {self.words.won}"
            return f"{self.open:,} open on {self.as_of:%Y-%m-%d}, {came} by {self.until:%Y-%m-%d}"
        return (
            f"AUC {self.auc:.3f}, {self.top_tenth:.0%} of {self.words.wins} in the top tenth (a coin {COIN:.0%}, "
            f"the best order {self.best_tenth:.0%}; {self.open:,} open on {self.as_of:%Y-%m-%d}, "
            f"{self.won:,} {self.words.won} by {self.until:%Y-%m-%d})"
            + (f"; {LOOKS_BETTER}" if self.learned_from else "")
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """What an outcome makes of a row `o` of the outcomes, as SQL that is never null.

    `won` says whether it is a win, `closing` whether it closes its lead; `brought` is the aggregate that makes one
    worth of a lead's wins: their sum where wins repeat, else the largest.
    """

    won: Sql
    closing: Sql
    brought: Sql
    repeats: bool
    dated: bool
    """Whether such outcomes have a time (any of them)."""


def rules(engine: Engine, workspace: ResolvedWorkspace) -> Rules:
    """Return the rules of the workspace's outcome.

    Raises NotFoundError where it does not say what a win is, UsageError for wins that repeat without a time.
    """
    condition = win_condition(workspace, "o")
    if condition is None:
        raise NotFoundError("the workspace does not say what a win is", fix=SAY_WHAT_A_WIN_IS)
    won, closing = (_certain(engine, tree) for tree in (condition, _closing_condition(workspace, "o")))
    repeats = workspace.spec.outcome is not None and workspace.spec.outcome.repeats
    some = 'SELECT 1 FROM outcomes o WHERE o."at" IS NOT NULL AND ({won} OR {closing}) LIMIT 1'
    dated = bool(engine.rows(fill(some, won=won, closing=closing)))
    if repeats and not dated and engine.rows("SELECT 1 FROM outcomes LIMIT 1"):
        raise UsageError(
            "outcomes have no times, and where wins repeat, nothing else tells which came after a moment",
            fix="Name their column with `at:` in the source of outcomes, or leave out `repeats`.",
        )
    return Rules(won, closing, Sql("sum" if repeats else "max"), repeats, dated)


def _certain(engine: Engine, condition: Tree) -> Sql:
    return fill("coalesce({text}, false)", text=Sql(build.to_text(condition, engine.capabilities.dialect)))


def win_condition(workspace: ResolvedWorkspace, alias: str) -> Tree | None:
    """Return whether an outcome (row of the table under this alias) is a win; None where the spec does not say."""
    return None if workspace.win is None else _over_outcomes(workspace, workspace.win, alias)


def _closing_condition(workspace: ResolvedWorkspace, alias: str) -> Tree:
    """Return whether an outcome (row of the table under this alias) closes a lead, so that it is not open any more.

    Where `lose` is named, wins and losses do. Where it is not, any outcome does; of outcomes by name, which share a
    table, only the wins of this one. Where wins repeat, they close nothing: only losses do.
    """
    repeats = workspace.spec.outcome is not None and workspace.spec.outcome.repeats
    if workspace.lose is None and not repeats and not workspace.outcomes:
        return exp.true()
    ends = [workspace.lose] if repeats else [workspace.win, workspace.lose]
    closing = [_over_outcomes(workspace, condition, alias) for condition in ends if condition is not None]
    return build.either(*closing) if closing else exp.false()


def _over_outcomes(workspace: ResolvedWorkspace, condition: Expression, alias: str) -> Tree:
    kind = workspace.catalog.outcome[1] if workspace.catalog.outcome else Type.TEXT

    def column(name: str) -> Tree:
        return build.col("value", alias) if name == "value" else build.read_as(build.col("outcome", alias), kind)

    return to_sql(condition, column)


def hindsight(
    engine: Engine, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard, until: datetime
) -> Hindsight | None:
    """Rank the leads open one horizon before `until`, and hold it against the wins that came since.

    None where the workspace names no outcome, or the scorecard is not of leads, or outcomes have no time.
    """
    if workspace.win is None or workspace.spec.outcome is None or scorecard.spec.of != "lead":
        return None
    outcome = rules(engine, workspace)
    if not outcome.dated:
        return None
    as_of = until - workspace.spec.outcome.horizon
    with scored(engine, workspace, scorecard, as_of, options=Options(contributions=False), table="_then") as table:
        # The area under the ROC curve from the sum of ranks (Mann and Whitney 1947), ties at their mean rank.
        rows = engine.rows(
            fill(
                "WITH l AS ({labelled}), r AS (SELECT won, "
                "rank() OVER (ORDER BY score) AS low, rank() OVER (ORDER BY score DESC) AS high, "
                "count(*) OVER (PARTITION BY score) AS ties, count(*) OVER () / 10.0 AS tenth FROM l) "
                "SELECT count(*), count(*) FILTER (WHERE won), sum(low + (ties - 1) / 2.0) FILTER (WHERE won), "
                "sum(greatest(least((tenth - high + 1) / ties, 1), 0)) FILTER (WHERE won) FROM r",
                labelled=labelled(table, outcome, columns=["lead", "score"]),
            ),
            [as_of, until, as_of],
        )
    total, wins, ranks, at_top = rows[0]
    said, seen = words_of(workspace.spec), learned_from(scorecard, as_of)
    if not wins or wins == total:
        return Hindsight(as_of, until, int(total), int(wins), None, None, said, seen)
    auc = (float(ranks) - wins * (wins + 1) / 2) / (wins * (total - wins))
    return Hindsight(as_of, until, int(total), int(wins), auc, at_top / wins, said, seen)


def learned_from(scorecard: ResolvedScorecard, since: datetime | None) -> bool:
    """Return whether a scorecard was learned from what came of leads as they stood since a moment (None is ever)."""
    until = str((scorecard.spec.learned or {}).get("to") or "")
    return bool(until) and (since is None or f"{since:%Y-%m-%d}" < until)


def labelled(table: str, outcome: Rules, *, columns: Sequence[str]) -> Sql:
    """Return the query of the leads of a table of scores that were open then, and whether each was won since.

    Its parameters are: as-of, until, as-of. Outcomes without a time count as later.
    """
    return fill(
        'SELECT {columns}, coalesce(bool_or({won}) FILTER (WHERE o."at" > ? OR o."at" IS NULL), false) AS won '
        'FROM {table} s LEFT JOIN outcomes o ON o.lead = s.lead AND (o."at" <= ? OR o."at" IS NULL) '
        'GROUP BY {columns} HAVING count(*) FILTER (WHERE o."at" <= ? AND {closing}) = 0',
        columns=joined(fill("s.{name}", name=name) for name in columns),
        won=outcome.won,
        closing=outcome.closing,
        table=table,
    )
