"""How all our charts look."""

from __future__ import annotations

from typing import Any

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
ACCENT, QUIET, UP, DOWN = "#2a6f97", "#adb5bd", "#2b9348", "#c1121f"
SCALE = ["#f1f5f9", "#cfe3f1", "#89c2d9", "#468faf", "#2a6f97", "#014f86", "#012a4a"]

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
    "view": {"stroke": None},
    "axis": {
        "domainColor": "#ced4da", "gridColor": "#eef1f4", "tickColor": "#ced4da", "labelColor": "#495057",
        "titleColor": "#495057", "titleFontWeight": "normal", "labelFontSize": 12, "titleFontSize": 12,
        "labelLimit": 340,
    },
    "legend": {"labelColor": "#495057", "titleColor": "#495057", "titleFontWeight": "normal"},
}  # fmt: skip


def chart(values: list[dict[str, Any]], *, width: int, height: int | dict[str, int], **parts: Any) -> dict[str, Any]:
    """Return a Vega-Lite spec over rows of plain values."""
    return {
        "$schema": SCHEMA,
        "config": CONFIG,
        "width": width,
        "height": height,
        "data": {"values": values},
        **parts,
    }
