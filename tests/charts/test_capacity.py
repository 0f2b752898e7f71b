from __future__ import annotations

import json

from leadlight.charts.capacity import capacity_curve
from leadlight.charts.render import to_svg

POINTS = [(0.0, 0.0), (10.0, 400.0), (20.0, 1500.0)]


def test_the_chosen_line_is_marked_and_told() -> None:
    spec = capacity_curve(POINTS, chosen=(10.0, 400.0), x_title="calls a day", y_title="wins")
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert [(row["called"], row["brought"]) for row in spec["layer"][0]["data"]["values"]] == POINTS
    drawn = to_svg(spec)
    assert ">10 → 400<" in drawn
    assert ">calls a day<" in drawn


def test_near_the_right_edge_the_label_stands_to_the_left() -> None:
    def side(called: float) -> str:
        spec = capacity_curve(POINTS, chosen=(called, 1.0), x_title="x", y_title="y")
        return spec["layer"][3]["mark"]["align"]

    assert (side(5.0), side(19.0)) == ("left", "right")


def test_nothing_chosen_and_nobody() -> None:
    spec = capacity_curve(POINTS, chosen=None, x_title="x", y_title="y")
    assert len(spec["layer"]) == 1
    assert to_svg(spec).startswith("<svg")
    assert to_svg(capacity_curve([], chosen=None, x_title="x", y_title="y")).startswith("<svg")
