from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pytest

from leadlight.simulate.lead_file import FREE_DOMAINS, leads_table
from leadlight.simulate.outcomes import make_leaks
from leadlight.simulate.world import KINDS


@pytest.fixture(scope="module")
def table(crowd) -> pa.Table:
    return leads_table(crowd.world, crowd.leads, make_leaks(crowd.world, crowd.leads, crowd.paths))


def share_given(table: pa.Table, column: str, chosen: np.ndarray) -> float:
    return float(table[column].is_valid().to_numpy()[chosen].mean())


def test_addresses_are_the_persons_own_and_reach_nobody(crowd, table) -> None:
    mails = table["email"].to_pylist()
    folded = [mail.lower() for mail in mails]
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\d+@[a-z0-9-]+\.example", mail) for mail in folded)
    assert [folded[k] for k in crowd.leads.person] == folded
    assert len(set(folded)) == (~crowd.leads.is_duplicate).sum()
    of_duplicates = {mails[k] for k in np.flatnonzero(crowd.leads.is_duplicate)}
    assert {mail for mail in mails if mail != mail.lower()} < of_duplicates


@pytest.mark.parametrize(
    ("kind", "domains"),
    [
        ("student", {"campus.example"}),
        ("competitor", {"rival.example", "contender.example"}),
        ("staff", {"ourselves.example"}),
    ],
)
def test_some_kinds_are_told_by_their_domain(crowd, table, kind: str, domains: set[str]) -> None:
    chosen = crowd.leads.kind == KINDS.index(kind)
    found = {mail.lower().split("@")[1] for mail in table["email"].filter(pa.array(chosen)).to_pylist()}
    assert found == domains
    others = {mail.lower().split("@")[1] for mail in table["email"].filter(pa.array(~chosen)).to_pylist()}
    assert not others & domains


def test_free_mail_and_throw_away_addresses_are_there(table) -> None:
    hosts = [mail.lower().split("@")[1] for mail in table["email"].to_pylist()]
    assert sum(host in FREE_DOMAINS for host in hosts) / len(hosts) == pytest.approx(0.15, abs=0.04)
    assert 0.01 < sum(host in ("tempmail.example", "tenminutes.example") for host in hosts) / len(hosts) < 0.04


def test_some_values_are_missing_at_random(crowd, table) -> None:
    keen = crowd.leads.first_state >= 2
    for column, share in (("country", 0.94), ("title", 0.88)):
        assert share_given(table, column, keen) == pytest.approx(share, abs=0.015)
        assert share_given(table, column, ~keen) == pytest.approx(share, abs=0.015)


def test_and_some_not_at_random(crowd, table) -> None:
    leads = crowd.leads
    for state, (phone, budget) in enumerate(((0.2, 0.1), (0.4, 0.25), (0.6, 0.4), (0.8, 0.55))):
        assert share_given(table, "phone", leads.first_state == state) == pytest.approx(phone, abs=0.04)
        assert share_given(table, "budget", leads.first_state == state) == pytest.approx(budget, abs=0.04)
    assert share_given(table, "company", leads.mailbox == 2) == pytest.approx(0.98, abs=0.01)
    assert share_given(table, "company", leads.mailbox == 0) == pytest.approx(0.3, abs=0.03)


def test_the_record_number_is_an_id_that_tells_the_day(crowd, table) -> None:
    numbers = table["record_no"].to_pylist()
    days = [f"{moment:%y%m%d}" for moment in table["created"].to_pylist()]
    assert [f"{number:014d}"[:6] for number in numbers] == days
    assert len(set(numbers)) == len(numbers)


def test_titles_say_the_seniority(table) -> None:
    found = set(zip(table["title"].to_pylist(), table["seniority"].to_pylist(), strict=True))
    assert ("VP Sales", "vp") in found
    assert ("CTO", "c_level") in found
    assert ("Student", None) in found
    levels: dict[str, set[str]] = {}
    for title, level in found:
        if title and level:
            levels.setdefault(title, set()).add(level)
    assert all(len(known) == 1 for known in levels.values())


def test_phones_are_numbers_reserved_for_fiction(table) -> None:
    phones = [phone for phone in table["phone"].to_pylist() if phone]
    assert all(re.fullmatch(r"\+1 [2-9]\d\d 555 01\d\d", phone) for phone in phones)
