"""Whether a company found is the lead's: the rule, case by case, and what holds for all."""

from __future__ import annotations

import csv
import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadlight.enrich.match import (
    LEAST,
    Candidate,
    Wanted,
    choose,
    company_key,
    folded,
    host_of,
    judge,
    likeness,
    wanted_of,
)  # fmt: skip
from leadlight.enrich.provider import Clue, Query

ANVIL = Wanted("Anvil Works", "GB", "anvil.example", "Leeds", "LS1 1AA")


@pytest.mark.parametrize(
    ("candidate", "sure"),
    [
        (Candidate(("Anvil Works Ltd",), "GB"), 0.9),
        (Candidate(("Anvil Works Ltd",)), 0.75),
        (Candidate(("Anvil Works Ltd",), "DE"), 0.3),
        (Candidate(("Anvil Works Ltd",), "GB", city="LEEDS"), 0.95),
        (Candidate(("Anvil Works Ltd",), "GB", postal_code="ls11aa", active=False), 0.76),
        (Candidate(("Anvil Works Ltd",), "GB", ("https://www.anvil.example/en",)), 0.97),
        (Candidate(("Globex",), "DE", ("shop.anvil.example",)), 0.85),
        (Candidate(("Anvil Works Ltd",), "GB", ("notanvil.example",)), 0.45),
        (Candidate(("Works, Anvil",), "GB"), 0.9),
        (Candidate(("Anvil Workers",), "GB"), 0.0),
        (Candidate(("Anvils at Work",), "GB"), 0.0),
        (Candidate(("Hammer Works",), "GB", city="Leeds"), 0.0),
        (Candidate(("Globex", "Anvil Works"), "GB"), 0.9),
        (Candidate(()), 0.0),
    ],
)
def test_judgement(candidate, sure):
    assert judge(ANVIL, candidate)[0] == pytest.approx(sure)


def test_nearly_the_same_name_counts_among_long_ones():
    long = Wanted("Anvil Manufacturing", "GB")
    assert judge(long, Candidate(("Anvil Manufacturng",), "GB"))[0] == 0.75
    assert judge(long, Candidate(("Anvil Manufacturing Group",), "GB"))[0] == 0.0
    assert judge(Wanted("Loom"), Candidate(("Bloom",)))[0] == 0.0


COMPANIES = Path(__file__).parents[3] / "shared/data/enrich_companies"


@pytest.mark.data
@pytest.mark.skipif(not COMPANIES.exists(), reason="the data of ../shared/data/enrich_companies are absent")
def test_among_real_names_another_company_is_hardly_ever_taken_for_it():
    """Of 250 real companies that a register lacks, at most one is taken for another one of 6,300 in it."""
    from rapidfuzz import fuzz, process

    with gzip.open(COMPANIES / "yc_companies.csv.gz", "rt", encoding="utf-8") as file:
        real = {row["Company Name"] for row in csv.DictReader(file)}
    with (COMPANIES / "fortune1000_2022.csv").open(encoding="utf-8", errors="replace") as file:
        real |= {row["company"] for row in csv.DictReader(file)}
    known = {name: folded(name) for name in sorted(real)}
    taken = []
    for name in random.Random(7).sample(sorted(known), 250):
        near = process.extract(known[name], known, scorer=fuzz.token_sort_ratio, limit=15)
        others = [Candidate((other,), "US") for _, _, other in near if known[other] != known[name]]
        if (match := choose(Wanted(name, "US"), others)) is not None:
            taken.append((name, others[match.index].names[0]))
    assert len(taken) <= 1, taken


def test_rivals_divide_and_a_web_site_has_none():
    twins = [Candidate(("Anvil Works Ltd",), "GB"), Candidate(("Anvil Works plc",), "GB")]
    assert choose(ANVIL, twins) is None
    assert choose(ANVIL, [*twins, Candidate(("Anvil",), sites=("anvil.example",))]).index == 2
    elsewhere = [Candidate(("Anvil Works Ltd",), "GB"), Candidate(("Anvil Works GmbH",), "DE")]
    assert choose(ANVIL, elsewhere).confidence == 0.9
    assert choose(ANVIL, []) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Société Générale", "SOCIETE GENERALE SA"), ("AT&T", "AT & T Inc."), ("Müller GmbH & Co. KG", "Mueller"),
        ("The Home Depot, Inc.", "Home Depot"), ("Acme A/S", "ACME AS"), ("Forge Intl.", "Intl Forge"),
        ("株式会社トヨタ", "株式会社トヨタ"), ("S.p.A. Fiat", "SpA Fiat"), ("Data Dog", "Datadog"),
    ],
)  # fmt: skip
def test_alike(one, other):
    assert likeness(one, other) >= 0.95


@pytest.mark.parametrize(
    ("one", "other"),
    [("Acme", "Acme Holdings"), ("Apple", "Apple Bank"), ("Delta Air", "Delta Faucet"), ("SAP", "SAS"), ("Inc", "Ltd"),
     ("", "Acme"), ("...", "---")],
)  # fmt: skip
def test_unlike(one, other):
    assert likeness(one, other) < 0.8


names = st.text(max_size=40)
candidates = st.builds(
    Candidate, st.lists(names, max_size=3).map(tuple), st.sampled_from([None, "GB", "DE"]),
    st.lists(names, max_size=2).map(tuple), names, names, st.booleans(),
)  # fmt: skip


@given(names, st.lists(candidates, max_size=5))
def test_always_an_answer_within_bounds(name, found):
    match = choose(Wanted(name, "GB", "anvil.example"), found)
    assert match is None or (LEAST <= match.confidence <= 1 and 0 <= match.index < len(found))


@given(names, names)
def test_likeness_is_even_handed(one, other):
    assert 0 <= likeness(one, other) == likeness(other, one) <= 1
    assert folded(folded(one)) == folded(one) or folded(one) == ""


@given(st.text(max_size=60))
def test_hosts_never_fail(text):
    assert "/" not in host_of(text)


def test_key_is_all_that_is_looked_at():
    query = Query({Clue.COMPANY: " Anvil  WORKS", Clue.COUNTRY: "gb", Clue.DOMAIN: "Anvil.Example"})
    assert company_key(query) == "anvil works|gb|anvil.example||"
    assert company_key(Query({Clue.COMPANY: "Anvil", Clue.COUNTRY: "Germany"})) == "anvil|de|||"
    assert wanted_of(query) == Wanted("Anvil WORKS", "GB", "anvil.example")
    assert company_key(Query({Clue.DOMAIN: "anvil.example"})) is None
    assert company_key(Query({Clue.COMPANY: " -- "})) is None
