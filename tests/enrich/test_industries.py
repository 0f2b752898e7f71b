"""Industries, and codes of the usual schemes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.industries import INDUSTRIES, SCHEMES, industry_of

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "enrich_companies" / "naics_2017_descriptions.json"


@pytest.mark.parametrize(
    ("scheme", "code", "industry"),
    [
        ("sic", "7372", "software"), ("sic", "7373", "it_services"), ("sic", "6022", "financial_services"),
        ("sic", "2834", "life_sciences"), ("sic", "2844", "consumer_goods"), ("sic", "3571", "hardware"),
        ("nace", "62.01", "software"), ("nace", "J62.01", "software"), ("nace", "62010", "software"),
        ("nace", "6201Z", "software"), ("nace", "01.11", "agriculture"), ("nace", "65.12", "insurance"),
        ("naics", "541110", "legal"), ("naics", "31-33", "consumer_goods"), ("naics", "3254", "life_sciences"),
        ("naics", "44-45", "retail"), ("naics", "9", None), ("naics", "", None), ("sic", "0000", None),
    ],
)  # fmt: skip
def test_codes(scheme, code, industry):
    assert industry_of(code, scheme=scheme) == industry


def test_every_code_means_an_industry_and_every_industry_has_a_code():
    meant = {name for known in SCHEMES.values() for name in known.values()}
    assert meant == set(INDUSTRIES)


@given(st.text(max_size=20), st.sampled_from(sorted(SCHEMES)))
def test_any_text_means_an_industry_or_none(code, scheme):
    assert industry_of(code, scheme=scheme) in {None, *INDUSTRIES}


@pytest.mark.data
@pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA.name} beside the repository")
def test_every_code_of_naics_is_known():
    codes = json.loads(DATA.read_text(encoding="utf-8"))
    assert [code for code in codes if industry_of(code, scheme="naics") is None] == []
