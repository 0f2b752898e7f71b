"""What the won have more often, or less, than all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.charts.style import ACCENT, QUIET, chart

ALL = "of all"


def profile_shares(rows: Sequence[tuple[str, float, float, float]], *, won: str = "won") -> dict[str, Any]:
    """Return each level's share among all and among the won, joined by a line, in the order given.

    Rows are (level, share among the won, share among all, lift); the lift stands behind.

    >>> spec = profile_shares([("Seniority: vp", 0.4, 0.1, 4.0)])
    >>> [(row["of"], row["share"]) for row in spec["layer"][1]["data"]["values"]]
    [('of all', 0.1), ('of the won', 0.4)]
    """
    ends = [
        {"level": level, "low": min(theirs, everyone), "high": max(theirs, everyone), "lift": _times(lift)}
        for level, theirs, everyone, lift in rows
    ]
    of_won = f"of the {won}"
    dots = [
        {"level": level, "of": of, "share": share}
        for level, theirs, everyone, _ in rows
        for of, share in ((ALL, everyone), (of_won, theirs))
    ]
    y = {
        "field": "level", "type": "nominal", "sort": [row[0] for row in rows], "title": None,
        "axis": {"ticks": False, "domain": False, "labelPadding": 10, "grid": True},
    }  # fmt: skip
    x = {"type": "quantitative", "title": "share", "axis": {"format": "%", "tickCount": 6}, "scale": {"zero": True}}
    color = {
        "field": "of", "type": "nominal", "scale": {"domain": [ALL, of_won], "range": [QUIET, ACCENT]},
        "legend": {"title": None, "orient": "top"},
    }  # fmt: skip
    layers = [
        {"data": {"values": ends}, "mark": {"type": "rule", "strokeWidth": 2, "color": QUIET},
         "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}}},
        {"data": {"values": dots}, "mark": {"type": "circle", "size": 110, "opacity": 1},
         "encoding": {"y": y, "x": {"field": "share", **x}, "color": color}},
        {"data": {"values": ends}, "mark": {"type": "text", "align": "left", "dx": 12, "color": "#495057"},
         "encoding": {"y": y, "x": {"field": "high", **x}, "text": {"field": "lift"}}},
    ]  # fmt: skip
    spec = chart([], width=480, height={"step": 26}, layer=layers)
    del spec["data"]
    return spec


def _times(lift: float) -> str:
    return f"{lift:.1f} ×" if lift >= 0.95 else f"{lift:.2f} ×"
