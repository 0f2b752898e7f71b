"""What a campaign gains as more are treated, those ranked first before the rest: the Qini curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadlight.charts.gain import COLOURS
from leadlight.charts.style import QUIET, chart
from leadlight.spec.entity import plural

RANDOM = "random order"


def qini_curve(curves: Mapping[str, Sequence[tuple[float, float]]], *, entity: str) -> dict[str, Any]:
    """Return the wins gained per 100 of everybody, by the share treated, a line for each order (Radcliffe 2007).

    Each curve is (share treated, wins gained per lead); all end where everybody is treated. The straight line there is
    what a random order gains; a curve may rise above its end where some are better left alone.

    >>> spec = qini_curve({"uplift": [(0, 0), (0.5, 0.06), (1, 0.05)]}, entity="customer")
    >>> [row["gained"] for row in spec["data"]["values"] if row["order"] == "random order"]
    [0.0, 5.0]
    """
    end = next((points[-1][1] for points in curves.values() if points), 0.0)
    marks = {**{name: list(points) for name, points in curves.items()}, RANDOM: [(0.0, 0.0), (1.0, end)]}
    values = [{"order": name, "share": x, "gained": 100 * y} for name, points in marks.items() for x, y in points]
    names = list(marks)
    colours = [COLOURS[place % len(COLOURS)] for place in range(len(curves))] + [QUIET]
    legend = {"title": None, "symbolType": "stroke", "symbolStrokeWidth": 3}
    return chart(
        values,
        width=440,
        height=320,
        mark={"type": "line", "strokeWidth": 2.5, "interpolate": "linear"},
        encoding={
            "x": {
                "field": "share", "type": "quantitative", "axis": {"format": "%", "tickCount": 6},
                "scale": {"domain": [0, 1]}, "title": f"{plural(entity)} treated, those ranked first before the rest",
            },
            "y": {"field": "gained", "type": "quantitative", "title": f"wins gained per 100 {plural(entity)}"},
            "order": {"field": "share"},
            "color": {
                "field": "order", "type": "nominal", "scale": {"domain": names, "range": colours}, "sort": names,
                "legend": legend,
            },
        },
    )  # fmt: skip
