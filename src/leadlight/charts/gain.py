"""How many of the wins are found as more leads are called: the gain curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadlight.charts.style import ACCENT, QUIET, chart
from leadlight.spec.words import Words

COLOURS = [ACCENT, "#e09f3e", "#2b9348", "#9d4edd", "#c1121f", "#495057"]
COIN, IDEAL = "coin", "ideal"


def gain_curve(
    curves: Mapping[str, Sequence[tuple[float, float]]], *, base_rate: float, words: Words
) -> dict[str, Any]:
    """Return the share of all wins found among the share ranked first, a line for each order of leads.

    Each curve is (share called, share of wins found), from (0, 0) to (1, 1). Beside them stand the coin, which finds as
    many as it calls, and the ideal, which calls winners only until all (the base rate) are called.

    >>> spec = gain_curve({"learned": [(0, 0), (0.1, 0.4), (1, 1)]}, base_rate=0.2, words=Words())
    >>> [row["gain"] for row in spec["data"]["values"] if row["order"] == "learned"]
    [0, 0.4, 1]
    """
    ideal = [(0.0, 0.0), (min(max(base_rate, 0.0), 1.0), 1.0), (1.0, 1.0)]
    marks = {**{name: list(points) for name, points in curves.items()}, IDEAL: ideal, COIN: [(0.0, 0.0), (1.0, 1.0)]}
    values = [{"order": name, "share": x, "gain": y} for name, points in marks.items() for x, y in points]
    names = list(marks)
    colours = [COLOURS[place % len(COLOURS)] for place in range(len(curves))] + [QUIET, QUIET]
    dashes = [[1, 0]] * len(curves) + [[6, 4], [2, 3]]
    percent = {"type": "quantitative", "axis": {"format": "%", "tickCount": 6}, "scale": {"domain": [0, 1]}}
    return chart(
        values,
        width=440,
        height=320,
        mark={"type": "line", "strokeWidth": 2.5, "interpolate": "linear"},
        encoding={
            "x": {"field": "share", **percent, "title": f"{words.entities} {words.action}, best first"},
            "y": {"field": "gain", **percent, "title": f"{words.wins} found"},
            "order": {"field": "share"},
            "color": {
                "field": "order", "type": "nominal", "scale": {"domain": names, "range": colours},
                "sort": names, "legend": {"title": None, "symbolType": "stroke", "symbolStrokeWidth": 3},
            },
            "strokeDash": {
                "field": "order", "type": "nominal", "scale": {"domain": names, "range": dashes}, "sort": names,
                "legend": {"title": None, "symbolType": "stroke", "symbolStrokeWidth": 3},
            },
        },
    )  # fmt: skip
