"""The groups of protected attributes, held against each other at a line: what a compliance officer asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pyarrow as pa

from leadlight.engines.base import Engine
from leadlight.errors import UsageError, did_you_mean
from leadlight.evaluate.arrays import Texts
from leadlight.evaluate.bins import MISSING
from leadlight.evaluate.fairness import Fairness, fairness
from leadlight.learn.bins import number_cuts
from leadlight.learn.examples import Bools, Floats
from leadlight.learn.training import Rows, features_at
from leadlight.scorecards.compile import name_types
from leadlight.spec.models import GradesSpec
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.spec.words import words_of

CHOSEN = 0.2
"""The share of leads ranked first that counts as chosen, where no line is named; of one score all are or none."""
MOST_BANDS = 5
"""Into how many bands a protected number (an age) is cut."""


def compare_groups(
    engine: Engine,
    workspace: ResolvedWorkspace,
    rows: Rows,
    score: Floats,
    *,
    features: Sequence[str],
    probability: Floats | None = None,
    line: Line | None = None,
) -> tuple[Fairness, ...]:
    """Compare the groups of each protected attribute, each lead once, where its score was highest.

    `line` says who is chosen; without, it is about the fifth ranked first (see `first_of`).
    `features` are those the scorecard uses. An attribute that nobody has a value of is left out.
    """
    known = name_types(workspace)
    protected = [name for name in workspace.spec.learn.protected if name in known]
    if not protected or not len(score):
        return ()
    each = rows.one_each(score)
    best = np.zeros(len(score), np.bool_)
    best[each] = True
    rows, score = rows.take(best), score[best]
    line = first_of(score) if line is None else replace(line, chosen=line.chosen[best])
    table = features_at(engine, workspace, list(dict.fromkeys([*features, *protected])), rows)
    return tuple(
        fairness(
            name,
            groups_of(table.column(name)),
            chosen=line.chosen,
            won=rows.won,
            probability=None if probability is None else probability[best],
            features=table.select([other for other in features if other != name and other not in protected]),
            words=words_of(workspace.spec),
            score=score,
            line=line.said,
        )
        for name in protected
        if table.column(name).null_count < table.num_rows
    )


def groups_of(column: pa.ChunkedArray) -> Texts:
    """Return the group of each row: its value, of numbers the band of about a fifth of the rows it falls in.

    >>> groups_of(pa.chunked_array([[20.0, 30.0, 40.0, 50.0, 60.0, 70.0, None]])).tolist()
    ['below 40', 'below 40', '40 to below 50', '50 to below 60', '60 to below 70', '70 and above', 'missing']
    """
    if not pa.types.is_floating(column.type):
        texts = column.cast(pa.string()).fill_null(MISSING).to_pylist()
        return np.array(texts, dtype=np.object_)
    values = column.to_numpy()
    known = values[~np.isnan(values)]
    if len(np.unique(known)) <= MOST_BANDS:
        shown = [MISSING if np.isnan(value) else f"{value:g}" for value in np.unique(values)]
        return np.array(shown, dtype=np.object_)[np.unique(values, return_inverse=True)[1]]
    cuts = number_cuts(known, most=MOST_BANDS)
    middle = [f"{low:g} to below {high:g}" for low, high in pairwise(cuts)]
    labels = np.array([f"below {cuts[0]:g}", *middle, f"{cuts[-1]:g} and above", MISSING], dtype=np.object_)
    place = np.searchsorted(np.array(cuts), values, side="right")
    found: Texts = labels[np.where(np.isnan(values), len(labels) - 1, place)]
    return found


@dataclass(frozen=True, slots=True)
class Line:
    """Who is chosen, and how that is said."""

    chosen: Bools
    said: str


def first_of(score: Floats) -> Line:
    """Return the line that is nearest to choosing a fifth; whole points share scores, so it says how many it chooses.

    >>> first_of(np.array([5.0, 5.0, 5.0, 1.0])).said, first_of(np.arange(10.0)).said
    ('the 75% ranked first', 'the 20% ranked first')
    """
    cuts, here = np.unique(score, return_counts=True)
    above = np.cumsum(here[::-1])[::-1]
    cut = cuts[int(np.argmin(np.abs(above - CHOSEN * len(score))))]
    chosen: Bools = score >= cut
    return Line(chosen, f"the {chosen.mean():.0%} ranked first")


def line_of(
    workspace: ResolvedWorkspace,
    line: str | None,
    score: Floats,
    grade: Sequence[str | None] | None,
    grades: GradesSpec | None,
) -> Line | None:
    """Return who is at or above the line told, else the workspace's (`learn: line`); None where there is neither.

    A workspace's line that this scorecard's grades do not know is none. Raises UsageError for one told that is neither.
    """
    labels = grades.labels if grades is not None else []
    found = line if line is not None else _own_line(workspace, labels)
    if found is None:
        return None
    said = f"grade {found} or better" if found in labels else f"from a score of {found} on"
    return Line(at_line(found, score, grade, grades), said)


def _own_line(workspace: ResolvedWorkspace, labels: Sequence[str]) -> str | None:
    own = workspace.spec.learn.line
    if own is None or isinstance(own, float | int):
        return None if own is None else f"{own:g}"
    return own if own in labels else None


def at_line(line: str, score: Floats, grade: Sequence[str | None] | None, grades: GradesSpec | None) -> Bools:
    """Return who is at or above a line: a grade (and all better), or a score.

    Raises UsageError for a line that is neither.
    """
    labels = grades.labels if grades is not None else []
    if line in labels and grade is not None:
        better = set(labels[: labels.index(line) + 1])
        return np.array([label in better for label in grade], np.bool_)
    try:
        return score >= float(line)
    except ValueError:
        known = did_you_mean(line, labels) if labels else "the scorecard has no grades: name a score"
        raise UsageError(f"--line: {line!r} is no score and no grade: {known}") from None
