"""What vendors call industries: every name leads to one of ours, and to one only."""

from __future__ import annotations

import pytest

from leadlight.enrich.industries import INDUSTRIES
from leadlight.enrich.industry_names import NAMES, industry_named


def test_every_industry_has_names_and_every_name_one_industry():
    assert set(NAMES) == set(INDUSTRIES)
    for industry, names in NAMES.items():
        assert {industry_named(name) for name in names.split("; ")} == {industry}


@pytest.mark.parametrize(
    ("name", "industry"),
    [
        ("computer software", "software"),  # People Data Labs
        ("Internet Software & Services", "software"),  # Clearbit, Hunter
        ("information technology & services", "it_services"),  # Apollo
        ("Information Technology and Services", "it_services"),  # LinkedIn, before 2022
        ("IT Services and IT Consulting", "it_services"),  # LinkedIn, since
        ("HOSPITAL & HEALTH CARE", "healthcare"),
        ("Glass, Ceramics & Concrete", "construction"),
        ("unheard of", None),
        ("", None),
    ],
)
def test_names(name, industry):
    assert industry_named(name) == industry
