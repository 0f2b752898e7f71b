from __future__ import annotations

import json
from typing import Any

from leadlight.charts.conversion import conversion_by_grade
from leadlight.charts.render import to_svg

ROWS = [("A", 10, 5, 0.24, 0.76), ("B", 0, 0, 0.0, 1.0), ("C", 2000, 20, 0.006, 0.015)]


def bars(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return spec["layer"][0]["data"]["values"]


def test_rate_and_interval_of_each_grade_that_somebody_has() -> None:
    spec = conversion_by_grade(ROWS, 0.0124)
    assert json.loads(json.dumps(spec, allow_nan=False)) == spec
    assert bars(spec) == [
        {"grade": "A", "n": 10, "won": 5, "rate": 0.5, "low": 0.24, "high": 0.76, "label": "5 of 10"},
        {"grade": "C", "n": 2000, "won": 20, "rate": 0.01, "low": 0.006, "high": 0.015, "label": "20 of 2,000"},
    ]
    assert spec["layer"][3]["data"]["values"] == [{"rate": 0.0124}]


def test_it_can_be_drawn_with_the_best_on_top() -> None:
    drawn = to_svg(conversion_by_grade(ROWS, 0.0124))
    assert drawn.index(">A<") < drawn.index(">C<")
    assert "20 of 2,000" in drawn
    assert ">50%<" in drawn


def test_nobody_was_open() -> None:
    spec = conversion_by_grade([], 0.0)
    assert bars(spec) == []
    assert to_svg(spec).startswith("<svg")
