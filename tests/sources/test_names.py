import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.sources.names import snake_case, unique_names
from leadlight.spec.catalog import RESERVED


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Lead Source", "lead_source"),
        ("TotalVisits", "total_visits"),
        ("pageURL", "page_url"),
        ("HTTPServer2Go", "http_server2_go"),
        ("  spaced  out ", "spaced_out"),
        ("Straße", "strasse"),
        ("Città/Région (%)", "citta_region"),
        ("2nd", "n_2nd"),
        ("_private", "private"),
        ("价格", ""),
        ("", ""),
        ("x" * 300, "x" * 100),
    ],
)
def test_snake_case(header: str, name: str) -> None:
    assert snake_case(header) == name


@given(st.lists(st.text(max_size=20), max_size=20))
def test_names_are_unique_and_may_stand_in_a_condition(headers: list[str]) -> None:
    names = unique_names(headers, RESERVED)
    assert len(set(names)) == len(headers)
    assert not set(names) & RESERVED
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
