"""How far features and scores have shifted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.charts.style import ACCENT, DOWN, QUIET, chart

SOME = "#e09f3e"


BANDS = {"stable": ACCENT, "some shift": SOME, "large shift": DOWN}


def drift_bars(shifts: Sequence[tuple[str, float, str]], *, limits: tuple[float, float]) -> dict[str, Any]:
    """Return the stability index of each feature from (name, index, band), in the order given; a rule at each limit.

    Bands are named as in `BANDS`.

    >>> spec = drift_bars([("industry", 0.31, "large shift"), ("size", 0.02, "stable")], limits=(0.1, 0.25))
    >>> spec["layer"][0]["data"]["values"][0]
    {'name': 'industry', 'psi': 0.31, 'label': '0.31', 'band': 'large shift'}
    """
    values = [{"name": name, "psi": psi, "label": f"{psi:.2f}", "band": band} for name, psi, band in shifts]
    y = {"field": "name", "type": "nominal", "sort": [name for name, _, _ in shifts], "title": None}
    x = {"type": "quantitative", "title": "population stability index", "axis": {"tickCount": 6}}
    colour = {
        "field": "band", "type": "nominal", "scale": {"domain": list(BANDS), "range": list(BANDS.values())},
        "legend": {"title": None, "orient": "top"},
    }  # fmt: skip
    at = {"values": [{"psi": limit} for limit in limits]}
    layers = [
        {"data": {"values": values}, "mark": {"type": "bar", "cornerRadiusEnd": 2},
         "encoding": {"y": y, "x": {"field": "psi", **x}, "color": colour}},
        {"data": {"values": values}, "mark": {"type": "text", "align": "left", "dx": 5, "color": "#495057"},
         "encoding": {"y": y, "x": {"field": "psi", **x}, "text": {"field": "label"}}},
        {"data": at, "mark": {"type": "rule", "color": QUIET, "strokeDash": [5, 4]},
         "encoding": {"x": {"field": "psi", **x}}},
    ]  # fmt: skip
    spec = chart([], width=480, height={"step": 26}, layer=layers)
    del spec["data"]
    return spec
