"""Whether probabilities come true: what was said against what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadlight.charts.style import ACCENT, QUIET, chart
from leadlight.spec.entity import plural


def calibration_plot(
    bins: Sequence[tuple[float, float, float, float, int]], *, entity: str, what: str = "that won"
) -> dict[str, Any]:
    """Return points of what was said against what came, from (said, came, low, high, n); on the diagonal both agree.

    Each point has the interval of its rate; its size is how many it stands for. Both axes end a little above the
    greatest value shown, so that rare wins can be read too.

    >>> calibration_plot([(0.1, 0.12, 0.08, 0.17, 200)], entity="lead")["layer"][1]["data"]["values"][0]["n"]
    200
    """
    most = max((max(said, high) for said, _, _, high, _ in bins), default=1.0)
    top = min(1.0, most * 1.05) or 1.0
    values = [{"said": said, "came": came, "low": low, "high": high, "n": n} for said, came, low, high, n in bins]
    x = {"field": "said", "type": "quantitative", "axis": {"format": "%", "tickCount": 6},
         "scale": {"domain": [0, top], "nice": False}, "title": "probability said"}  # fmt: skip
    y = {**x, "field": "came", "title": f"share {what}"}
    counts = sorted({n for *_, n in bins})
    legend = {"title": plural(entity), "values": counts[:1] + counts[1:][-1:], "format": ",d",
              "symbolFillColor": ACCENT, "symbolStrokeColor": ACCENT}  # fmt: skip
    size = {"field": "n", "type": "quantitative", "legend": legend,
            "scale": {"domain": [0, max(counts, default=1)], "range": [20, 130]}}  # fmt: skip
    line = {"type": "line", "color": QUIET, "strokeDash": [5, 4]}
    diagonal = {"data": {"values": [{"said": 0, "came": 0}, {"said": top, "came": top}]}, "mark": line,
                "encoding": {"x": x, "y": y}}  # fmt: skip
    data = {"values": values}
    rule = {"type": "rule", "color": ACCENT, "strokeWidth": 2, "opacity": 0.45, "clip": True}
    intervals = {"data": data, "mark": rule,
                 "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}}  # fmt: skip
    points = {"data": data, "mark": {"type": "point", "filled": True, "color": ACCENT, "opacity": 1},
              "encoding": {"x": x, "y": y, "size": size}}  # fmt: skip
    spec = chart([], width=360, height=360, layer=[diagonal, intervals, points])
    del spec["data"]
    return spec
