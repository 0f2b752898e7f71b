"""Financial services on Give Me Some Credit: 150,000 borrowers, 90 days late or worse within two years."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

# Counts of 96 and 98 are codes, not counts. Where the income is missing (or nothing), the debt ratio is an amount.
APPLICANTS = """
COPY (SELECT 'B' || lpad(column00::VARCHAR, 6, '0') AS applicant,
      "RevolvingUtilizationOfUnsecuredLines" AS utilisation, age,
      CASE WHEN late30 < 90 THEN late30 END AS late_30_days, CASE WHEN late60 < 90 THEN late60 END AS late_60_days,
      CASE WHEN late90 < 90 THEN late90 END AS late_90_days,
      CASE WHEN "MonthlyIncome" > 1 THEN "DebtRatio" END AS debt_ratio, "MonthlyIncome" AS income,
      "NumberOfOpenCreditLinesAndLoans" AS open_lines, "NumberRealEstateLoansOrLines" AS real_estate_loans,
      "NumberOfDependents" AS dependents, CASE "SeriousDlqin2yrs" WHEN 1 THEN 'bad' ELSE 'good' END AS outcome
      FROM (SELECT *, "NumberOfTime30-59DaysPastDueNotWorse" AS late30, "NumberOfTimes90DaysLate" AS late90,
            "NumberOfTime60-89DaysPastDueNotWorse" AS late60
            FROM read_csv('{raw}', header = true, nullstr = 'NA', normalize_names = false))) TO '{to}' (HEADER)
"""


def prepare(raw: Path, folder: Path) -> None:
    """Write the borrowers with our names, codes taken out; the outcome stands in the same file, without a date."""
    to = folder / "data" / "applicants.csv"
    duckdb.sql(APPLICANTS.format(raw=raw / "cs-training.csv.gz", to=to))
    set_sources(folder, {"applicants": {"csv": "data/applicants.csv", "id": "applicant", "outcome": "outcome"}})


CASE = Case(
    name="financial services: borrowers (Give Me Some Credit)",
    playbook="financial-services",
    data="fin_givemesomecredit",
    scorecard="creditworthiness",
    outcome="repayment",
    prepare=prepare,
    now=datetime(2011, 12, 1),
    capacity=0.5,
    rows="a borrower, with what a bureau knew",
    literature="The winners of the Kaggle competition (2011) had an AUC of 0.8695 on its own hidden test rows.",
    notes="No dates: judged on a part drawn at random. A win is a loan that goes well (93 %), so average precision and "
    "gain are high for any order; read the AUC. Age is protected and not used; the competition's models used it. "
    "That points may only fall with lateness and use of credit costs the learned card 0.003 of AUC.",
    slow=True,
)
