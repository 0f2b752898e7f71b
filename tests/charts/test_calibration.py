from __future__ import annotations

import json

import pytest

from leadlight.charts.calibration import calibration_plot
from leadlight.charts.render import to_svg

BINS = [(0.01, 0.02, 0.01, 0.04, 400), (0.05, 0.04, 0.02, 0.07, 380), (0.2, 0.25, 0.2, 0.3, 100)]


def test_each_bin_has_a_point_and_an_interval() -> None:
    spec = calibration_plot(BINS, entity="lead")
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    diagonal, intervals, points = spec["layer"]
    assert intervals["data"] == points["data"]
    assert [(row["said"], row["came"], row["low"], row["high"], row["n"]) for row in points["data"]["values"]] == BINS
    assert diagonal["data"]["values"] == [{"said": 0, "came": 0}, {"said": 0.315, "came": 0.315}]


def test_counts_stand_in_the_legend() -> None:
    drawn = to_svg(calibration_plot(BINS, entity="ticket"))
    assert ">tickets<" in drawn
    assert ">100<" in drawn
    assert ">400<" in drawn
    assert drawn.count('aria-roledescription="point"') == 3


@pytest.mark.parametrize("bins", [[], [(0.0, 0.0, 0.0, 0.0, 5)], [(1.0, 1.0, 0.9, 1.0, 1)]])
def test_odd_bins_can_be_drawn(bins: list[tuple[float, float, float, float, int]]) -> None:
    spec = calibration_plot(bins, entity="lead")
    assert 0 < spec["layer"][0]["data"]["values"][1]["said"] <= 1
    assert to_svg(spec).startswith("<svg")
