from __future__ import annotations

import json

import numpy as np

from leadlight.charts.drift import BANDS, drift_bars
from leadlight.charts.render import to_svg
from leadlight.charts.style import ACCENT, DOWN
from leadlight.evaluate.drift import SHIFTED, STABLE, score_drift

SHIFTS = [("industry", 0.31, "large shift"), ("visits", 0.14, "some shift"), ("size", 0.02, "stable")]


def test_a_bar_for_each_in_the_colour_of_its_band() -> None:
    spec = drift_bars(SHIFTS, limits=(STABLE, SHIFTED))
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    drawn = to_svg(spec)
    assert drawn.index(">industry<") < drawn.index(">visits<") < drawn.index(">size<")
    for name, psi, _ in SHIFTS:
        assert f">{name}<" in drawn
        assert f">{psi:.2f}<" in drawn
    assert f'fill="{ACCENT}"' in drawn
    assert f'fill="{DOWN}"' in drawn


def test_limits_are_drawn() -> None:
    assert [row["psi"] for row in drift_bars(SHIFTS, limits=(0.1, 0.25))["layer"][2]["data"]["values"]] == [0.1, 0.25]


def test_bands_are_those_of_evaluation() -> None:
    rng = np.random.default_rng(0)
    bands = [score_drift(rng.normal(size=3000), rng.normal(size=3000) + shift).band for shift in (0.0, 0.4, 1.0)]
    assert bands == list(BANDS)


def test_nothing_to_show() -> None:
    assert to_svg(drift_bars([], limits=(0.1, 0.25))).startswith("<svg")
