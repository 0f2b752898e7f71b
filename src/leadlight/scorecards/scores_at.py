"""What a scorecard would have said of leads, each as of a moment of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadlight.engines.base import Engine
from leadlight.errors import UsageError
from leadlight.expr import build
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options, chance_columns, score_statement
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sql import Sql, fill, quoted

Floats = NDArray[np.float64]
ASKED = "_asked"


@dataclass(frozen=True, slots=True)
class ScoresAt:
    """Scores of (lead, as_of) rows, in the order asked; NaN where a lead did not exist yet."""

    score: Floats
    probability: Floats | None
    expected: Floats | None
    grade: list[str | None] | None
    """The grade each would have entered, the past not counted in; None where the scorecard has no grades."""
    scored: NDArray[np.bool_]
    """Whether the lead existed and the workspace does not exclude it."""
    contributions: Floats
    """Points by criterion, of shape (rows, criteria); without columns unless asked for."""
    uplift: Floats | None = None

    def take(self, rows: NDArray[np.bool_]) -> ScoresAt:
        """Return the rows where a mask is true."""
        grade = None if self.grade is None else [label for label, kept in zip(self.grade, rows, strict=True) if kept]
        return ScoresAt(
            self.score[rows],
            None if self.probability is None else self.probability[rows],
            None if self.expected is None else self.expected[rows],
            grade,
            self.scored[rows],
            self.contributions[rows],
            None if self.uplift is None else self.uplift[rows],
        )


def of_leads(scorecard: ResolvedScorecard) -> None:
    """Raise UsageError for a scorecard of accounts, whose outcomes nobody records."""
    if scorecard.spec.of != "lead":
        raise UsageError(
            f"{scorecard.name} scores accounts, and outcomes are those of leads",
            fix="Name a scorecard of leads with --scorecard.",
        )


def scores_at(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    lead: NDArray[np.int64],
    as_of: pa.Array,
    *,
    contributions: bool = False,
) -> ScoresAt:
    """Score rows of (lead, as_of), both of the same length, by one statement; excluded leads are scored too.

    Raises UsageError for a scorecard of accounts, whose outcomes nobody records.
    """
    of_leads(scorecard)
    rows = pa.table({"row": np.arange(len(lead)), "lead": pa.array(lead, pa.int32()), "as_of": as_of})
    keys = [criterion.key for criterion in scorecard.criteria] if contributions else []
    chances = [name for name in chance_columns(scorecard.spec) if name in ("probability", "expected", "uplift")]
    graded = scorecard.spec.grades is not None
    table = _answers(engine, workspace, scorecard, rows, [*chances, *keys, *(["grade"] if graded else [])])
    return ScoresAt(
        _column(table, "score"),
        _column(table, "probability") if "probability" in chances else None,
        _column(table, "expected") if "expected" in chances else None,
        table.column("grade").to_pylist() if graded else None,
        np.array(table.column("scored").to_pylist(), np.bool_),
        np.column_stack([_column(table, key) for key in keys]) if keys else np.zeros((len(lead), 0)),
        _column(table, "uplift") if "uplift" in chances else None,
    )


def _answers(
    engine: Engine,
    workspace: ResolvedWorkspace,
    scorecard: ResolvedScorecard,
    rows: pa.Table,
    columns: Sequence[str],
) -> pa.Table:
    engine.register("_asked_rows", rows)
    try:
        engine.execute(
            fill("CREATE OR REPLACE TEMP TABLE {asked} AS SELECT DISTINCT lead, as_of FROM _asked_rows", asked=ASKED)
        )
        options = Options(contributions=bool(columns), excluded=True)
        statement = score_statement(workspace, scorecard, Moment(table=ASKED), options)
        return engine.arrow(
            fill(
                "SELECT r.row, s.score, s.score IS NOT NULL AND NOT s.excluded AS scored{columns} "
                "FROM _asked_rows r LEFT JOIN ({statement}) s "
                "ON s.lead = r.lead AND s.as_of = r.as_of ORDER BY r.row",
                columns=Sql("".join(f", s.{quoted(name)}" for name in columns)),
                statement=Sql(build.to_text(statement, engine.capabilities.dialect)),
            )
        )
    finally:
        engine.execute(fill("DROP TABLE IF EXISTS {asked}", asked=ASKED))
        engine.unregister("_asked_rows")


def _column(table: pa.Table, name: str) -> Floats:
    values: Any = table.column(name).cast(pa.float64()).to_numpy()
    found: Floats = np.asarray(values, dtype=np.float64)
    return found
