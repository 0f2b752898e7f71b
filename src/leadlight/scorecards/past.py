"""Whether a scorecard's grades go on from those it gave before."""

from __future__ import annotations

from datetime import datetime

from leadlight.engines.base import Engine
from leadlight.spec.resolved import ResolvedScorecard
from leadlight.store.scorecards import is_in_use


def continues(engine: Engine, scorecard: ResolvedScorecard, as_of: datetime | None) -> bool:
    """Return whether hysteresis and dwell count the history of grades in.

    They do for the version in use. Another one (an edit in `diff`, a new version's first run) begins anew: its
    thresholds are not those the grades of the past were held by.
    """
    graded = scorecard.spec.grades is not None
    return graded and is_in_use(engine, scorecard.name, scorecard.version, as_of=as_of)
