"""Industries by words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.industries import INDUSTRIES
from leadlight.enrich.texts.industry import industry_of_text, terms_of

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "enrich_companies"


@pytest.mark.parametrize(
    ("text", "industry"),
    [
        ("We are a law firm in Albany", "legal"),
        ("Acme Savings Bank", "financial_services"),
        ("Autohaus Beispiel", "automotive"),
        ("Restaurant und Hotel am See", "hospitality"),
        ("Cabinet d'avocats à Paris", "legal"),
        ("Smith & Sons Plumbing", "construction"),
        ("St. Example's Hospital", "healthcare"),
        ("Versicherungsmakler Beispiel", "insurance"),
        ("Empresa de construcción", "construction"),
        ("Logistics and freight forwarding", "transportation"),
        ("Drug discovery with AI", "life_sciences"),
        ("Developer tools and APIs for analytics", "software"),
        ("Oil and gas pipelines", "energy"),
        ("We like words", None),
        ("", None),
    ],
)
def test_industries(text, industry):
    found = industry_of_text(text)
    assert (found.name if found else None) == industry


def test_the_words_that_say_it_are_named():
    found = industry_of_text("a law firm with attorneys")
    assert set(found.words) <= set(terms_of("a law firm with attorneys"))
    assert "law firm" in found.words


@given(st.text(max_size=300))
def test_any_text_is_of_a_known_industry_or_none(text):
    found = industry_of_text(text)
    assert found is None or (found.name in INDUSTRIES and 0 < found.confidence <= 1)


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA.name} beside the repository")
def test_companies_that_nothing_was_learned_from():
    sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "benchmarks" / "enrich"))
    try:
        from industry import LISTED, SECTORS, described, measure, named
    finally:
        sys.path.pop(0)
    lines, alone = measure(described(), LISTED), measure(named(), SECTORS)
    assert lines["companies"] > 900
    assert lines["right of answered"] > 0.75
    assert lines["right of all"] > 0.55 > lines["commonest label"]
    assert alone["right of answered"] > 0.65
