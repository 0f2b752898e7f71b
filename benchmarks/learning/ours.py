"""Leadlight's learner as a system: leave out what leaks or says when, then fit; and with its curve of probabilities."""

from __future__ import annotations

import hashlib
import importlib
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
from peers import Fit, Predict
from protocols import Judged

from leadlight.learn.examples import Examples

POINTS = 20 / np.log(2)
"""20 points double the odds."""
PARTS = ("fit", "leakage", "calibrate", "crossed")


def available() -> bool:
    """Whether all parts are there."""
    return all(find_spec(f"leadlight.learn.{part}") is not None for part in PARTS)


def leadlight(examples: Examples) -> Predict:
    """Learn from the features that tell who, not when; the tables' own log-odds give the probability."""
    from leadlight.learn.fit import fit

    return fit(_chosen(examples)).probability


def leadlight_calibrated(examples: Examples) -> Predict:
    """Rank by the same tables, and read probabilities off a curve, as a published scorecard does.

    The curve is read off the newest part (at random where there is no time), as tables of the older part score it, and
    is that of all rows (`learn/crossed.py`). Where the older part has too few wins to learn from, the tables' own
    probabilities stand.
    """
    from leadlight.errors import TooFewOutcomes
    from leadlight.evaluate.splits import split
    from leadlight.learn.crossed import curve_of_all, points
    from leadlight.learn.fit import fit

    rows = _chosen(examples)
    parts = split(rows.won, time=rows.time, horizon=rows.horizon, lead=rows.lead)
    fitted = fit(rows)
    try:
        older = fit(rows.take(parts.train))
    except TooFewOutcomes:
        return fitted.probability
    said = points(older.tables, rows.take(parts.test))
    curve, _ = curve_of_all(rows, parts.train, parts.test, said, fitted.tables)

    def predict(features: pa.Table) -> Judged:
        score = fitted.tables.log_odds(features) * POINTS
        return Judged(score, curve.probabilities(score))

    return predict


OURS: dict[str, Fit] = {"leadlight": leadlight, "leadlight_calibrated": leadlight_calibrated}


def code_version(name: str) -> str:
    """Return a hash of this file and of the sources of Leadlight that the system imports."""
    parts = [f"leadlight.learn.{part}" for part in (PARTS if name == "leadlight_calibrated" else PARTS[:2])]
    for part in parts:
        importlib.import_module(part)
    files = sorted({Path(__file__), *(file for part in parts for file in _sources(part))})
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _chosen(examples: Examples) -> Examples:
    from leadlight.learn.leakage import find_leaks

    return examples.select(list(find_leaks(examples).kept))


def _sources(name: str) -> set[Path]:
    """Return the files of a module of Leadlight and of those it imports from, however far."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        module = sys.modules[waiting.pop()]
        if module.__name__ in seen:
            continue
        seen.add(module.__name__)
        parents = {getattr(value, "__module__", None) for value in vars(module).values()}
        waiting += [str(parent) for parent in parents if str(parent).startswith("leadlight.")]
    return {Path(str(sys.modules[name].__file__)) for name in seen}
