from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from leadlight.scorecards.scores_at import scores_at
from leadlight.workspace import Workspace

MOMENTS = [datetime(2026, 3, 1), datetime(2026, 2, 10), datetime(2026, 2, 28, 12), datetime(2025, 12, 1)]


def test_each_row_is_scored_as_explain_would(shop: Workspace) -> None:
    with shop.store() as engine:
        resolved = shop._ready(engine)
        keys = dict(engine.rows("SELECT id, lead FROM leads"))
        asked = [(name, moment) for moment in MOMENTS for name in ("ann", "bob", "cy", "ann", "eve")]
        lead = np.array([keys[name] for name, _ in asked])
        as_of = pa.array([moment for _, moment in asked], pa.timestamp("us"))
        card = resolved.scorecards["house"]
        found = scores_at(engine, resolved, card, lead, as_of, contributions=True)
    for place, (name, moment) in enumerate(asked):
        if not found.scored[place] and np.isnan(found.score[place]):
            assert moment == datetime(2025, 12, 1) or (name, moment) == ("cy", datetime(2025, 12, 1))
            continue
        ledger = shop.explain(name, as_of=moment)
        assert found.score[place] == pytest.approx(ledger.score, abs=1e-9)
        points = {item.key: item.points for item in ledger.contributions}
        assert [points[criterion.key] for criterion in card.criteria] == pytest.approx(list(found.contributions[place]))
        assert found.scored[place] == (name != "eve"), "who is excluded is scored, and marked"
    assert found.probability is None
    assert found.grade is not None
    kept = [label for label, scored in zip(found.grade, found.scored, strict=True) if scored]
    assert found.take(found.scored).grade == kept
