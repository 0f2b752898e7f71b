from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest

from leadlight.simulate.accounts import account_count, accounts_table, company_names, domains, make_accounts
from leadlight.simulate.world import EMPLOYEES_LOG_MEAN, EMPLOYEES_LOG_SD, INDUSTRY_SHARE, World

ACCOUNTS = make_accounts(World(), np.arange(20_000))
TABLE = accounts_table(World(), ACCOUNTS)


def test_an_account_is_the_same_whoever_else_is_made() -> None:
    alone = make_accounts(World(), np.array([777]))
    assert accounts_table(World(), alone).to_pylist() == TABLE.slice(777, 1).to_pylist()


def test_names_and_domains_belong_to_one_account_only() -> None:
    assert len(pc.unique(company_names(ACCOUNTS))) == len(ACCOUNTS)
    assert len(pc.unique(domains(ACCOUNTS.number))) == len(ACCOUNTS)
    assert pc.all(pc.ends_with(domains(ACCOUNTS.number), ".example")).as_py()


def test_industries_and_sizes_follow_their_distributions() -> None:
    assert np.bincount(ACCOUNTS.industry) / len(ACCOUNTS) == pytest.approx(np.array(INDUSTRY_SHARE), abs=0.015)
    for code, (mean, sd) in enumerate(zip(EMPLOYEES_LOG_MEAN, EMPLOYEES_LOG_SD, strict=True)):
        logs = np.log(ACCOUNTS.employees[ACCOUNTS.industry == code])
        assert np.median(logs) == pytest.approx(mean, abs=0.12)
        assert logs.std() == pytest.approx(sd, rel=0.08)


def test_small_companies_more_often_do_not_tell_their_size() -> None:
    unknown = TABLE["employees"].is_null().to_numpy()
    assert unknown[ACCOUNTS.employees < 20].mean() == pytest.approx(0.35, abs=0.03)
    assert unknown[ACCOUNTS.employees >= 20].mean() == pytest.approx(0.05, abs=0.01)


def test_big_companies_more_often_have_a_mail_gateway() -> None:
    assert ACCOUNTS.gateway[ACCOUNTS.employees > 500].mean() == pytest.approx(0.35, abs=0.03)
    assert ACCOUNTS.gateway[ACCOUNTS.employees <= 500].mean() == pytest.approx(0.08, abs=0.01)


def test_every_started_block_of_leads_has_its_accounts() -> None:
    assert [account_count(leads) for leads in (1, 64, 65, 5000)] == [24, 24, 48, 1896]
