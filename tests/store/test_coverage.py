from __future__ import annotations

from datetime import timedelta

import pytest
from tests.enrich.fakes import NOW, Fake
from tests.enrich.fakes import shop as shop

from leadlight.store.coverage import Coverage, coverage

RULE = {"industry": {"ask": ["first", "second"], "rule": "majority"}}


@pytest.fixture
def looked_up(shop):
    first = Fake("first", gives=("industry", "employees"), says={
        "acme.com": {"industry": "software", "employees": 12.0}, "zeta.org": {"industry": "Farming"},
    })  # fmt: skip
    second = Fake("second", says={"acme.com": {"industry": "farming"}, "zeta.org": {"industry": "farming"}})
    made = shop(first, second, attributes=RULE, always=True)
    made.workspace.enrich()
    return made


def test_who_is_known_by_whom_whether_they_agree_and_how_old_it_is(looked_up):
    later = NOW + timedelta(days=3)
    with looked_up.workspace.store() as engine:
        found = coverage(engine, later)
    assert found == (
        Coverage("first", "industry", known=3, total=4, rivals=3, agree=1, used=3, age_days=3.0),
        Coverage("first", "employees", known=2, total=4, rivals=0, agree=0, used=2, age_days=3.0),
        Coverage("second", "industry", known=3, total=4, rivals=3, agree=1, used=0, age_days=3.0),
    )


def test_what_was_not_known_yet_is_left_out(looked_up):
    with looked_up.workspace.store() as engine:
        assert coverage(engine, NOW - timedelta(days=1)) == ()


def test_the_report_shows_it(looked_up):
    looked_up.at = NOW + timedelta(days=3)
    report = looked_up.workspace.report()
    assert "What was looked up" in report.html
    assert "1 of 3" in report.html
    assert report.as_dict()["looked_up"][0]["agree"] == 1


def test_a_report_without_look_ups_says_nothing_of_them(shop):
    made = shop(Fake("first"))
    assert "What was looked up" not in made.workspace.report().html


def test_a_report_leaves_out_what_could_be_looked_up_and_never_was(shop):
    made = shop(Fake("first", gives=("industry", "city"), says={"acme.com": {"industry": "software"}}))
    made.workspace.enrich()
    names = [item["name"] for item in made.workspace.report().as_dict()["attributes"]]
    assert "industry" in names
    assert "city" not in names
