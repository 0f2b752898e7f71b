"""What each capacity would have brought, and where the line is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.charts.style import ACCENT, QUIET, chart


def capacity_curve(
    points: Sequence[tuple[float, float]], *, chosen: tuple[float, float] | None, x_title: str, y_title: str
) -> dict[str, Any]:
    """Return what is brought (wins, worth or net) by how many are called, with the chosen line marked.

    >>> spec = capacity_curve([(0, 0), (10, 4), (20, 5)], chosen=(10, 4), x_title="calls a day", y_title="wins")
    >>> spec["layer"][1]["data"]["values"]
    [{'called': 10, 'brought': 4, 'label': '10 → 4'}]
    """
    x = {"field": "called", "type": "quantitative", "title": x_title, "scale": {"nice": False}}
    y = {"field": "brought", "type": "quantitative", "title": y_title, "axis": {"format": "~s"}}
    curve = {
        "data": {"values": [{"called": called, "brought": brought} for called, brought in points]},
        "mark": {"type": "area", "line": {"color": ACCENT, "strokeWidth": 2.5}, "color": ACCENT, "opacity": 0.15},
        "encoding": {"x": x, "y": y},
    }
    layers = [curve] if chosen is None else [curve, *_marked(chosen, max(called for called, _ in points), x, y)]
    spec = chart([], width=520, height=260, layer=layers)
    del spec["data"]
    return spec


def _marked(chosen: tuple[float, float], most: float, x: dict[str, Any], y: dict[str, Any]) -> list[dict[str, Any]]:
    called, brought = chosen
    data = {"values": [{"called": called, "brought": brought, "label": f"{called:,.4g} → {brought:,.4g}"}]}
    near_the_end = called > 0.7 * most
    side = {"align": "right", "dx": -8, "dy": 40} if near_the_end else {"align": "left", "dx": 8, "dy": 8}
    label = {"type": "text", "baseline": "top", "color": "#343a40", "fontSize": 13, **side}
    return [
        {"data": data, "mark": {"type": "rule", "color": QUIET, "strokeDash": [5, 4]}, "encoding": {"x": x}},
        {
            "data": data,
            "mark": {"type": "point", "filled": True, "size": 90, "color": ACCENT, "opacity": 1},
            "encoding": {"x": x, "y": y},
        },
        {"data": data, "mark": label, "encoding": {"x": x, "y": y, "text": {"field": "label"}}},
    ]
