"""Countries by all their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.countries import countries, country_code, folded


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("DE", "DE"), ("de", "DE"), ("DEU", "DE"), ("Germany", "DE"), ("Deutschland", "DE"), ("ALLEMAGNE", "DE"),
        ("U.S.A.", "US"), ("The United States", "US"), ("UK", "GB"), ("England", "GB"), ("Great Britain", "GB"),
        ("España", "ES"), ("Türkiye", "TR"), ("Côte d'Ivoire", "CI"), ("Österreich", "AT"), ("The Netherlands", "NL"),
        ("South Korea", "KR"), ("Czechia", "CZ"), ("Czech Republic", "CZ"), ("UAE", "AE"), ("Narnia", None), ("", None),
        ("XX", None),
    ],
)  # fmt: skip
def test_countries_as_people_write_them(text, code):
    assert country_code(text) == code


def test_every_country_is_known_by_its_own_name_and_letters():
    assert len(countries()) > 240
    assert {code: country_code(country.name) for code, country in countries().items()} == {
        code: code for code in countries()
    }
    assert all(country_code(code.lower()) == code for code in countries())


@given(st.text())
def test_any_text_is_a_country_or_none(text):
    assert country_code(text) in {None, *countries()}
    assert folded(folded(text)) == folded(text)
