"""How many of each grade were won."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.charts.style import ACCENT, QUIET, chart


def conversion_by_grade(
    rows: Sequence[tuple[str, int, int, float, float]], base_rate: float, *, won: str = "won"
) -> dict[str, Any]:
    """Return the win rate of each grade with its interval, from (grade, n, won, low, high); a rule at the base rate.

    >>> conversion_by_grade([("A", 10, 5, 0.24, 0.76)], 0.2)["layer"][0]["data"]["values"][0]["rate"]
    0.5
    """
    values = [
        {"grade": grade, "n": n, "won": wins, "rate": wins / n, "low": low, "high": high, "label": f"{wins:,} of {n:,}"}
        for grade, n, wins, low, high in rows
        if n
    ]
    y = {"field": "grade", "type": "nominal", "sort": [row[0] for row in rows], "title": None}
    percent = {"type": "quantitative", "axis": {"format": "%"}, "title": won}
    data = {"values": values}
    layers = [
        {"data": data, "mark": {"type": "bar", "color": ACCENT, "opacity": 0.85, "cornerRadiusEnd": 2},
         "encoding": {"y": y, "x": {"field": "rate", **percent}}},
        {"data": data, "mark": {"type": "rule", "strokeWidth": 2, "color": "#343a40"},
         "encoding": {"y": y, "x": {"field": "low", **percent}, "x2": {"field": "high"}}},
        {"data": data, "mark": {"type": "text", "align": "left", "dx": 6, "color": "#495057"},
         "encoding": {"y": y, "x": {"field": "high", **percent}, "text": {"field": "label"}}},
        {"data": {"values": [{"rate": base_rate}]}, "mark": {"type": "rule", "color": QUIET, "strokeDash": [5, 4]},
         "encoding": {"x": {"field": "rate", **percent}}},
    ]  # fmt: skip
    spec = chart([], width=520, height={"step": 28}, layer=layers)
    del spec["data"]
    return spec
