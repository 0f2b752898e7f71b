"""Turn a Vega-Lite spec into a picture, without a browser and without the network."""

from __future__ import annotations

import re
from typing import Any


def to_svg(spec: dict[str, Any], *, name: str = "chart") -> str:
    """Return the chart as SVG text; the ids in it begin with `name`, for pages that hold several charts."""
    import vl_convert

    drawn = str(vl_convert.vegalite_to_svg(spec))  # which numbers its ids on and on, over all charts it ever drew
    numbers = {
        found: place for place, found in enumerate(dict.fromkeys(re.findall(r'<clipPath id="clip(\d+)"', drawn)))
    }
    return re.sub(
        r'(<clipPath id="|"url\(#)clip(\d+)',
        lambda found: f"{found[1]}{name}-clip{numbers.get(found[2], found[2])}",
        drawn,
    )


def to_png(spec: dict[str, Any], *, scale: float = 2.0) -> bytes:
    """Return the chart as PNG bytes."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(spec, scale=scale))
