from __future__ import annotations

import re
import struct
from xml.etree import ElementTree

import pytest

from leadlight.charts.render import to_png, to_svg
from leadlight.charts.style import chart


def dots() -> dict[str, object]:
    place = {"field": "x", "type": "quantitative"}
    return chart([{"x": 1}, {"x": 2}], width=60, height=40, mark={"type": "point", "clip": True}, encoding={"x": place})


def test_svg_is_a_well_formed_picture_without_program_or_address() -> None:
    drawn = to_svg(dots())
    root = ElementTree.fromstring(drawn)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg", "g", "path", "text", "line", "rect", "defs", "clipPath",
    }  # fmt: skip


def test_the_same_spec_is_drawn_the_same_and_charts_of_one_page_share_no_ids() -> None:
    first, again, other = to_svg(dots()), to_svg(dots()), to_svg(dots(), name="other")
    assert first == again
    ids, others = (re.findall(r' id="([^"]+)"', drawn) for drawn in (first, other))
    assert ids == ["chart-clip0"]
    assert others == ["other-clip0"]
    assert set(re.findall(r"url\(#([^)]+)\)", other)) == {"other-clip0"}


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_png_has_the_size_asked_for(scale: float) -> None:
    picture = to_png(dots(), scale=scale)
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    single = struct.unpack(">II", to_png(dots(), scale=1.0)[16:24])
    assert (width, height) == (single[0] * scale, single[1] * scale)
    assert width > 60 * scale


def test_a_spec_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="Vega-Lite"):
        to_svg({"mark": "no such mark"})
