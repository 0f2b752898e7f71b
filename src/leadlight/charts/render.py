"""Turn a Vega-Lite spec into a picture, without a browser and without the network."""

from __future__ import annotations

from typing import Any


def to_svg(spec: dict[str, Any]) -> str:
    """Return the chart as SVG text."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec))


def to_png(spec: dict[str, Any], *, scale: float = 2.0) -> bytes:
    """Return the chart as PNG bytes."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(spec, scale=scale))
